import type { At, Expression, MatrixSelector, Subquery } from './ast.ts';
import {
  type DurationExpression,
  durationSeconds,
  parseDurationExpression,
  parseDurationOperand,
} from './duration-expression.ts';
import { parseDuration, parseNumber } from './numbers.ts';
import { ParseFault } from './parse-error.ts';
import { isWord, type TokenCursor, unexpected } from './token-cursor.ts';

/** What the parts of the parser share. */
export interface ParserState {
  readonly cursor: TokenCursor;
  readonly isExperimental: boolean;
  /** An expression of operators that bind at least as tightly as `precedence`. */
  expression(precedence?: number): Expression;
}

/** Milliseconds since the epoch that Go's int64 arithmetic survives. */
const AT_MS_MAX = Number.MAX_SAFE_INTEGER;
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
      result = parseExtension(state, result);
    } else return result;
  }
}

function parseBrackets(state: ParserState, inner: Expression): Expression {
  const { cursor } = state;
  cursor.next();
  const range = positiveDuration(state, 'subquery or range selector', 'duration');
  if (cursor.accept(':') !== undefined) {
    const step = isWord(cursor.peek(), ']')
      ? { ms: 0, written: undefined }
      : positiveDuration(state, 'subquery selector', 'duration or "]"');
    const { end } = cursor.expect(']', 'subquery selector', '"]"');
    const subquery: Subquery = {
      kind: 'subquery',
      expression: inner,
      rangeMs: range.ms,
      stepMs: step.ms,
      offsetMs: 0,
      ...(range.written === undefined ? {} : { duration: range.written }),
      ...(step.written === undefined ? {} : { step: step.written }),
      range: { start: inner.range.start, end },
    };
    return subquery;
  }
  const { end } = cursor.expect(']', 'subquery or range', '":" or "]"');
  const at = { start: inner.range.start, end };
  if (inner.kind !== 'vector-selector') {
    throw new ParseFault(at, 'ranges only allowed for vector selectors');
  }
  if (hasOffset(inner)) throw new ParseFault(at, 'no offset modifiers allowed before range');
  if (inner.at !== undefined) throw new ParseFault(at, 'no @ modifiers allowed before range');
  const matrix: MatrixSelector = {
    kind: 'matrix-selector',
    selector: inner,
    rangeMs: range.ms,
    ...(range.written === undefined ? {} : { duration: range.written }),
    range: at,
  };
  return matrix;
}

const hasOffset = ({ offsetMs, offset }: Placeable): boolean =>
  offsetMs !== 0 || offset !== undefined;

/** Milliseconds, 0 while unknown, and what was written where that is more than a literal. */
interface ParsedDuration {
  readonly ms: number;
  readonly written: DurationExpression | undefined;
}

function positiveDuration(state: ParserState, context: string, expected: string): ParsedDuration {
  const { cursor } = state;
  const { start } = cursor.peek();
  const written = parseDurationExpression(state, { context, expected });
  const parsed = settled(state, written, start);
  if (parsed.written === undefined || durationSeconds(written) !== undefined) {
    if (parsed.ms <= 0) {
      throw new ParseFault({ start, end: cursor.lastEnd }, 'duration must be greater than 0');
    }
  }
  return parsed;
}

const DURATION_MS_MAX = 9_223_372_036_854;

function settled(state: ParserState, written: DurationExpression, start: number): ParsedDuration {
  const range = { start, end: state.cursor.lastEnd };
  const isLiteral = written.kind === 'seconds';
  if (!isLiteral && !state.isExperimental) {
    throw new ParseFault(range, 'experimental duration expression is not enabled', true);
  }
  const seconds = durationSeconds(written);
  if (seconds === undefined) return { ms: 0, written };
  const ms = Math.round(seconds * 1000);
  if (Number.isNaN(ms)) throw new ParseFault(range, 'division by zero');
  if (Math.abs(ms) > DURATION_MS_MAX) throw new ParseFault(range, 'duration out of range');
  return { ms, written: isLiteral ? undefined : written };
}

function parseOffset(state: ParserState, inner: Expression): Expression {
  const { cursor } = state;
  cursor.next();
  const { start } = cursor.peek();
  const sign = cursor.accept('-') ?? cursor.accept('+');
  const place = { context: 'offset', expected: 'number, duration, step(), or range()' };
  const operand = parseDurationOperand(state, place);
  const parsed = settled(state, operand, start);
  const isNegative = sign?.text === '-';
  const offsetMs = isNegative ? 0 - parsed.ms : parsed.ms;
  const written =
    parsed.written !== undefined && isNegative
      ? ({ kind: 'negative', of: parsed.written } as const)
      : parsed.written;
  return placed(inner, 'offset', (node) => {
    if (hasOffset(node)) {
      throw new ParseFault(node.range, 'offset may not be set multiple times');
    }
    const range = { ...node.range, end: cursor.lastEnd };
    return written === undefined
      ? { ...node, offsetMs, range }
      : { ...node, offsetMs, offset: written, range };
  });
}

const EXTENDABLE = 'instant vector selector or range vector selector';

function parseExtension(state: ParserState, inner: Expression): Expression {
  const { cursor } = state;
  const token = cursor.next();
  const extension = token.text === 'anchored' ? 'anchored' : 'smoothed';
  if (!state.isExperimental) {
    throw new ParseFault(token, `${extension} modifier is experimental and not enabled`, true);
  }
  if (inner.kind !== 'vector-selector' && inner.kind !== 'matrix-selector') {
    throw new ParseFault(inner.range, `${extension} modifier must be preceded by an ${EXTENDABLE}`);
  }
  const selector = inner.kind === 'vector-selector' ? inner : inner.selector;
  if (selector.extension !== undefined) {
    throw new ParseFault(inner.range, `${extension} modifier may not be set multiple times`);
  }
  const range = { ...inner.range, end: cursor.lastEnd };
  return inner.kind === 'vector-selector'
    ? { ...inner, extension, range }
    : { ...inner, selector: { ...selector, extension }, range };
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
