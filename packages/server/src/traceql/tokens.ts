/** A mistake in a TraceQL text. `line` and `column` count from 1. */
export class TraceqlError extends Error {
  override readonly name = 'TraceqlError';
  readonly line: number;
  readonly column: number;
  constructor(reason: string, text: string, position: number) {
    const before = text.slice(0, position);
    const line = before.split('\n').length;
    const column = position - before.lastIndexOf('\n');
    super(`parse error at line ${line}, col ${column}: ${reason}`);
    this.line = line;
    this.column = column;
  }
}

export type TokenKind = 'symbol' | 'word' | 'string' | 'number' | 'duration' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string, what it stands for. */
  readonly text: string;
  /** Of a number; of a duration, nanoseconds. */
  readonly number: number;
  readonly position: number;
  /** Whether white space stands before it: `. a` is not an attribute. */
  readonly isSpaced: boolean;
}

const TEXT_MAX = 16_384;
const TOKENS_MAX = 2_000;

const DURATION_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

// Longest first, so that `!>>` is not read as `!` and `>>`.
const SYMBOLS = [
  '!>>',
  '!<<',
  '&>>',
  '&<<',
  '!>',
  '!<',
  '!~',
  '!=',
  '&>',
  '&<',
  '&~',
  '&&',
  '||',
  '>>',
  '<<',
  '>=',
  '<=',
  '=~',
  ...'{}()|>~<=!+-*/%^,.:'.split(''),
];

/** A duration as queries write it, such as `1.5s` or `1m30s`. */
export const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;

const SPACE = /[ \t\r\n]+/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const UNITS = /(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+(?![\w.])/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const QUOTED = /"(?:[^"\\\n]|\\.)*"/y;
const RAW = /`[^`]*`/y;

/** Splits a query into tokens; the last one is the end. Throws `TraceqlError`. */
export function tokenize(text: string): readonly Token[] {
  if (text.length > TEXT_MAX) {
    throw new TraceqlError(`${text.length} characters, the most is ${TEXT_MAX}`, text, 0);
  }
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at <= text.length) {
    const space = match(SPACE);
    at += space?.length ?? 0;
    const rest = { position: at, isSpaced: space !== undefined };
    if (at === text.length) {
      tokens.push({ kind: 'end', text: '', number: 0, ...rest });
      return tokens;
    }
    if (tokens.length >= TOKENS_MAX) {
      throw new TraceqlError(`more than ${TOKENS_MAX} parts`, text, at);
    }
    const { size, ...token } = tokenAt(text, at, match);
    tokens.push({ ...token, ...rest });
    at += size;
  }
  return tokens;
}

function tokenAt(
  text: string,
  at: number,
  match: (pattern: RegExp) => string | undefined,
): Pick<Token, 'kind' | 'text' | 'number'> & { readonly size: number } {
  const units = match(UNITS);
  if (units !== undefined) {
    return { kind: 'duration', text: units, number: durationNs(units), size: units.length };
  }
  const isAttribute = text[at] === '.' && !/\d/.test(text[at + 1] ?? '');
  const number = isAttribute ? undefined : match(NUMBER);
  if (number !== undefined) {
    return { kind: 'number', text: number, number: Number(number), size: number.length };
  }
  const word = match(WORD);
  if (word !== undefined) return { kind: 'word', text: word, number: 0, size: word.length };
  const raw = match(RAW);
  if (raw !== undefined) {
    return { kind: 'string', text: raw.slice(1, -1), number: 0, size: raw.length };
  }
  const quoted = match(QUOTED);
  if (quoted !== undefined) {
    return { kind: 'string', text: unescaped(quoted, text, at), number: 0, size: quoted.length };
  }
  const symbol = SYMBOLS.find((one) => text.startsWith(one, at));
  if (symbol !== undefined) return { kind: 'symbol', text: symbol, number: 0, size: symbol.length };
  const isOpen = text[at] === '"' || text[at] === '`';
  throw new TraceqlError(
    isOpen ? 'a string without an end' : `unexpected character ${JSON.stringify(text[at])}`,
    text,
    at,
  );
}

/** Of a text that `DURATION` matches. */
export function durationNs(text: string): number {
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(count) * (DURATION_NS[unit ?? ''] ?? 0);
  }
  return sum;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unescaped(quoted: string, text: string, at: number): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, escaped: string, offset: number) => {
      if (escaped.length === 5) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
      const meant = ESCAPES[escaped] ?? ('"\\\'/`'.includes(escaped) ? escaped : undefined);
      // A regular expression in double quotes: `\d` stays what it is.
      if (meant === undefined && !/[\w.\-+*?()[\]{}|^$]/.test(escaped)) {
        throw new TraceqlError(`unknown escape \\${escaped}`, text, at + offset + 1);
      }
      return meant ?? `\\${escaped}`;
    });
}
