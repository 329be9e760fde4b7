/** A mistake in a user's SQL: what, where (offset into the text) and how to mend it. */
export class SqlError extends Error {
  readonly position: number;
  readonly fix: string;
  constructor(message: string, position: number, fix = 'see the position') {
    super(message);
    this.name = 'SqlError';
    this.position = position;
    this.fix = fix;
  }
}

/** `name` is a bare word or one in backticks (`isQuoted`); `text` of a string is its content. */
export interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly isQuoted: boolean;
  readonly position: number;
}

export const SQL_BYTES_MAX = 64 * 1024;

const SPACE = /\s+/y;
/** A table may end in its precision: `application.1m`. */
const NAME = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*(?:\.1[sm]\b)?/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?/y;
const SYMBOL = /<=|>=|!=|<>|[=<>+\-*/%(),]/y;
const BACKTICKS = /`([^`\\]+)`/y;
const STRING = /'((?:[^'\\]|\\[\s\S]|'')*)'/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

/**
 * SQL text to tokens, the last one of kind `end`. What the dialect does not know (`;`, comments,
 * double quotes, `{}`) throws `SqlError` here, before any parser sees it.
 */
export function tokenize(sql: string): Token[] {
  if (sql.length > SQL_BYTES_MAX) {
    throw new SqlError(
      `the statement has ${sql.length} characters, the most is ${SQL_BYTES_MAX}`,
      SQL_BYTES_MAX,
      'shorten the statement',
    );
  }
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(sql);
  };
  while (at < sql.length) {
    const space = take(SPACE);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const { token, size } = nextToken(take, sql, at);
    tokens.push(token);
    at += size;
  }
  tokens.push({ kind: 'end', text: '', isQuoted: false, position: sql.length });
  return tokens;
}

function nextToken(
  take: (pattern: RegExp) => RegExpExecArray | null,
  sql: string,
  position: number,
): { token: Token; size: number } {
  if (sql.startsWith('--', position) || sql.startsWith('/*', position)) {
    throw new SqlError('comments are not part of the dialect', position, 'remove the comment');
  }
  const kinds = [
    ['name', NAME],
    ['number', NUMBER],
    ['symbol', SYMBOL],
  ] as const;
  for (const [kind, pattern] of kinds) {
    const match = take(pattern);
    if (match !== null) {
      return { token: { kind, text: match[0], isQuoted: false, position }, size: match[0].length };
    }
  }
  const quoted = take(BACKTICKS);
  if (quoted !== null) {
    const text = quoted[1] ?? '';
    return { token: { kind: 'name', text, isQuoted: true, position }, size: quoted[0].length };
  }
  const string = take(STRING);
  if (string !== null) {
    const text = unescapeText(string[1] ?? '');
    return { token: { kind: 'string', text, isQuoted: true, position }, size: string[0].length };
  }
  throw unreadable(sql, position);
}

function unescapeText(text: string): string {
  return text.replace(/\\([\s\S])|''/g, (_, escaped: string | undefined) =>
    escaped === undefined ? "'" : (ESCAPES[escaped] ?? escaped),
  );
}

function unreadable(sql: string, position: number): SqlError {
  const character = String.fromCodePoint(sql.codePointAt(position) ?? 0);
  if (character === "'" || character === '`') {
    return new SqlError(`${character} is not closed`, position, `close it with ${character}`);
  }
  if (character === ';') {
    return new SqlError('one statement at a time: ; is not allowed', position, 'remove the ;');
  }
  const fix = character === '"' ? "quote strings with ' and names with `" : 'remove it';
  return new SqlError(`unexpected character ${character}`, position, fix);
}
