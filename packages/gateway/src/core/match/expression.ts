import { type IpRanges, parseIpRanges } from './ip-range.ts';
import { compilePattern } from './pattern.ts';

/** What an expression reads: variables as text, some as lists. */
export type ReadVariable = (name: string) => string | readonly string[] | undefined;

/** A compiled `vars`, or what is wrong with it. */
export type CompiledExpression =
  | { readonly kind: 'expression'; holds(read: ReadVariable): boolean }
  | { readonly kind: 'invalid'; readonly reason: string };

type Test = (read: ReadVariable) => boolean;
type NameTest = (name: string) => boolean;
type Value = ReturnType<ReadVariable>;

/** Lists within lists; deeper is taken for an attack on the stack. */
const DEPTH_MAX = 32;

/**
 * Compiles conditions `[var, op, value]`, joined by AND unless a list begins with another joiner.
 * `isName` judges the names of variables. Source: lua-resty-expr's documented
 * language; its regular expressions are RE2's here.
 */
export function compileExpression(
  rule: unknown,
  isName: (name: string) => boolean = () => true,
): CompiledExpression {
  try {
    const holds = compileRule(rule, 0, isName);
    return { kind: 'expression', holds };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { kind: 'invalid', reason: error.message };
  }
}

class ExpressionError extends Error {}

const JOINERS: Readonly<Record<string, (tests: readonly Test[]) => Test>> = {
  AND: (tests) => (read) => tests.every((test) => test(read)),
  OR: (tests) => (read) => tests.some((test) => test(read)),
  '!AND': (tests) => (read) => !tests.every((test) => test(read)),
  '!OR': (tests) => (read) => !tests.some((test) => test(read)),
};

function compileRule(rule: unknown, depth: number, isName: NameTest): Test {
  if (!Array.isArray(rule)) throw new ExpressionError('rule should be a table');
  if (depth > DEPTH_MAX) throw new ExpressionError('rule is nested too deeply');
  if (rule.length === 0) return () => true;
  const [first, ...rest] = rule as readonly unknown[];
  if (typeof first === 'string') {
    const join = Object.hasOwn(JOINERS, first.toUpperCase())
      ? JOINERS[first.toUpperCase()]
      : undefined;
    if (join === undefined) throw new ExpressionError('rule should be wrapped inside brackets');
    if (rest.length < 2) throw new ExpressionError('rule too short');
    return join(rest.map((one) => compileTerm(one, depth + 1, isName)));
  }
  const tests = rule.map((one) => compileTerm(one, depth + 1, isName));
  return JOINERS['AND']?.(tests) ?? (() => true);
}

function compileTerm(term: unknown, depth: number, isName: NameTest): Test {
  if (isEmptyTable(term)) throw new ExpressionError('rule too short');
  if (!Array.isArray(term)) throw new ExpressionError('invalid expression');
  const [first] = term as readonly unknown[];
  const isJoined = typeof first === 'string' && Object.hasOwn(JOINERS, first.toUpperCase());
  if (Array.isArray(first) || isJoined) return compileRule(term, depth, isName);
  return compileCondition(term, isName);
}

/** `{}` and `[]` are one and the same to APISIX. */
function isEmptyTable(term: unknown): boolean {
  return typeof term === 'object' && term !== null && Object.keys(term).length === 0;
}

function compileCondition(condition: readonly unknown[], isName: NameTest): Test {
  const [name, second, third, fourth] = condition;
  if (typeof name !== 'string' || !isName(name)) throw new ExpressionError('invalid expression');
  if (condition.length < 2) throw new ExpressionError('rule too short');
  if (condition.length === 2) return compileOperator(name, '==', second);
  if (second === '!') {
    if (condition.length !== 4) throw new ExpressionError("bad 'not' expression");
    const test = compileOperator(name, third, fourth);
    return (read) => !test(read);
  }
  if (condition.length > 3) throw new ExpressionError("bad 'not' expression");
  return compileOperator(name, second, third);
}

type Operator = (value: Value) => boolean;

function compileOperator(name: string, operator: unknown, operand: unknown): Test {
  const key = typeof operator === 'string' ? operator.toLowerCase() : '';
  const make = Object.hasOwn(OPERATORS, key) ? OPERATORS[key] : undefined;
  if (make === undefined) throw new ExpressionError(`invalid operator '${String(operator)}'`);
  const holds = make(operand);
  return (read) => holds(read(name));
}

const OPERATORS: Readonly<Record<string, (operand: unknown) => Operator>> = {
  '==': equals,
  '~=': (operand) => not(equals(operand)),
  '>': (operand) => compared(operand, (a, b) => a > b),
  '>=': (operand) => compared(operand, (a, b) => a >= b),
  '<': (operand) => compared(operand, (a, b) => a < b),
  '<=': (operand) => compared(operand, (a, b) => a <= b),
  '~~': (operand) => searched(operand, ''),
  '~*': (operand) => searched(operand, 'i'),
  in: within,
  has: (operand) => (value) => Array.isArray(value) && value.includes(operand),
  ipmatch: ipMatched,
};

function not(holds: Operator): Operator {
  return (value) => !holds(value);
}

function equals(operand: unknown): Operator {
  if (typeof operand === 'number') return (value) => asNumber(value) === operand;
  if (operand === null) return (value) => value === undefined;
  return (value) => value === operand;
}

function compared(operand: unknown, holds: (a: number, b: number) => boolean): Operator {
  const limit = Number(operand);
  return (value) => {
    const number = asNumber(value);
    return number !== undefined && !Number.isNaN(limit) && holds(number, limit);
  };
}

function asNumber(value: Value): number | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function searched(operand: unknown, flags: string): Operator {
  const pattern = compilePattern(String(operand), flags);
  if (pattern.kind === 'invalid') throw new ExpressionError(pattern.reason);
  return (value) => typeof value === 'string' && pattern.test(value);
}

function within(operand: unknown): Operator {
  if (!Array.isArray(operand)) return () => false;
  const tests = operand.map((one) => equals(one));
  return (value) => tests.some((holds) => holds(value));
}

function ipMatched(operand: unknown): Operator {
  const list = (Array.isArray(operand) ? operand : [operand]).map(String);
  const ranges: IpRanges | undefined = parseIpRanges(list);
  if (ranges === undefined) throw new ExpressionError('invalid ip address');
  return (value) => typeof value === 'string' && ranges.has(value);
}
