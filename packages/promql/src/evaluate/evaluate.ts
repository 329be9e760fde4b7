import { scaleHistogram } from '../histogram/arithmetic.ts';
import type { Expression, Unary } from '../parse/ast.ts';
import { evaluateAggregation } from './aggregate.ts';
import { evaluateBinary } from './binary.ts';
import { evaluateCall } from './call.ts';
import { type Evaluation, executionFault, type TimeGrid } from './evaluation.ts';
import { isRangeFunction, walkRangeCall } from './range-call.ts';
import {
  FLOAT,
  newRow,
  type Row,
  type RowTaker,
  sampleAt,
  setSample,
  sharedRows,
  type Value,
  vectorOf,
} from './row.ts';
import { selectInstants, walkInstants } from './select.ts';

/** The value of an expression at each step of a grid. */
export async function evaluateExpression(
  evaluation: Evaluation,
  expression: Expression,
  grid: TimeGrid,
): Promise<Value> {
  switch (expression.kind) {
    case 'number':
      return { kind: 'scalar', values: new Float64Array(grid.steps).fill(expression.value) };
    case 'string':
      return { kind: 'string', value: expression.value };
    case 'parentheses':
      return evaluation.evaluate(expression.expression, grid);
    case 'unary':
      return evaluateUnary(evaluation, expression, grid);
    case 'vector-selector':
      return { kind: 'vector', rows: await selectInstants(evaluation, grid, expression) };
    case 'call':
      return evaluateCall(evaluation, expression, grid);
    case 'aggregation':
      return evaluateAggregation(evaluation, expression, grid);
    case 'binary':
      return evaluateBinary(evaluation, expression, grid);
    case 'matrix-selector':
    case 'subquery':
      // The type check leaves ranges only as arguments and as a whole instant query.
      throw executionFault('BUG: a range vector outside a function');
  }
}

/** The rows of a vector one after the other; series of the source are not held for it. */
export async function walkExpression(
  evaluation: Evaluation,
  expression: Expression,
  grid: TimeGrid,
  taker: RowTaker,
): Promise<void> {
  const open = sharedRows(grid.steps);
  const { take } = taker;
  if (expression.kind === 'parentheses') return evaluation.walk(expression.expression, grid, taker);
  if (expression.kind === 'vector-selector') {
    return walkInstants(evaluation, grid, expression, { open, take, wantsTime: false });
  }
  if (expression.kind === 'call' && isRangeFunction(expression.signature.name)) {
    return walkRangeCall(evaluation, expression, grid, { open, ...taker });
  }
  const value = await evaluateExpression(evaluation, expression, grid);
  if (value.kind === 'vector') for (const row of value.rows) take(row);
}

async function evaluateUnary(
  evaluation: Evaluation,
  { operator, expression }: Unary,
  grid: TimeGrid,
): Promise<Value> {
  const value = await evaluation.evaluate(expression, grid);
  if (operator === '+' || value.kind === 'string') return value;
  if (value.kind === 'scalar') return { kind: 'scalar', values: value.values.map((v) => -v) };
  return vectorOf(value.rows.map((row) => negated(row, grid.steps)));
}

function negated(row: Row, steps: number): Row {
  const out = newRow(row.labels, steps, true);
  for (let step = 0; step < steps; step++) {
    const sample = row.has[step] === FLOAT ? (row.values[step] ?? 0) : sampleAt(row, step);
    if (sample === undefined) continue;
    setSample(out, step, typeof sample === 'number' ? -sample : scaleHistogram(sample, -1));
  }
  return out;
}
