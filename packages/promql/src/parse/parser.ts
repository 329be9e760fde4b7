import type {
  Binary,
  BinaryOperator,
  Cardinality,
  Expression,
  Unary,
  VectorMatching,
} from './ast.ts';
import { checkTypes } from './check-types.ts';
import { parseNumber } from './numbers.ts';
import { ParseFault } from './parse-error.ts';
import { type ParserState, parsePostfix, signedNumber } from './postfix.ts';
import { parseLabelList, parsePrimary } from './primary.ts';
import { isWord, openCursor, unexpected } from './token-cursor.ts';

/** Nested parentheses, calls, signs and powers. */
const NESTING_MAX = 200;

const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '</': 3,
  '>/': 3,
  '>': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};
const POWER = 6;

export interface ParseSwitches {
  /** Accepts experimental functions and aggregations. */
  readonly isExperimental: boolean;
}

/** Parses and checks a whole query; throws `ParseFault`. */
export function parseExpression(text: string, switches: ParseSwitches): Expression {
  const cursor = openCursor(text);
  let nesting = 0;
  const state: ParserState = {
    cursor,
    isExperimental: switches.isExperimental,
    expression(precedence = 0) {
      if (++nesting > NESTING_MAX) {
        const { start, end } = cursor.peek();
        throw new ParseFault({ start, end }, `expression nests deeper than ${NESTING_MAX} levels`);
      }
      const parsed = parseBinary(state, precedence);
      nesting--;
      return parsed;
    },
  };
  if (cursor.peek().kind === 'end') {
    throw new ParseFault({ start: text.length, end: text.length }, 'no expression found in input');
  }
  const expression = state.expression();
  if (cursor.peek().kind !== 'end') throw unexpected(cursor.peek());
  return checkTypes(expression);
}

function parseBinary(state: ParserState, precedenceMin: number): Expression {
  const { cursor } = state;
  let left = parseUnary(state);
  while (true) {
    const token = cursor.peek();
    const precedence = token.kind === 'operator' ? (PRECEDENCE[token.text] ?? 0) : 0;
    if (precedence === 0 || precedence < precedenceMin) return left;
    cursor.next();
    const modifiers = parseModifiers(state);
    // `^` alone groups to the right.
    const right = state.expression(token.text === '^' ? precedence : precedence + 1);
    const binary: Binary = {
      kind: 'binary',
      // The table of precedences has no other keys.
      operator: token.text as BinaryOperator,
      left,
      right,
      ...modifiers,
      range: { start: left.range.start, end: right.range.end },
    };
    left = binary;
  }
}

function parseUnary(state: ParserState): Expression {
  const { cursor } = state;
  const token = cursor.peek();
  if (!isWord(token, '-') && !isWord(token, '+')) {
    return parsePostfix(state, parsePrimary(state));
  }
  cursor.next();
  const inner = state.expression(POWER);
  const range = { start: token.start, end: inner.range.end };
  if (inner.kind === 'number') {
    return { ...inner, value: token.text === '-' ? -inner.value : inner.value, range };
  }
  const unary: Unary = {
    kind: 'unary',
    operator: token.text === '-' ? '-' : '+',
    expression: inner,
    range,
  };
  return unary;
}

function parseModifiers(state: ParserState): { isBool: boolean; matching: VectorMatching } {
  const { cursor } = state;
  const isBool = cursor.accept('bool') !== undefined;
  let matching: VectorMatching = {
    cardinality: 'one-to-one',
    isOn: false,
    labels: [],
    include: [],
  };
  const on = cursor.accept('on') ?? cursor.accept('ignoring');
  if (on !== undefined) {
    matching = { ...matching, isOn: on.text === 'on', labels: parseLabelList(state) };
    const group = cursor.accept('group_left') ?? cursor.accept('group_right');
    if (group !== undefined) {
      const cardinality: Cardinality = group.text === 'group_left' ? 'many-to-one' : 'one-to-many';
      const include = isWord(cursor.peek(), '(') ? parseLabelList(state) : [];
      matching = { ...matching, cardinality, include };
    }
  }
  return { isBool, matching: parseFill(state, matching) };
}

function parseFill(state: ParserState, matching: VectorMatching): VectorMatching {
  const { cursor } = state;
  const token = cursor.peek();
  if (!token.text.startsWith('fill') || token.kind !== 'keyword') return matching;
  if (!isWord(cursor.peek(1), '(')) return matching;
  if (!state.isExperimental) {
    throw new ParseFault(token, `binop fill modifiers are experimental and not enabled`, true);
  }
  cursor.next();
  cursor.expect('(', 'fill modifier', '"("');
  const value = signedNumber(state, parseNumber);
  cursor.expect(')', 'fill modifier', '")"');
  const filled = {
    ...matching,
    ...(token.text === 'fill_right' ? {} : { fillLeft: value }),
    ...(token.text === 'fill_left' ? {} : { fillRight: value }),
  };
  return token.text === 'fill' ? filled : parseFill(state, filled);
}
