import type { At, Expression, MatrixSelector, Subquery } from './ast.ts';
import { parseDuration, parseNumber } from './numbers.ts';
import { ParseFault } from './parse-error.ts';
import { isWord, rangeOf, type TokenCursor, unexpected } from './token-cursor.ts';

/** What the parts of the parser share. */
export interface ParserState {
  readonly cursor: TokenCursor;
  readonly isExperimental: boolean;
  /** An expression of operators that bind at least as tightly as `precedence`. */
  expression(precedence?: number): Expression;
}

/** Milliseconds since the epoch that Go's int64 arithmetic survives. */
const AT_MS_MAX = Number.MAX_SAFE_INTEGER;
const DURATION_EXPRESSION = 'duration expressions are experimental and not supported';

/** Ranges, subqueries, `offset` and `@` after an expression. */
export function parsePostfix(state: ParserState, expression: Expression): Expression {
  const { cursor } = state;
  let result = expression;
  while (true) {
    const token = cursor.peek();
    if (isWord(token, '[')) result = parseBrackets(state, result);
    else if (isWord(token, 'offset')) result = parseOffset(state, result);
    else if (isWord(token, '@')) result = parseAt(state, result);
    else if (isWord(token, 'anchored') || isWord(token, 'smoothed')) {
      throw new ParseFault(
        token,
        `${token.text} selectors are experimental and not supported`,
        true,
      );
    } else return result;
  }
}

function parseBrackets(state: ParserState, inner: Expression): Expression {
  const { cursor } = state;
  cursor.next();
  const rangeMs = positiveDuration(state, 'subquery or range selector', 'duration');
  const isSubquery = cursor.accept(':') !== undefined;
  if (isSubquery) {
    const stepMs = isWord(cursor.peek(), ']')
      ? 0
      : positiveDuration(state, 'subquery selector', 'duration or "]"');
    const { end } = cursor.expect(']', 'subquery selector', '"]"');
    const range = { start: inner.range.start, end };
    const subquery: Subquery = {
      kind: 'subquery',
      expression: inner,
      rangeMs,
      stepMs,
      offsetMs: 0,
      range,
    };
    return subquery;
  }
  if (!isWord(cursor.peek(), ']')) {
    throw unexpectedInDuration(state, 'subquery or range', '":" or "]"');
  }
  const { end } = cursor.next();
  const range = { start: inner.range.start, end };
  if (inner.kind !== 'vector-selector') {
    throw new ParseFault(range, 'ranges only allowed for vector selectors');
  }
  if (inner.offsetMs !== 0) {
    throw new ParseFault(range, 'no offset modifiers allowed before range');
  }
  if (inner.at !== undefined) throw new ParseFault(range, 'no @ modifiers allowed before range');
  const matrix: MatrixSelector = { kind: 'matrix-selector', selector: inner, rangeMs, range };
  return matrix;
}

const unexpectedInDuration = (
  { cursor }: ParserState,
  context: string,
  expected: string,
): ParseFault => {
  const token = cursor.peek();
  return token.kind === 'operator' || token.kind === 'keyword' || isWord(token, '(')
    ? new ParseFault(rangeOf(token), DURATION_EXPRESSION, true)
    : unexpected(token, context, expected);
};

function positiveDuration(state: ParserState, context: string, expected: string): number {
  const { cursor } = state;
  const token = cursor.peek();
  if (token.kind !== 'duration' && token.kind !== 'number') {
    throw unexpectedInDuration(state, context, expected);
  }
  const ms = durationMs(state);
  if (ms <= 0) throw new ParseFault(rangeOf(token), 'duration must be greater than 0');
  return ms;
}

