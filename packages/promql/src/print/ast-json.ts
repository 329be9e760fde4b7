import type { At, Expression, Subquery, VectorMatching, VectorSelector } from '../parse/ast.ts';
import { formatFloat } from '../parse/numbers.ts';

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** The tree as Prometheus's `/api/v1/parse_query` answers it. */
export function toAstJson(expression: Expression): Json {
  switch (expression.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatFloat(expression.value) };
    case 'string':
      return { type: 'stringLiteral', val: expression.value };
    case 'vector-selector':
      return { type: 'vectorSelector', ...selectorFields(expression) };
    case 'matrix-selector': {
      const { selector, rangeMs } = expression;
      return { type: 'matrixSelector', ...selectorFields(selector), range: rangeMs };
    }
    case 'subquery':
      return {
        type: 'subquery',
        expr: toAstJson(expression.expression),
        range: expression.rangeMs,
        step: expression.stepMs,
        ...timeFields(expression),
      };
    case 'call': {
      const { name, argTypes, variadic, returns } = expression.signature;
      return {
        type: 'call',
        func: { name, argTypes: [...argTypes], variadic, returnType: returns },
        args: expression.args.map(toAstJson),
      };
    }
    case 'aggregation':
      return {
        type: 'aggregation',
        op: expression.operator,
        expr: toAstJson(expression.expression),
        param: expression.parameter === undefined ? null : toAstJson(expression.parameter),
        grouping: [...expression.grouping],
        without: expression.isWithout,
      };
    case 'binary':
      return {
        type: 'binaryExpr',
        op: expression.operator,
        lhs: toAstJson(expression.left),
        rhs: toAstJson(expression.right),
        matching: matchingJson(expression.matching),
        bool: expression.isBool,
      };
    case 'unary':
      return {
        type: 'unaryExpr',
        op: expression.operator,
        expr: toAstJson(expression.expression),
      };
    case 'parentheses':
      return { type: 'parenExpr', expr: toAstJson(expression.expression) };
  }
}

function selectorFields(selector: VectorSelector): Record<string, Json> {
  return {
    name: selector.name,
    matchers: selector.matchers.map(({ name, value, operator }) => ({
      name,
      value,
      type: operator,
    })),
    ...timeFields(selector),
  };
}

function timeFields(node: VectorSelector | Subquery): Record<string, Json> {
  return { offset: node.offsetMs, ...atFields(node.at) };
}

function atFields(at: At | undefined): Record<string, Json> {
  if (at === undefined) return { timestamp: null, startOrEnd: null };
  return at.kind === 'time'
    ? { timestamp: at.timeMs, startOrEnd: null }
    : { timestamp: null, startOrEnd: at.kind };
}

function matchingJson(matching: VectorMatching | undefined): Json {
  if (matching === undefined) return null;
  return {
    card: matching.cardinality,
    labels: [...matching.labels],
    on: matching.isOn,
    include: [...matching.include],
  };
}
