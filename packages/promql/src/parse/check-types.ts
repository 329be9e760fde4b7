import { regexFault } from '../match/anchored-regex.ts';
import { matchesEmpty } from '../match/label-matcher.ts';
import {
  type Binary,
  type Call,
  type Expression,
  type Extension,
  isComparison,
  isSetOperator,
  typeOf,
  type ValueType,
  type VectorSelector,
} from './ast.ts';
import { ParseFault } from './parse-error.ts';
import { quote } from './quoting.ts';

/** Left-leaning chains (`a + b + c …`) count too: what walks the tree recurses this deep. */
const DEPTH_MAX = 1_000;

const WORDS: Readonly<Record<ValueType, string>> = {
  none: 'none',
  scalar: 'scalar',
  string: 'string',
  vector: 'instant vector',
  matrix: 'range vector',
};

/**
 * The same tree with vector matching settled; throws `ParseFault` in Prometheus's words where types
 * do not fit. Source: behaviour of Prometheus's parser as its error messages document it.
 */
export function checkTypes(expression: Expression, depth = 0): Expression {
  if (depth > DEPTH_MAX) {
    throw new ParseFault(expression.range, `expression is deeper than ${DEPTH_MAX} operators`);
  }
  const check = (inner: Expression): Expression => checkTypes(inner, depth + 1);
  switch (expression.kind) {
    case 'number':
    case 'string':
      return expression;
    case 'vector-selector':
      checkSelector(expression);
      return expression;
    case 'matrix-selector':
      checkSelector(expression.selector);
      return expression;
    case 'parentheses':
      return { ...expression, expression: check(expression.expression) };
    case 'subquery': {
      const type = typeOf(expression.expression);
      if (type !== 'vector') {
        const message = `subquery is only allowed on instant vector, got ${type} instead`;
        throw new ParseFault(expression.range, message);
      }
      return { ...expression, expression: check(expression.expression) };
    }
    case 'unary': {
      const inner = check(expression.expression);
      const type = typeOf(inner);
      if (type !== 'scalar' && type !== 'vector') {
        const allowed = 'expressions of type scalar or instant vector';
        const message = `unary expression only allowed on ${allowed}, got ${quote(WORDS[type])}`;
        throw new ParseFault(expression.range, message);
      }
      return { ...expression, expression: inner };
    }
    case 'call':
      return checkCall(expression, check);
    case 'aggregation': {
      const inner = check(expression.expression);
      expectType(inner, 'vector', 'aggregation expression');
      if (expression.parameter === undefined) return { ...expression, expression: inner };
      const parameter = check(expression.parameter);
      const type = expression.operator === 'count_values' ? 'string' : 'scalar';
      expectType(parameter, type, 'aggregation parameter');
      return { ...expression, expression: inner, parameter };
    }
    case 'binary':
      return checkBinary(expression, check);
  }
}

function expectType(expression: Expression, wanted: ValueType, context: string): void {
  const type = typeOf(expression);
  if (type === wanted) return;
  const message = `expected type ${WORDS[wanted]} in ${context}, got ${WORDS[type]}`;
  throw new ParseFault(expression.range, message);
}

function checkSelector(selector: VectorSelector, mayBeEmpty = false): void {
  for (const { operator, value } of selector.matchers) {
    if (operator !== '=~' && operator !== '!~') continue;
    const reason = regexFault(value);
    if (reason !== undefined) throw new ParseFault(selector.range, reason);
  }
  if (selector.name !== '' || mayBeEmpty) return;
  if (selector.matchers.every(matchesEmpty)) {
    const message = 'vector selector must contain at least one non-empty matcher';
    throw new ParseFault(selector.range, message);
  }
}

