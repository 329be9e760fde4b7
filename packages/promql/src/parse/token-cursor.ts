import type { PositionRange } from './ast.ts';
import { readTokens } from './lexer.ts';
import { ParseFault } from './parse-error.ts';
import { quote } from './quoting.ts';
import type { Token } from './tokens.ts';

/** Walks the tokens of a query with one or more tokens of look-ahead, read only when asked for. */
export interface TokenCursor {
  /** `ahead` 0 is the token that `next` answers. */
  peek(ahead?: number): Token;
  next(): Token;
  /** Takes the next token if it is this punctuation, operator, keyword or aggregator. */
  accept(text: string): Token | undefined;
  expect(text: string, context: string, expected: string): Token;
  /** The end of the token taken last. */
  readonly lastEnd: number;
}

export function openCursor(text: string): TokenCursor {
  const tokens = readTokens(text);
  const ahead: Token[] = [];
  let lastEnd = 0;
  const end: Token = { kind: 'end', text: '', raw: '', start: text.length, end: text.length };

  const fill = (count: number): Token => {
    while (ahead.length <= count) {
      const read = tokens.next();
      ahead.push(read.done === true ? end : read.value);
    }
    return ahead[count] ?? end;
  };
  const cursor: TokenCursor = {
    peek: (count = 0) => fill(count),
    next() {
      const token = fill(0);
      ahead.shift();
      lastEnd = token.end;
      return token;
    },
    accept: (wanted) => (isWord(fill(0), wanted) ? cursor.next() : undefined),
    expect(wanted, context, expected) {
      const token = cursor.accept(wanted);
      if (token === undefined) throw unexpected(fill(0), context, expected);
      return token;
    },
    get lastEnd() {
      return lastEnd;
    },
  };
  return cursor;
}

export const isWord = (token: Token, text: string): boolean =>
  token.text === text &&
  (token.kind === 'punctuation' ||
    token.kind === 'operator' ||
    token.kind === 'keyword' ||
    token.kind === 'aggregator');

export function unexpected(token: Token, context = '', expected = ''): ParseFault {
  const where = context === '' ? '' : ` in ${context}`;
  const wanted = expected === '' ? '' : `, expected ${expected}`;
  return new ParseFault(rangeOf(token), `unexpected ${describe(token)}${where}${wanted}`);
}

export const rangeOf = ({ start, end }: PositionRange): PositionRange => ({ start, end });

/** As Prometheus names a token in its messages. */
function describe({ kind, text, raw }: Token): string {
  switch (kind) {
    case 'end':
      return 'end of input';
    case 'keyword':
      return `<${raw}>`;
    case 'operator':
      return `<op:${raw}>`;
    case 'aggregator':
      return `<aggr:${raw}>`;
    case 'identifier':
      return `identifier ${quote(text)}`;
    case 'metric-identifier':
      return `metric identifier ${quote(text)}`;
    case 'punctuation':
      return quote(text);
    case 'string':
    case 'number':
    case 'duration':
      return `${kind} ${text.length > 10 ? `${quote(text.slice(0, 10))}...` : quote(text)}`;
  }
}
