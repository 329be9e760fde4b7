// Aggregations that make one row of a group, a row of it at a time.
import { addHistograms, averageHistograms } from '../histogram/fold.ts';
import { labelValue, NAME_LABEL } from '../labels.ts';
import type { AggregationOperator } from '../parse/ast.ts';
import type { Histogram, Labels } from '../series-source.ts';
import type { AggregationContext } from './aggregate.ts';
import { MESSAGES } from './annotations.ts';
import {
  counts,
  extremes,
  means,
  type OpenFloatFold,
  quantiles,
  sums,
  variances,
} from './float-folds.ts';
import { FLOAT, HISTOGRAM, NONE, newRow, type Row, type Sums, setSample } from './row.ts';

/** One group's row in the making. */
export interface Fold {
  /** Keeps nothing of the row but its histograms. */
  add(row: Row): void;
  /** Sums that floats of a series with these labels can be added to. */
  sumsOf?(labels: Labels, dropsName: boolean): Sums | undefined;
  finish(): Row;
}

export type OpenFold = (context: AggregationContext, labels: Labels) => Fold;

/** Of floats; histograms have no place in this aggregation. */
function ofFloats(open: OpenFloatFold): OpenFold {
  return (context, labels) => {
    const out = newRow(labels, context.grid.steps, false);
    const floats = open(out, context);
    let dropsName = false;
    let hasHistograms = false;
    return {
      add: (row) => {
        dropsName ||= row.dropsName;
        hasHistograms ||= row.histograms !== undefined;
        floats.add(row);
      },
      finish: () => {
        if (hasHistograms) {
          const { evaluation, aggregation } = context;
          const message = MESSAGES.histogramIgnored(aggregation.operator);
          evaluation.annotations.inform(message, aggregation.expression.range);
        }
        floats.finish?.();
        return { ...out, dropsName };
      },
    };
  };
}

/** Of samples of any kind. */
const ofSamples =
  (open: OpenFloatFold): OpenFold =>
  (context, labels) => {
    const out = newRow(labels, context.grid.steps, false);
    const all = open(out, context);
    let dropsName = false;
    return {
      add: (row) => {
        dropsName ||= row.dropsName;
        all.add(row);
      },
      finish: () => ({ ...out, dropsName }),
    };
  };

/** Sums or means of floats, or of histograms; a mix has no answer but a warning. */
function ofEither(open: OpenFloatFold, fold: typeof addHistograms): OpenFold {
  return (context, labels) => {
    const out = newRow(labels, context.grid.steps, false);
    const floats = open(out, context);
    const columns = new Map<number, Histogram[]>();
    let dropsName = false;
    let metric: string | undefined;
    return {
      add: (row) => {
        dropsName ||= row.dropsName;
        metric ??= labelValue(row.labels, NAME_LABEL);
        floats.add(row);
        if (row.histograms !== undefined) addColumns(columns, row);
      },
      sumsOf: (ofLabels, itDropsName) => {
        dropsName ||= itDropsName;
        metric ??= labelValue(ofLabels, NAME_LABEL);
        return floats.sums;
      },
      finish: () => {
        floats.finish?.();
        const notes = foldNotes(context, metric ?? '');
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
        return { ...out, dropsName };
      },
    };
  };
}

function addColumns(columns: Map<number, Histogram[]>, { has, histograms }: Row): void {
  histograms?.forEach((histogram, step) => {
    if (has[step] !== HISTOGRAM || histogram === undefined) return;
    const column = columns.get(step);
    if (column === undefined) columns.set(step, [histogram]);
    else column.push(histogram);
  });
}

function foldNotes(
  { evaluation: { annotations }, aggregation }: AggregationContext,
  metric: string,
) {
  const at = aggregation.expression.range;
  return {
    incompatible: () => annotations.warn(MESSAGES.mixedSchemas(metric), at),
    reconciled: () => annotations.inform(MESSAGES.reconciledBuckets('aggregation'), at),
    collided: () => annotations.warn(MESSAGES.resetCollision('aggregation'), at),
  };
}

export const FOLDS: Readonly<Partial<Record<AggregationOperator, OpenFold>>> = {
  sum: ofEither(sums, addHistograms),
  avg: ofEither(means, averageHistograms),
  min: ofFloats(extremes((candidate, best) => candidate < best)),
  max: ofFloats(extremes((candidate, best) => candidate > best)),
  count: ofSamples(counts((before) => before + 1)),
  group: ofSamples(counts(() => 1)),
  stdvar: ofFloats(variances((variance) => variance)),
  stddev: ofFloats(variances(Math.sqrt)),
  quantile: ofFloats(quantiles),
};
