import type { ArithmeticOperator, ComparisonOperator, Field, Value } from './syntax.ts';
import {
  attributeValue,
  intrinsicValue,
  listedAttribute,
  listedIntrinsic,
  type SpanView,
  type TraceView,
} from './trace-view.ts';

/**
 * The value of an expression at a span. What a span does not have makes a comparison false, except
 * with `nil`; an attribute that is compared with a number or a truth value is read as one. Of events
 * and links, one that fits is enough, and `!=` and `!~` ask that none be equal.
 */
export function evaluateField(field: Field, span: SpanView, view: TraceView): Value {
  switch (field.kind) {
    case 'literal':
      return field.value;
    case 'intrinsic': {
      const at = field.ofParent ? view.spans[span.parent] : span;
      return at && intrinsicValue(view, at, field.intrinsic);
    }
    case 'attribute': {
      const at = field.ofParent ? view.spans[span.parent] : span;
      return at && attributeValue(at, field.scope, field.name);
    }
    case 'match': {
      const values = valuesOf(field.value, span, view);
      const isFound = values.some((value) => field.matches(String(value)));
      return field.isNegated ? values.length > 0 && !isFound : isFound;
    }
    case 'compare':
      return compareFields(field, span, view);
    case 'logical': {
      const left = isTrue(evaluateField(field.left, span, view));
      if (field.operator === '&&' ? !left : left) return left;
      return isTrue(evaluateField(field.right, span, view));
    }
    case 'not':
      return !isTrue(evaluateField(field.value, span, view));
    case 'negative':
    case 'arithmetic': {
      const isNegative = field.kind === 'negative';
      const left = isNegative ? 0 : numberOf(evaluateField(field.left, span, view));
      const right = numberOf(evaluateField(isNegative ? field.value : field.right, span, view));
      if (left === undefined || right === undefined) return undefined;
      return calculate(isNegative ? '-' : field.operator, left, right);
    }
  }
}

/** All values that an expression has at a span: none, one, or of each event or link one. */
function valuesOf(field: Field, span: SpanView, view: TraceView): readonly Value[] {
  const listed = listedValues(field, span, view);
  if (listed !== undefined) return listed;
  const value = evaluateField(field, span, view);
  return value === undefined ? [] : [value];
}

function listedValues(field: Field, span: SpanView, view: TraceView): readonly Value[] | undefined {
  if (field.kind !== 'intrinsic' && field.kind !== 'attribute') return undefined;
  const at = field.ofParent ? view.spans[span.parent] : span;
  if (at === undefined) return [];
  return field.kind === 'intrinsic'
    ? listedIntrinsic(at.span, field.intrinsic)
    : listedAttribute(at.span, field.scope, field.name);
}

function compareFields(
  { left, right, operator }: Extract<Field, { kind: 'compare' }>,
  span: SpanView,
  view: TraceView,
): boolean {
  const lefts = valuesOf(left, span, view);
  const rights = valuesOf(right, span, view);
  if (isNil(left) || isNil(right)) {
    const isMissing = lefts.length === 0 && rights.length === 0;
    return operator === '=' ? isMissing : !isMissing;
  }
  const holds = (a: Value): boolean =>
    operator === '!='
      ? rights.every((b) => compare(operator, a, b))
      : rights.some((b) => compare(operator, a, b));
  if (lefts.length === 0 || rights.length === 0) return false;
  return operator === '!=' ? lefts.every(holds) : lefts.some(holds);
}

function isNil(field: Field): boolean {
  return field.kind === 'literal' && field.type === 'nil';
}

function isTrue(value: Value): boolean {
  return value === true || value === 'true';
}

function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

export function compare(operator: ComparisonOperator, left: Value, right: Value): boolean {
  if (left === undefined || right === undefined) return false;
  if (typeof left === 'number' || typeof right === 'number') {
    const [a, b] = [numberOf(left), numberOf(right)];
    return a !== undefined && b !== undefined && order(operator, a - b);
  }
  if (typeof left === 'boolean' || typeof right === 'boolean') {
    const isSame = isTrue(left) === isTrue(right);
    return operator === '=' ? isSame : operator === '!=' && !isSame;
  }
  return order(operator, left < right ? -1 : left > right ? 1 : 0);
}

function order(operator: ComparisonOperator, difference: number): boolean {
  switch (operator) {
    case '=':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
  }
}

export function calculate(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return left ** right;
  }
}
