import type { Aggregation } from '../parse/ast.ts';
import type { Labels } from '../series-source.ts';
import { FOLDS } from './aggregate-fold.ts';
import { PICKS } from './aggregate-pick.ts';
import { MESSAGES } from './annotations.ts';
import { countValues } from './count-values.ts';
import { type Evaluation, executionFault, type TimeGrid } from './evaluation.ts';
import { grouping } from './grouping.ts';
import { type Row, type Value, vectorOf } from './row.ts';

/** Rows that an aggregation takes together. */
export interface Group {
  readonly labels: Labels;
  readonly rows: Row[];
}

export interface AggregationContext {
  readonly evaluation: Evaluation;
  readonly aggregation: Aggregation;
  readonly grid: TimeGrid;
  /** The parameter at a step; NaN without one. */
  parameter(step: number): number;
}

export async function evaluateAggregation(
  evaluation: Evaluation,
  aggregation: Aggregation,
  grid: TimeGrid,
): Promise<Value> {
  const { operator, parameter, expression } = aggregation;
  const given = parameter === undefined ? undefined : await evaluation.evaluate(parameter, grid);
  const context: AggregationContext = {
    evaluation,
    aggregation,
    grid,
    parameter: (step) =>
      given?.kind === 'scalar' ? (given.values[step] ?? Number.NaN) : Number.NaN,
  };
  const openFold = FOLDS[operator];
  if (openFold !== undefined) {
    const groups = grouping(aggregation, (labels) => openFold(context, labels));
    await evaluation.walk(expression, grid, {
      take: (row) => groups.of(row.labels).add(row),
      sumsOf: (labels, dropsName) => groups.of(labels).sumsOf?.(labels, dropsName),
    });
    checkParameter(context);
    return vectorOf(groups.all.map((fold) => fold.finish()));
  }
  const value = await evaluation.evaluate(expression, grid);
  const rows = value.kind === 'vector' ? value.rows : [];
  if (operator === 'count_values') {
    return vectorOf(countValues(context, rows, given?.kind === 'string' ? given.value : ''));
  }
  checkParameter(context);
  const pick = PICKS[operator];
  if (pick === undefined) throw executionFault(`BUG: aggregation ${operator} has no evaluation`);
  const groups = grouping(aggregation, (labels): Group => ({ labels, rows: [] }));
  for (const row of rows) groups.of(row.labels).rows.push(row);
  return vectorOf(pick(context, groups.all));
}

const INT64_MAX = 2 ** 63;

function checkParameter({ aggregation, evaluation, grid, parameter }: AggregationContext): void {
  const { operator } = aggregation;
  const at = aggregation.parameter?.range ?? aggregation.range;
  for (let step = 0; step < grid.steps; step++) {
    const value = parameter(step);
    if (operator === 'topk' || operator === 'bottomk' || operator === 'limitk') {
      if (Number.isNaN(value)) throw executionFault('Parameter value is NaN');
      if (value >= INT64_MAX) throw executionFault(`Scalar value ${value} overflows int64`);
      if (value <= -INT64_MAX) throw executionFault(`Scalar value ${value} underflows int64`);
    }
    if (operator === 'limit_ratio') {
      if (Number.isNaN(value)) throw executionFault('Ratio value is NaN');
      const cap = Math.max(-1, Math.min(1, value));
      if (cap !== value) evaluation.annotations.warn(MESSAGES.invalidRatio(value, cap), at);
    }
    if (operator === 'quantile' && !(value >= 0 && value <= 1)) {
      evaluation.annotations.warn(MESSAGES.invalidQuantile(value), at);
    }
  }
}
