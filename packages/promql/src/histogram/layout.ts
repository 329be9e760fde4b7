// Brings histograms to one layout, so that their buckets can be added.
import type { Histogram } from '../series-source.ts';
import {
  CUSTOM_SCHEMA,
  coarserIndex,
  entriesOf,
  isCustom,
  negativeBuckets,
  positiveBuckets,
} from './buckets.ts';

export interface Layout {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly customBounds: readonly number[];
  /** Custom bounds differed: only the common ones are left. */
  readonly isReconciled: boolean;
}

/** Counts at the layout's indexes. */
export interface LaidOut {
  readonly zeroCount: number;
  readonly positive: ReadonlyMap<number, number>;
  readonly negative: ReadonlyMap<number, number>;
}

/** The finest layout that all can be brought to; undefined for exponential beside custom. */
export function commonLayout(histograms: readonly Histogram[]): Layout | undefined {
  const customs = histograms.filter(isCustom);
  const [first] = histograms;
  if (first === undefined) return undefined;
  if (customs.length === histograms.length) return customLayout(first, histograms);
  if (customs.length > 0) return undefined;
  return {
    schema: histograms.reduce((least, { schema }) => Math.min(least, schema), first.schema),
    zeroThreshold: commonZeroThreshold(histograms),
    customBounds: [],
    isReconciled: false,
  };
}

function customLayout(first: Histogram, histograms: readonly Histogram[]): Layout {
  const isSame = histograms.every(({ customBounds }) =>
    sameBounds(customBounds, first.customBounds),
  );
  const customBounds = isSame
    ? first.customBounds
    : first.customBounds.filter((bound) =>
        histograms.every((other) => other.customBounds.includes(bound)),
      );
  return { schema: CUSTOM_SCHEMA, zeroThreshold: 0, customBounds, isReconciled: !isSame };
}

export const sameBounds = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));

/** Grows until it lies within no counting bucket of any. */
function commonZeroThreshold(histograms: readonly Histogram[]): number {
  // Reduced, not spread: arguments have a limit that a large aggregation passes.
  let threshold = histograms.reduce((most, { zeroThreshold }) => Math.max(most, zeroThreshold), 0);
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    for (const histogram of histograms) {
      const wider = widenedZero(histogram, threshold).threshold;
      if (wider > threshold) isSettled = false;
      threshold = Math.max(threshold, wider);
    }
  }
  return threshold;
}

/** The zero bucket with a threshold of at least `wanted`, and what it then counts. */
export function widenedZero(
  histogram: Histogram,
  wanted: number,
): { readonly threshold: number; readonly count: number } {
  let threshold = wanted;
  if (threshold === histogram.zeroThreshold) return { threshold, count: histogram.zeroCount };
  const positive = positiveBuckets(histogram);
  const negative = negativeBuckets(histogram).map(({ lower, upper, count }) => ({
    lower: -upper,
    upper: -lower,
    count,
  }));
  while (true) {
    let count = histogram.zeroCount;
    const before = threshold;
    for (const bucket of [...positive, ...negative]) {
      if (bucket.lower >= threshold) continue;
      count += bucket.count;
      if (bucket.upper > threshold && bucket.count !== 0) threshold = bucket.upper;
    }
    if (threshold === before) return { threshold, count };
  }
}

export function layOut(histogram: Histogram, layout: Layout): LaidOut {
  if (layout.schema === CUSTOM_SCHEMA) return layOutCustom(histogram, layout);
  const zero = widenedZero(histogram, layout.zeroThreshold);
  const side = (buckets: Histogram['positive']): Map<number, number> => {
    const counts = new Map<number, number>();
    for (const { index, count } of entriesOf(buckets)) {
      // Whole at its own schema: a bucket below the threshold is in the zero bucket.
      if (2 ** ((index - 1) / 2 ** histogram.schema) < layout.zeroThreshold) continue;
      const target = coarserIndex(index, histogram.schema, layout.schema);
      counts.set(target, (counts.get(target) ?? 0) + count);
    }
    return counts;
  };
  return {
    zeroCount: zero.count,
    positive: side(histogram.positive),
    negative: side(histogram.negative),
  };
}

function layOutCustom(histogram: Histogram, layout: Layout): LaidOut {
  const positive = new Map<number, number>();
  for (const { index, count } of entriesOf(histogram.positive)) {
    const upper = histogram.customBounds[index] ?? Number.POSITIVE_INFINITY;
    const found = layout.isReconciled
      ? layout.customBounds.findIndex((bound) => bound >= upper)
      : index;
    const target = found < 0 ? layout.customBounds.length : found;
    positive.set(target, (positive.get(target) ?? 0) + count);
  }
  return { zeroCount: 0, positive, negative: new Map() };
}
