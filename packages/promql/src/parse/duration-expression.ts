// Experimental arithmetic in ranges, subquery steps and offsets: `[2 * step() + 5s]`.
import { formatDuration, formatFloat, parseDuration, parseNumber } from './numbers.ts';
import { ParseFault } from './parse-error.ts';
import type { ParserState } from './postfix.ts';
import { isWord, rangeOf, unexpected } from './token-cursor.ts';

export type DurationOperator = '+' | '-' | '*' | '/' | '%' | '^';

export type DurationExpression =
  | { readonly kind: 'seconds'; readonly value: number; readonly isDuration: boolean }
  | { readonly kind: 'step' | 'range' }
  | { readonly kind: 'negative' | 'group'; readonly of: DurationExpression }
  | {
      readonly kind: 'min' | 'max';
      readonly left: DurationExpression;
      readonly right: DurationExpression;
    }
  | {
      readonly kind: 'operation';
      readonly operator: DurationOperator;
      readonly left: DurationExpression;
      readonly right: DurationExpression;
    };

const PRECEDENCE: Readonly<Record<DurationOperator, number>> = {
  '+': 1,
  '-': 1,
  '*': 2,
  '/': 2,
  '%': 2,
  '^': 3,
};
const POWER = 3;
const NESTING_MAX = 50;
const EXTREMES: Readonly<Record<string, 'min' | 'max'>> = {
  min: 'min',
  min_of: 'min',
  max: 'max',
  max_of: 'max',
};

const isOperator = (text: string): text is DurationOperator => Object.hasOwn(PRECEDENCE, text);

interface Place {
  readonly context: string;
  readonly expected: string;
}

/** An expression of operators that bind at least as tightly as `precedenceMin`. */
export function parseDurationExpression(
  state: ParserState,
  place: Place,
  precedenceMin = 0,
  nesting = 0,
): DurationExpression {
  const { cursor } = state;
  let left = parseDurationOperand(state, place, nesting);
  while (true) {
    const token = cursor.peek();
    if (token.kind !== 'operator' || !isOperator(token.text)) return left;
    const precedence = PRECEDENCE[token.text];
    if (precedence < precedenceMin) return left;
    cursor.next();
    const next = token.text === '^' ? precedence : precedence + 1;
    const right = parseDurationExpression(state, place, next, nesting + 1);
    left = { kind: 'operation', operator: token.text, left, right };
  }
}

/** A literal, a signed operand, a group, or a function. */
export function parseDurationOperand(
  state: ParserState,
  place: Place,
  nesting = 0,
): DurationExpression {
  const { cursor } = state;
  const token = cursor.peek();
  if (nesting > NESTING_MAX) {
    throw new ParseFault(rangeOf(token), `duration nests deeper than ${NESTING_MAX} levels`);
  }
  if (token.kind === 'number' || token.kind === 'duration') {
    cursor.next();
    return literal(token);
  }
  if (isWord(token, '-') || isWord(token, '+')) {
    cursor.next();
    const of = parseDurationExpression(state, place, POWER, nesting + 1);
    return token.text === '-' ? { kind: 'negative', of } : of;
  }
  if (isWord(token, '(')) {
    cursor.next();
    const of = parseDurationExpression(state, place, 0, nesting + 1);
    cursor.expect(')', place.context, '")"');
    return { kind: 'group', of };
  }
  const extreme = EXTREMES[token.text];
  if (!isWord(cursor.peek(1), '(')) throw unexpected(token, place.context, place.expected);
  if (extreme !== undefined) {
    cursor.next();
    cursor.next();
    const left = parseDurationExpression(state, place, 0, nesting + 1);
    cursor.expect(',', place.context, '","');
    const right = parseDurationExpression(state, place, 0, nesting + 1);
    cursor.expect(')', place.context, '")"');
    return { kind: extreme, left, right };
  }
  if (token.text !== 'step' && token.text !== 'range') {
    throw unexpected(token, place.context, place.expected);
  }
  cursor.next();
  cursor.next();
  cursor.expect(')', place.context, '")"');
  return { kind: token.text };
}

function literal(token: { kind: string; text: string; start: number; end: number }) {
  const ms = token.kind === 'duration' ? parseDuration(token.text) : undefined;
  if (typeof ms === 'object') throw new ParseFault(rangeOf(token), ms.reason);
  const value = ms === undefined ? (parseNumber(token.text) ?? Number.NaN) : ms / 1000;
  return { kind: 'seconds', value, isDuration: ms !== undefined } as const;
}

/** What `step()` and `range()` stand for, in seconds; undefined while parsing. */
export interface DurationTimes {
  readonly step: number;
  readonly range: number;
}

/** Seconds; undefined where it hangs on the query's times and they are not given. */
export function durationSeconds(
  expression: DurationExpression,
  times?: DurationTimes,
): number | undefined {
  switch (expression.kind) {
    case 'seconds':
      return expression.value;
    case 'step':
    case 'range':
      return times?.[expression.kind];
    case 'group':
      return durationSeconds(expression.of, times);
    case 'negative': {
      const value = durationSeconds(expression.of, times);
      return value === undefined ? undefined : -value;
    }
    case 'min':
    case 'max':
    case 'operation': {
      const left = durationSeconds(expression.left, times);
      const right = durationSeconds(expression.right, times);
      if (left === undefined || right === undefined) return undefined;
      if (expression.kind === 'operation') return compute(expression.operator, left, right);
      return expression.kind === 'min' ? Math.min(left, right) : Math.max(left, right);
    }
  }
}

/** NaN where a divisor is zero: no duration. */
function compute(operator: DurationOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0 ? Number.NaN : left / right;
    case '%':
      return right === 0 ? Number.NaN : left % right;
    case '^':
      return left ** right;
  }
}

export function printDuration(expression: DurationExpression): string {
  switch (expression.kind) {
    case 'seconds':
      return expression.isDuration
        ? formatDuration(expression.value * 1000)
        : formatFloat(expression.value);
    case 'step':
    case 'range':
      return `${expression.kind}()`;
    case 'negative':
      return `-${printDuration(expression.of)}`;
    case 'group':
      return `(${printDuration(expression.of)})`;
    case 'min':
    case 'max':
      return `${expression.kind}(${printDuration(expression.left)}, ${printDuration(expression.right)})`;
    case 'operation': {
      const { operator, left, right } = expression;
      return `${printDuration(left)} ${operator} ${printDuration(right)}`;
    }
  }
}
