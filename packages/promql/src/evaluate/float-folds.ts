// Folds of the floats of rows, step by step, into the columns of one row.
import type { AggregationContext } from './aggregate.ts';
import { addToMean, lostBy, type Mean, newMean, quantileOf, readMean } from './kahan.ts';
import { FLOAT, NONE, type Row, type Sums } from './row.ts';

export interface FloatFold {
  add(row: Row): void;
  /** Where floats can be added without a row. */
  readonly sums?: Sums;
  /** What is to be done when all rows were added. */
  finish?(): void;
}

/** `out` is empty, and filled by the fold. */
export type OpenFloatFold = (out: Row, context: AggregationContext) => FloatFold;

/** Floats in row order, `add` seeing whether its step has none yet. */
function eachFloat(
  out: Row,
  row: Row,
  add: (step: number, value: number, isFirst: boolean) => void,
): void {
  const { has } = out;
  const { values } = row;
  for (let step = 0; step < has.length; step++) {
    if (row.has[step] !== FLOAT) continue;
    const isFirst = has[step] === NONE;
    has[step] = FLOAT;
    add(step, values[step] ?? Number.NaN, isFirst);
  }
}

export const sums: OpenFloatFold = (out) => {
  const { values: totals, has: isSummed } = out;
  const compensations = new Float64Array(totals.length);
  return {
    add: ({ values, has }) => {
      // No callback here: this loop is a third of a large `sum by`.
      for (let step = 0; step < totals.length; step++) {
        if (has[step] !== FLOAT) continue;
        isSummed[step] = FLOAT;
        const value = values[step] as number; // Below the length, as every index here.
        const sum = totals[step] as number;
        const total = sum + value;
        if (!Number.isFinite(total)) compensations[step] = 0;
        else compensations[step] = (compensations[step] as number) + lostBy(sum, value, total);
        totals[step] = total;
      }
    },
    sums: { values: totals, has: isSummed, compensations },
    finish: () => {
      for (let step = 0; step < totals.length; step++) {
        totals[step] = (totals[step] ?? 0) + (compensations[step] ?? 0);
      }
    },
  };
};

export const means: OpenFloatFold = (out) => {
  const all: Mean[] = [];
  return {
    add: (row) =>
      eachFloat(out, row, (step, value) => {
        const mean = all[step];
        if (mean === undefined) all[step] = newMean(value);
        else addToMean(mean, value);
      }),
    finish: () =>
      all.forEach((mean, step) => {
        out.values[step] = readMean(mean);
      }),
  };
};

/** A number takes the place of a NaN. */
export const extremes =
  (isBetter: (candidate: number, best: number) => boolean): OpenFloatFold =>
  (out) => ({
    add: (row) =>
      eachFloat(out, row, (step, value, isFirst) => {
        const best = out.values[step] ?? Number.NaN;
        if (isFirst || isBetter(value, best) || Number.isNaN(best)) out.values[step] = value;
      }),
  });

export const variances =
  (answer: (variance: number) => number): OpenFloatFold =>
  (out) => {
    const means = new Float64Array(out.values.length);
    const counts = new Float64Array(out.values.length);
    const squares = out.values;
    return {
      add: (row) =>
        eachFloat(out, row, (step, value) => {
          const count = (counts[step] ?? 0) + 1;
          const mean = means[step] ?? 0;
          const delta = value - mean;
          const next = count === 1 ? value : mean + delta / count;
          counts[step] = count;
          means[step] = next;
          // Of one value the deviation is 0, of an infinite one NaN.
          const square = count === 1 ? value - value : delta * (value - next);
          squares[step] = (squares[step] ?? 0) + square;
        }),
      finish: () => {
        for (let step = 0; step < counts.length; step++) {
          squares[step] = answer((squares[step] ?? 0) / (counts[step] ?? 1));
        }
      },
    };
  };

export const quantiles: OpenFloatFold = (out, context) => {
  const columns: number[][] = [];
  return {
    add: (row) =>
      eachFloat(out, row, (step, value) => {
        columns[step] ??= [];
        columns[step]?.push(value);
      }),
    finish: () =>
      columns.forEach((values, step) => {
        out.values[step] = quantileOf(context.parameter(step), values);
      }),
  };
};

/** Of samples of any kind. */
export const counts =
  (count: (before: number) => number): OpenFloatFold =>
  ({ values, has: isCounted }) => ({
    add: ({ has }) => {
      for (let step = 0; step < has.length; step++) {
        if (has[step] === NONE) continue;
        isCounted[step] = FLOAT;
        values[step] = count(values[step] ?? 0);
      }
    },
  });
