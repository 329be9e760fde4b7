// Quantiles and fractions of classic histograms: series with an `le` label.
import type { Bucket } from '../histogram/buckets.ts';
import { fractionOf } from '../histogram/statistics.ts';

export interface ClassicBucket {
  readonly upper: number;
  /** Cumulative. */
  count: number;
}

/** Relative difference of neighbouring counts that rounding alone makes. */
const SMALL_DELTA = 1e-12;

/** In ascending order, equal bounds as one; undefined without a +Inf bucket. */
export function orderBuckets(buckets: readonly ClassicBucket[]): ClassicBucket[] | undefined {
  const byBound = new Map<number, ClassicBucket>();
  for (const { upper, count } of [...buckets].sort((a, b) => a.upper - b.upper)) {
    const known = byBound.get(upper);
    if (known === undefined) byBound.set(upper, { upper, count });
    else known.count += count;
  }
  const ordered = [...byBound.values()];
  return ordered.at(-1)?.upper === Number.POSITIVE_INFINITY ? ordered : undefined;
}

/** Makes counts rise; answers whether it had to change more than rounding. */
export function forceMonotonic(buckets: ClassicBucket[]): boolean {
  let previous = buckets[0]?.count ?? 0;
  let isForced = false;
  for (const bucket of buckets.slice(1)) {
    if (bucket.count > previous && !isNearlyEqual(previous, bucket.count)) {
      previous = bucket.count;
      continue;
    }
    if (bucket.count < previous && !isNearlyEqual(previous, bucket.count)) isForced = true;
    if (!Number.isNaN(bucket.count)) bucket.count = previous;
    else previous = bucket.count;
  }
  return isForced;
}

function isNearlyEqual(a: number, b: number): boolean {
  if (a === b) return true;
  if (a === 0 || b === 0) return false;
  return Math.abs(a - b) / (Math.abs(a) + Math.abs(b)) < SMALL_DELTA;
}

/** Of ordered, monotonic buckets; linear within a bucket. */
export function classicQuantile(q: number, buckets: readonly ClassicBucket[]): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const last = buckets.length - 1;
  const observations = buckets[last]?.count ?? 0;
  if (buckets.length < 2 || observations === 0) return Number.NaN;
  const rank = q * observations;
  const found = buckets.slice(0, last).findIndex(({ count }) => count >= rank);
  if (found < 0) return buckets[last - 1]?.upper ?? Number.NaN;
  const bucket = buckets[found];
  if (bucket === undefined) return Number.NaN;
  if (found === 0 && bucket.upper <= 0) return bucket.upper;
  const below = found === 0 ? { upper: 0, count: 0 } : (buckets[found - 1] ?? bucket);
  const share = (rank - below.count) / (bucket.count - below.count);
  return below.upper + (bucket.upper - below.upper) * share;
}

export function classicFraction(
  lower: number,
  upper: number,
  buckets: readonly ClassicBucket[],
): number {
  const count = buckets.at(-1)?.count ?? 0;
  let below: ClassicBucket = { upper: Number.NEGATIVE_INFINITY, count: 0 };
  const separate = buckets.map((bucket): Bucket => {
    const isFirst = below.upper === Number.NEGATIVE_INFINITY && bucket.upper > 0;
    const isOpen = isFirst && bucket.upper !== Number.POSITIVE_INFINITY;
    const edge = isOpen ? 0 : below.upper;
    const own = { lower: edge, upper: bucket.upper, count: bucket.count - below.count };
    below = bucket;
    return { ...own, isLowerIn: false, isUpperIn: true };
  });
  const within = { buckets: separate, count, inBuckets: count, isLinear: true };
  return fractionOf(lower, upper, within);
}
