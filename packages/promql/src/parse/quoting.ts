/** Go's string literals: what PromQL writes and what its messages quote. */

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/**
 * The value of a quoted literal with its quotes; undefined for a bad escape. A byte escape that is
 * no valid UTF-8 (`"\xff"`) stays one lone surrogate, U+DC00 + byte, so that names can be refused.
 */
export function unquote(literal: string): string | undefined {
  const quote = literal[0] ?? '';
  const body = literal.slice(1, -1);
  if (quote === '`') return body.replaceAll('\r', '');
  if (!body.includes('\\')) return body;
  let escaped = '';
  for (let at = 0; at < body.length; ) {
    const code = body.codePointAt(at) ?? 0;
    if (code !== 0x5c) {
      const character = String.fromCodePoint(code);
      escaped += isLabelName(character) ? encodeURIComponent(character) : '%EF%BF%BD';
      at += character.length;
      continue;
    }
    const read = readEscape(body, at + 1, quote);
    if (read === undefined) return undefined;
    escaped +=
      typeof read.value === 'number'
        ? `%${read.value.toString(16).padStart(2, '0')}`
        : encodeURIComponent(read.value);
    at = read.next;
  }
  return decodeUtf8(escaped);
}

function readEscape(
  body: string,
  at: number,
  quote: string,
): { value: string | number; next: number } | undefined {
  const letter = body[at] ?? '';
  const digits = { x: 2, u: 4, U: 8 }[letter];
  if (digits !== undefined) {
    const hex = body.slice(at + 1, at + 1 + digits);
    if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) return undefined;
    const code = Number.parseInt(hex, 16);
    const next = at + 1 + digits;
    if (letter === 'x') return { value: code, next };
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
    return { value: String.fromCodePoint(code), next };
  }
  if (/[0-7]/.test(letter)) {
    const octal = body.slice(at, at + 3);
    const code = Number.parseInt(octal, 8);
    return /^[0-7]{3}$/.test(octal) && code < 256 ? { value: code, next: at + 3 } : undefined;
  }
  const value = ESCAPES[letter];
  if (value === undefined || ((letter === '"' || letter === "'") && letter !== quote)) {
    return undefined;
  }
  return { value, next: at + 1 };
}

/** From percent-encoded bytes: the one UTF-8 decoder that is everywhere, in Node and in browsers. */
function decodeUtf8(escaped: string): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => {
      const byte = Number.parseInt(hex, 16);
      return String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
    });
  }
}

const QUOTED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** As Go's `strconv.Quote`. */
export function quote(value: string): string {
  let text = '"';
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    const known = QUOTED[character];
    if (known !== undefined) text += known;
    else if (code >= 0xdc80 && code < 0xdd00) text += `\\x${(code - 0xdc00).toString(16)}`;
    else if (code < 0x20 || code === 0x7f) text += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (/\p{C}|\p{Z}/u.test(character) && code !== 0x20) text += unicodeEscape(code);
    else text += character;
  }
  return `${text}"`;
}

const unicodeEscape = (code: number): string =>
  code < 0x10000
    ? `\\u${code.toString(16).padStart(4, '0')}`
    : `\\U${code.toString(16).padStart(8, '0')}`;

/** As Go's `%q` of a rune. */
export function quoteRune(character: string): string {
  if (character === "'") return "'\\''";
  if (character === '"') return `'"'`;
  return `'${quote(character).slice(1, -1)}'`;
}

/** Since Prometheus 3 a label name is any valid UTF-8 but the empty string. */
export const isLabelName = (name: string): boolean => name !== '' && !/\p{Cs}/u.test(name);

/** A name that needs no quotes. */
export const isLegacyLabelName = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
export const isLegacyMetricName = (name: string): boolean =>
  /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
