import type { Histogram, Labels } from '../series-source.ts';

export const NONE = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** One series over the steps of a grid. */
export interface Row {
  readonly labels: Labels;
  readonly values: Float64Array;
  /** NONE, FLOAT or HISTOGRAM at each step. */
  readonly has: Uint8Array;
  /** Made at the first histogram; indexed by step. */
  histograms: (Histogram | undefined)[] | undefined;
  /** The metric name goes at the end of the query; until then functions may still read it. */
  readonly dropsName: boolean;
}

/** Compensated sums at each step: what is to be added to `values` at the end is beside them. */
export interface Sums {
  readonly values: Float64Array;
  /** NONE or FLOAT at each step. */
  readonly has: Uint8Array;
  readonly compensations: Float64Array;
}

/** Who takes the rows of a vector one after the other. */
export interface RowTaker {
  /** The row is good during the call only. */
  take(row: Row): void;
  /** Where the floats of a series can be added to instead; absent: nowhere. */
  sumsOf?(labels: Labels, dropsName: boolean): Sums | undefined;
}

export type Value =
  | { readonly kind: 'scalar'; readonly values: Float64Array }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'vector'; readonly rows: readonly Row[] };

export const newRow = (labels: Labels, steps: number, dropsName: boolean): Row => ({
  labels,
  values: new Float64Array(steps),
  has: new Uint8Array(steps),
  histograms: undefined,
  dropsName,
});

/** Makes the rows of a walk over series. */
export type OpenRow = (labels: Labels, dropsName: boolean) => Row;

export const newRows =
  (steps: number): OpenRow =>
  (labels, dropsName) =>
    newRow(labels, steps, dropsName);

/**
 * Each row in the columns of the one before: for who is done with a row when the next comes, and
 * looks at no value where the row has none.
 */
export function sharedRows(steps: number): OpenRow {
  const values = new Float64Array(steps);
  const has = new Uint8Array(steps);
  return (labels, dropsName) => {
    has.fill(NONE);
    return { labels, values, has, histograms: undefined, dropsName };
  };
}

export function setSample(row: Row, step: number, sample: number | Histogram): void {
  if (typeof sample === 'number') {
    row.values[step] = sample;
    row.has[step] = FLOAT;
    return;
  }
  row.histograms ??= [];
  row.histograms[step] = sample;
  row.has[step] = HISTOGRAM;
}

export function sampleAt(row: Row, step: number): number | Histogram | undefined {
  const has = row.has[step];
  if (has === FLOAT) return row.values[step] ?? Number.NaN;
  return has === HISTOGRAM ? row.histograms?.[step] : undefined;
}

export const isEmptyRow = (row: Row): boolean => row.has.every((has) => has === NONE);

export const vectorOf = (rows: readonly Row[]): Value => ({
  kind: 'vector',
  rows: rows.filter((row) => !isEmptyRow(row)),
});
