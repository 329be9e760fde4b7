// Quantiles, fractions and moments. Source: Prometheus docs, "Query functions", "Native Histograms".
import { addCompensated } from '../evaluate/kahan.ts';
import type { Histogram } from '../series-source.ts';
import { allBuckets, type Bucket, isCustom, zeroBucket } from './buckets.ts';

export interface QuantileAnswer {
  readonly value: number;
  /** Observations of NaN made the answer NaN, or moved it up. */
  readonly nan?: 'result' | 'skew';
}

/** Exponential interpolation in exponential buckets, linear in custom ones and around zero. */
export function histogramQuantile(q: number, histogram: Histogram): QuantileAnswer {
  if (q < 0) return { value: Number.NEGATIVE_INFINITY };
  if (q > 1) return { value: Number.POSITIVE_INFINITY };
  const { count, sum } = histogram;
  if (count === 0 || Number.isNaN(q)) return { value: Number.NaN };
  const hasNaN = Number.isNaN(sum);
  // From the nearer end, so that rounding errors stay small; NaNs count at the upper end only.
  const isForward = hasNaN || q < 0.5;
  const buckets = allBuckets(histogram).filter((bucket) => bucket.count !== 0);
  if (!isForward) buckets.reverse();
  const rank = (isForward ? q : 1 - q) * count;
  let passed = 0;
  let found: Bucket | undefined;
  for (const bucket of buckets) {
    found = bucket;
    passed += bucket.count;
    if (passed >= rank) break;
  }
  if (found === undefined) return { value: Number.NaN, ...(hasNaN ? { nan: 'result' } : {}) };
  if (isCustom(histogram)) {
    const edge = infiniteEdge(found);
    if (edge !== undefined) return { value: edge };
  }
  const bucket = withZeroEdge(found, histogram);
  passed = Math.min(passed, count);
  if (passed < rank && hasNaN) return { value: Number.NaN, nan: 'result' };
  const within = isForward ? rank - (passed - bucket.count) : passed - rank;
  const value = interpolate(bucket, within / bucket.count, isCustom(histogram));
  return hasNaN ? { value, nan: 'skew' } : { value };
}

/** The answer for a custom bucket without an end to interpolate from. */
function infiniteEdge({ lower, upper }: Bucket): number | undefined {
  if (lower === Number.NEGATIVE_INFINITY) return upper <= 0 ? upper : undefined;
  return upper === Number.POSITIVE_INFINITY ? lower : undefined;
}

/** The zero bucket reaches to the side that counts something; a custom first bucket starts at 0. */
function withZeroEdge(bucket: Bucket, histogram: Histogram): Bucket {
  if (isCustom(histogram)) {
    const isOpen = bucket.lower === Number.NEGATIVE_INFINITY && bucket.upper > 0;
    return isOpen ? { ...bucket, lower: 0 } : bucket;
  }
  if (!(bucket.lower <= 0 && bucket.upper >= 0)) return bucket;
  const hasPositive = histogram.positive.counts.length > 0;
  const hasNegative = histogram.negative.counts.length > 0;
  if (hasPositive && !hasNegative) return { ...bucket, lower: 0 };
  return hasNegative && !hasPositive ? { ...bucket, upper: 0 } : bucket;
}

/** The zero bucket, reaching to the side that counts something. */
export const zeroEdges = (histogram: Histogram): Bucket =>
  withZeroEdge(zeroBucket(histogram), histogram);

function interpolate({ lower, upper }: Bucket, fraction: number, isLinear: boolean): number {
  if (isLinear || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * fraction);
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)));
}

/** The share of observations between two values; NaN observations are in no share. */
export function histogramFraction(
  lower: number,
  upper: number,
  histogram: Histogram,
): { readonly value: number; readonly hasNaN: boolean } {
  const buckets = allBuckets(histogram);
  const hasNaN = Number.isNaN(histogram.sum) && histogram.count > 0;
  const custom = isCustom(histogram);
  const edged = buckets.map((bucket) => withZeroEdge(bucket, histogram));
  const { count } = histogram;
  const inBuckets = hasNaN ? buckets.reduce((sum, bucket) => sum + bucket.count, 0) : count;
  const within = { buckets: edged, count, inBuckets, isLinear: custom };
  return { value: fractionOf(lower, upper, within), hasNaN };
}

/**
 * Of ascending buckets; shared with classic histograms. `count` has all observations, `inBuckets`
 * those that are not NaN.
 */
export function fractionOf(
  lower: number,
  upper: number,
  within: {
    readonly buckets: readonly Bucket[];
    readonly count: number;
    readonly inBuckets: number;
    readonly isLinear: boolean;
  },
): number {
  const { buckets, count, inBuckets, isLinear } = within;
  if (count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const rankOf = (value: number): number => {
    let rank = 0;
    for (const bucket of buckets) {
      if (bucket.lower >= value) return rank;
      if (bucket.upper > value) return rank + bucket.count * shareBelow(value, bucket, isLinear);
      rank += bucket.count;
    }
    return inBuckets;
  };
  const capped = (value: number): number => Math.min(rankOf(value), inBuckets);
  return (capped(upper) - capped(lower)) / count;
}

/** The share of a bucket's observations below a value within its bounds. */
export function shareBelow(value: number, { lower, upper }: Bucket, isLinear: boolean): number {
  // Nothing can be said about where observations lie in a bucket without an end.
  if (upper === Number.POSITIVE_INFINITY) return 0;
  if (lower === Number.NEGATIVE_INFINITY) return 1;
  if (isLinear || (lower <= 0 && upper >= 0)) return (value - lower) / (upper - lower);
  const [logLower, logUpper, log] = [lower, upper, value].map((at) => Math.log2(Math.abs(at)));
  if (logLower === undefined || logUpper === undefined || log === undefined) return 0;
  if (value > 0) return (log - logLower) / (logUpper - logLower);
  return 1 - (log - logUpper) / (logLower - logUpper);
}

/** Each bucket counts at its middle: arithmetic for custom bounds, geometric for exponential. */
export function histogramVariance(histogram: Histogram): number {
  const mean = histogram.sum / histogram.count;
  const squares = { sum: 0, compensation: 0 };
  for (const { lower, upper, count } of allBuckets(histogram)) {
    if (count === 0) continue;
    const delta = middleOf(lower, upper, isCustom(histogram)) - mean;
    addCompensated(squares, count * delta * delta);
  }
  return (squares.sum + squares.compensation) / histogram.count;
}

/** The value that a bucket's observations are taken to have. */
export function middleOf(lower: number, upper: number, isLinear: boolean): number {
  if (isLinear) return (upper + lower) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  return Math.sqrt(upper * lower) * (upper < 0 ? -1 : 1);
}
