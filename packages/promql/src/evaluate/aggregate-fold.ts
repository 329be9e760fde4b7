// Aggregations that make one row of a group.
import { addHistograms, averageHistograms } from '../histogram/fold.ts';
import { labelValue, NAME_LABEL } from '../labels.ts';
import type { AggregationOperator } from '../parse/ast.ts';
import type { Histogram } from '../series-source.ts';
import type { AggregationContext, Group } from './aggregate.ts';
import { MESSAGES } from './annotations.ts';
import { addToMean, type Mean, newMean, quantileOf, readMean } from './kahan.ts';
import { FLOAT, HISTOGRAM, NONE, newRow, type Row, setSample } from './row.ts';

type Fold = (context: AggregationContext, group: Group) => Row;

const rowOf = ({ grid }: AggregationContext, { labels, dropsName }: Group): Row =>
  newRow(labels, grid.steps, dropsName);

/** Floats of a group per step in row order, `add` seeing the row's value after the first. */
function foldFloats(
  context: AggregationContext,
  group: Group,
  out: Row,
  add: (step: number, value: number, isFirst: boolean) => void,
): void {
  const { has } = out;
  for (const row of group.rows) {
    const { values } = row;
    for (let step = 0; step < context.grid.steps; step++) {
      if (row.has[step] !== FLOAT) continue;
      const isFirst = has[step] === NONE;
      has[step] = FLOAT;
      add(step, values[step] ?? Number.NaN, isFirst);
    }
  }
}

/** Histograms have no place in this aggregation. */
function ignoreHistograms({ evaluation, aggregation }: AggregationContext, group: Group): void {
  if (!group.rows.some((row) => row.histograms !== undefined)) return;
  const message = MESSAGES.histogramIgnored(aggregation.operator);
  evaluation.annotations.inform(message, aggregation.expression.range);
}

function ofFloats(fold: (context: AggregationContext, group: Group, out: Row) => void): Fold {
  return (context, group) => {
    ignoreHistograms(context, group);
    const out = rowOf(context, group);
    fold(context, group, out);
    return out;
  };
}

const sumFloats = (context: AggregationContext, group: Group, out: Row): void => {
  const sums = out.values;
  const compensations = new Float64Array(context.grid.steps);
  for (const row of group.rows) {
    const { values, has } = row;
    // No callback here: this loop is half of `sum by (rate)`.
    for (let step = 0; step < sums.length; step++) {
      if (has[step] !== FLOAT) continue;
      out.has[step] = FLOAT;
      const value = values[step] ?? 0;
      const sum = sums[step] ?? 0;
      const total = sum + value;
      if (!Number.isFinite(total)) compensations[step] = 0;
      else {
        const lost = Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
        compensations[step] = (compensations[step] ?? 0) + lost;
      }
      sums[step] = total;
    }
  }
  for (let step = 0; step < sums.length; step++)
    sums[step] = (sums[step] ?? 0) + (compensations[step] ?? 0);
};

const meanFloats = (context: AggregationContext, group: Group, out: Row): void => {
  const means: Mean[] = [];
  foldFloats(context, group, out, (step, value) => {
    const mean = means[step];
    if (mean === undefined) means[step] = newMean(value);
    else addToMean(mean, value);
  });
  means.forEach((mean, step) => {
    out.values[step] = readMean(mean);
  });
};

function extreme(isBetter: (candidate: number, best: number) => boolean): Fold {
  return ofFloats((context, group, out) => {
    foldFloats(context, group, out, (step, value, isFirst) => {
      const best = out.values[step] ?? Number.NaN;
      if (isFirst || isBetter(value, best) || Number.isNaN(best)) out.values[step] = value;
    });
  });
}

function variance(context: AggregationContext, group: Group, out: Row): void {
  const means = new Float64Array(context.grid.steps);
  const counts = new Float64Array(context.grid.steps);
  const squares = out.values;
  foldFloats(context, group, out, (step, value) => {
    const count = (counts[step] ?? 0) + 1;
    const mean = means[step] ?? 0;
    const delta = value - mean;
    const next = count === 1 ? value : mean + delta / count;
    counts[step] = count;
    means[step] = next;
    // Of one value the deviation is 0, of an infinite one NaN.
    squares[step] = (squares[step] ?? 0) + (count === 1 ? value - value : delta * (value - next));
  });
  for (let step = 0; step < counts.length; step++) {
    squares[step] = (squares[step] ?? 0) / (counts[step] ?? 1);
  }
}

function quantiles(context: AggregationContext, group: Group, out: Row): void {
  const columns: number[][] = [];
  foldFloats(context, group, out, (step, value) => {
    columns[step] ??= [];
    columns[step]?.push(value);
  });
  columns.forEach((values, step) => {
    out.values[step] = quantileOf(context.parameter(step), values);
  });
}

/** Sums or means of floats, or of histograms; a mix has no answer but a warning. */
function ofEither(
  floats: (context: AggregationContext, group: Group, out: Row) => void,
  fold: typeof addHistograms,
): Fold {
  return (context, group) => {
    const out = rowOf(context, group);
    floats(context, group, out);
    const columns = histogramColumns(group);
    const notes = foldNotes(context, group);
    for (const [step, histograms] of columns) {
      if (out.has[step] === FLOAT) {
        const { annotations } = context.evaluation;
        annotations.warn(MESSAGES.mixedInAggregation, context.aggregation.expression.range);
        out.has[step] = NONE;
        continue;
      }
      const folded = fold(histograms, notes);
      if (folded !== undefined) setSample(out, step, folded);
    }
    return out;
  };
}

function histogramColumns(group: Group): Map<number, Histogram[]> {
  const columns = new Map<number, Histogram[]>();
  for (const { has, histograms } of group.rows) {
    histograms?.forEach((histogram, step) => {
      if (has[step] !== HISTOGRAM || histogram === undefined) return;
      const column = columns.get(step);
      if (column === undefined) columns.set(step, [histogram]);
      else column.push(histogram);
    });
  }
  return columns;
}

function foldNotes({ evaluation: { annotations }, aggregation }: AggregationContext, group: Group) {
  const at = aggregation.expression.range;
  const name = labelValue(group.rows[0]?.labels ?? [], NAME_LABEL);
  return {
    incompatible: () => annotations.warn(MESSAGES.mixedSchemas(name), at),
    reconciled: () => annotations.inform(MESSAGES.reconciledBuckets('aggregation'), at),
    collided: () => annotations.warn(MESSAGES.resetCollision('aggregation'), at),
  };
}

/** Of samples of any kind. */
function counting(count: (before: number) => number): Fold {
  return (context, group) => {
    const out = rowOf(context, group);
    for (const row of group.rows) {
      for (let step = 0; step < context.grid.steps; step++) {
        if (row.has[step] === NONE) continue;
        out.has[step] = FLOAT;
        out.values[step] = count(out.values[step] ?? 0);
      }
    }
    return out;
  };
}

export const FOLDS: Readonly<Partial<Record<AggregationOperator, Fold>>> = {
  sum: ofEither(sumFloats, addHistograms),
  avg: ofEither(meanFloats, averageHistograms),
  min: extreme((candidate, best) => candidate < best),
  max: extreme((candidate, best) => candidate > best),
  count: counting((before) => before + 1),
  group: counting(() => 1),
  stdvar: ofFloats(variance),
  stddev: ofFloats((context, group, out) => {
    variance(context, group, out);
    for (let step = 0; step < out.values.length; step++) {
      out.values[step] = Math.sqrt(out.values[step] ?? Number.NaN);
    }
  }),
  quantile: ofFloats(quantiles),
};
