import type { Expression, Subquery, VectorSelector } from '../parse/ast.ts';
import { type DurationExpression, durationSeconds } from '../parse/duration-expression.ts';
import type { Evaluation } from './evaluation.ts';
import { QueryFault } from './evaluation.ts';

/** The same tree with each duration as a number, now that the query's times are known. */
export function resolveDurations(expression: Expression, query: Evaluation['query']): Expression {
  const resolve = (inner: Expression): Expression => resolveDurations(inner, query);
  switch (expression.kind) {
    case 'number':
    case 'string':
      return expression;
    case 'vector-selector':
      return moved(expression, query);
    case 'matrix-selector': {
      const rangeMs = positive(expression.duration, expression.rangeMs, query);
      return { ...expression, selector: moved(expression.selector, query), rangeMs };
    }
    case 'subquery': {
      const rangeMs = positive(expression.duration, expression.rangeMs, query);
      const stepMs =
        expression.step === undefined
          ? expression.stepMs
          : positive(expression.step, expression.stepMs, query);
      const inner = resolve(expression.expression);
      return { ...moved(expression, query), rangeMs, stepMs, expression: inner };
    }
    case 'call':
      return { ...expression, args: expression.args.map(resolve) };
    case 'aggregation': {
      const { parameter } = expression;
      const inner = { ...expression, expression: resolve(expression.expression) };
      return parameter === undefined ? inner : { ...inner, parameter: resolve(parameter) };
    }
    case 'binary':
      return { ...expression, left: resolve(expression.left), right: resolve(expression.right) };
    case 'unary':
    case 'parentheses':
      return { ...expression, expression: resolve(expression.expression) };
  }
}

function moved<N extends VectorSelector | Subquery>(node: N, query: Evaluation['query']): N {
  if (node.offset === undefined) return node;
  return { ...node, offsetMs: milliseconds(node.offset, query) };
}

function positive(
  duration: DurationExpression | undefined,
  ms: number,
  query: Evaluation['query'],
): number {
  if (duration === undefined) return ms;
  const resolved = milliseconds(duration, query);
  if (resolved > 0) return resolved;
  throw new QueryFault('execution', 'duration must be greater than 0');
}

function milliseconds(duration: DurationExpression, query: Evaluation['query']): number {
  const { startMs, endMs, stepMs, isInstant } = query;
  const step = isInstant ? 0 : stepMs / 1000;
  const seconds = durationSeconds(duration, { step, range: (endMs - startMs) / 1000 });
  const ms = Math.round((seconds ?? Number.NaN) * 1000);
  if (Number.isSafeInteger(ms)) return ms;
  throw new QueryFault(
    'execution',
    Number.isNaN(ms) ? 'division by zero' : 'duration out of range',
  );
}