function checkCall(call: Call, check: (inner: Expression) => Expression): Call {
  const { name, argTypes, variadic } = call.signature;
  const count = call.args.length;
  const leastCount = variadic === 0 ? argTypes.length : argTypes.length - 1;
  const mostCount = variadic < 0 ? Number.POSITIVE_INFINITY : leastCount + variadic;
  if (count < leastCount || count > mostCount) {
    const how = variadic === 0 ? '' : count < leastCount ? 'at least ' : 'at most ';
    const wanted = count < leastCount ? leastCount : mostCount;
    const message = `expected ${how}${wanted} argument(s) in call to ${quote(name)}, got ${count}`;
    throw new ParseFault(call.range, message);
  }
  const context = `call to function ${quote(name)}`;
  const args = call.args.map((arg, i) => {
    const isInfoSelector = name === 'info' && i === 1 && arg.kind === 'vector-selector';
    if (isInfoSelector) {
      if (arg.name !== '') {
        const message = 'expected label selectors only, got vector selector instead';
        throw new ParseFault(arg.range, message);
      }
      checkSelector(arg, true);
    }
    const checked = isInfoSelector ? arg : check(arg);
    expectType(checked, argTypes[Math.min(i, argTypes.length - 1)] ?? 'none', context);
    checkExtension(name, checked);
    return checked;
  });
  return { ...call, args };
}

const EXTENSION_USES: Readonly<Record<Extension, readonly string[]>> = {
  anchored: ['changes', 'delta', 'increase', 'rate', 'resets'],
  smoothed: ['delta', 'increase', 'rate'],
};

function checkExtension(name: string, arg: Expression): void {
  const extension = arg.kind === 'matrix-selector' ? arg.selector.extension : undefined;
  if (extension === undefined || EXTENSION_USES[extension].includes(name)) return;
  const uses = EXTENSION_USES[extension].join(', ');
  const message = `${extension} modifier can only be used with: ${uses} - not with ${name}`;
  throw new ParseFault(arg.range, message);
}

function checkBinary(binary: Binary, check: (inner: Expression) => Expression): Binary {
  const { operator, isBool } = binary;
  const left = check(binary.left);
  const right = check(binary.right);
  const [leftType, rightType] = [typeOf(left), typeOf(right)];
  const operatorRange = { start: left.range.end + 1, end: right.range.start };
  if (isBool && !isComparison(operator)) {
    const message = 'bool modifier can only be used on comparison operators';
    throw new ParseFault(operatorRange, message);
  }
  if (isComparison(operator) && !isBool && leftType === 'scalar' && rightType === 'scalar') {
    throw new ParseFault(operatorRange, 'comparisons between scalars must use BOOL modifier');
  }
  for (const [side, type] of [
    [left, leftType],
    [right, rightType],
  ] as const) {
    if (type !== 'scalar' && type !== 'vector') {
      const message = 'binary expression must contain only scalar and instant vector types';
      throw new ParseFault(side.range, message);
    }
  }
  const { matching, ...rest } = binary;
  const { labels = [], include = [], isOn = false, cardinality = 'one-to-one' } = matching ?? {};
  const both = isOn ? labels.find((label) => include.includes(label)) : undefined;
  if (both !== undefined) {
    const message = `label ${quote(both)} must not occur in ON and GROUP clause at once`;
    throw new ParseFault(operatorRange, message);
  }
  if (leftType === 'vector' && rightType === 'vector') {
    if (!isSetOperator(operator)) return { ...binary, left, right };
    if (cardinality !== 'one-to-one' && cardinality !== 'many-to-many') {
      throw new ParseFault(binary.range, `no grouping allowed for ${quote(operator)} operation`);
    }
    return {
      ...rest,
      left,
      right,
      matching: { cardinality: 'many-to-many', isOn, labels, include },
    };
  }
  if (labels.length > 0) {
    const message = 'vector matching only allowed between instant vectors';
    throw new ParseFault(binary.range, message);
  }
  if (isSetOperator(operator)) {
    const message = `set operator ${quote(operator)} not allowed in binary scalar expression`;
    throw new ParseFault(binary.range, message);
  }
  return { ...rest, left, right };
}
