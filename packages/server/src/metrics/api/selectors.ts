import type { Expression, Matcher } from '@thalweg/promql';

/** The matchers of every selector in an expression, from left to right. */
export function selectorsOf(expression: Expression): (readonly Matcher[])[] {
  switch (expression.kind) {
    case 'number':
    case 'string':
      return [];
    case 'vector-selector':
      return [expression.matchers];
    case 'matrix-selector':
      return [expression.selector.matchers];
    case 'call':
      return expression.args.flatMap(selectorsOf);
    case 'binary':
      return [...selectorsOf(expression.left), ...selectorsOf(expression.right)];
    case 'aggregation':
      return [
        ...selectorsOf(expression.expression),
        ...(expression.parameter === undefined ? [] : selectorsOf(expression.parameter)),
      ];
    case 'subquery':
    case 'unary':
    case 'parentheses':
      return selectorsOf(expression.expression);
  }
}
