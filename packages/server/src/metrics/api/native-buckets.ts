import type { Histogram, HistogramBuckets } from '@thalweg/promql';

/** Which ends belong to the bucket: 0 the upper, 1 the lower, 2 none, 3 both. */
export type BoundaryRule = 0 | 1 | 2 | 3;

export interface NativeBucket {
  readonly rule: BoundaryRule;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

const CUSTOM_SCHEMA = -53;

/** Buckets with something in them, from the lowest to the highest, as Prometheus's API lists them. */
export function nativeBuckets(histogram: Histogram): NativeBucket[] {
  const negative = sideOf(histogram.negative, histogram).map(({ lower, upper, count }) => ({
    lower: -upper,
    upper: -lower,
    count,
  }));
  const zero = {
    lower: -histogram.zeroThreshold,
    upper: histogram.zeroThreshold,
    count: histogram.zeroCount,
  };
  const all = [...negative.reverse(), zero, ...sideOf(histogram.positive, histogram)];
  return all
    .filter(({ count }) => count !== 0)
    .map((bucket) => ({ ...bucket, rule: bucket.lower === -bucket.upper ? 3 : ruleOf(bucket) }));
}

/** Bounds away from zero belong to their bucket. */
function ruleOf({ lower, upper }: { lower: number; upper: number }): BoundaryRule {
  if (lower < 0) return upper > 0 ? 3 : 1;
  return upper > 0 ? 0 : 2;
}

function sideOf(
  buckets: HistogramBuckets,
  histogram: Histogram,
): { lower: number; upper: number; count: number }[] {
  const side: { lower: number; upper: number; count: number }[] = [];
  let index = 0;
  let at = 0;
  for (const { offset, length } of buckets.spans) {
    index += offset;
    for (let i = 0; i < length; i += 1, index += 1, at += 1) {
      const [lower, upper] = [boundOf(index - 1, histogram), boundOf(index, histogram)];
      side.push({ lower, upper, count: buckets.counts[at] ?? 0 });
    }
  }
  return side;
}

/** The upper bound of a bucket: 2^(index × 2^-schema), or the custom one. */
function boundOf(index: number, { schema, customBounds }: Histogram): number {
  if (schema !== CUSTOM_SCHEMA) return 2 ** (index * 2 ** -schema);
  return index < 0 ? Number.NEGATIVE_INFINITY : (customBounds[index] ?? Number.POSITIVE_INFINITY);
}