/** A duration literal, or a number of seconds. */
function durationMs({ cursor }: ParserState): number {
  const token = cursor.next();
  if (token.kind === 'duration') {
    const ms = parseDuration(token.text);
    if (typeof ms !== 'number') throw new ParseFault(rangeOf(token), ms.reason);
    return ms;
  }
  const seconds = parseNumber(token.text) ?? Number.NaN;
  const ms = Math.round(seconds * 1000);
  if (!Number.isFinite(ms) || Math.abs(ms) > 9_223_372_036_854) {
    throw new ParseFault(rangeOf(token), 'duration out of range');
  }
  return ms;
}

function parseOffset(state: ParserState, inner: Expression): Expression {
  const { cursor } = state;
  cursor.next();
  const sign = cursor.accept('-') ?? cursor.accept('+');
  const token = cursor.peek();
  if (token.kind !== 'duration' && token.kind !== 'number') {
    throw unexpectedInDuration(state, 'offset', 'number or duration');
  }
  const magnitude = durationMs(state);
  const offsetMs = sign?.text === '-' ? -magnitude : magnitude;
  return placed(inner, 'offset', (node) => {
    if (node.offsetMs !== 0) {
      throw new ParseFault(node.range, 'offset may not be set multiple times');
    }
    return { ...node, offsetMs, range: { ...node.range, end: cursor.lastEnd } };
  });
}

function parseAt(state: ParserState, inner: Expression): Expression {
  const { cursor } = state;
  cursor.next();
  const at = atTime(state);
  return placed(inner, '@', (node) => {
    if (node.at !== undefined) {
      throw new ParseFault(node.range, '@ <timestamp> may not be set multiple times');
    }
    return { ...node, at, range: { ...node.range, end: cursor.lastEnd } };
  });
}

function atTime(state: ParserState): At {
  const { cursor } = state;
  const edge = cursor.accept('start') ?? cursor.accept('end');
  if (edge !== undefined) {
    cursor.expect('(', '@', 'timestamp');
    cursor.expect(')', '@', 'timestamp');
    return { kind: edge.text === 'start' ? 'start' : 'end' };
  }
  const { start } = cursor.peek();
  const seconds = signedNumber(state, (text) => parseNumber(text));
  const timeMs = Math.round(seconds * 1000);
  if (!Number.isFinite(timeMs) || Math.abs(timeMs) >= AT_MS_MAX) {
    const text = Number.isFinite(seconds) ? seconds.toFixed(6) : goInfinity(seconds);
    const range = { start, end: cursor.lastEnd };
    throw new ParseFault(range, `timestamp out of bounds for @ modifier: ${text}`);
  }
  return { kind: 'time', timeMs };
}

const goInfinity = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';

export function signedNumber(
  { cursor }: ParserState,
  parse: (text: string) => number | undefined,
): number {
  const sign = cursor.accept('-') ?? cursor.accept('+');
  const token = cursor.peek();
  if (token.kind !== 'number' && token.kind !== 'duration') {
    throw unexpected(token, '@', 'timestamp');
  }
  cursor.next();
  const duration = token.kind === 'duration' ? parseDuration(token.text) : undefined;
  const value = typeof duration === 'number' ? duration / 1000 : (parse(token.text) ?? Number.NaN);
  return sign?.text === '-' ? -value : value;
}

type Placeable = Extract<Expression, { readonly kind: 'vector-selector' | 'subquery' }>;

/** Sets `offset` or `@` on what can hold it: a selector, its range, or a subquery. */
function placed(
  inner: Expression,
  modifier: string,
  set: <N extends Placeable>(node: N) => N,
): Expression {
  switch (inner.kind) {
    case 'vector-selector':
    case 'subquery':
      return set(inner);
    case 'matrix-selector': {
      const selector = set(inner.selector);
      return { ...inner, selector, range: { ...inner.range, end: selector.range.end } };
    }
    default: {
      const before = 'an instant vector selector or range vector selector or a subquery';
      const name = modifier === '@' ? '@ modifier' : 'offset modifier';
      throw new ParseFault(inner.range, `${name} must be preceded by ${before}`);
    }
  }
}
