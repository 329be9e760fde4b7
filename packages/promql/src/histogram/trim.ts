// `</` and `>/`: a histogram without the observations above or below a value.
// Source: Prometheus's native histogram specification, "Binary operators".
import type { Histogram } from '../series-source.ts';
import { type Bucket, boundedBucket, entriesOf, isCustom, mapBuckets } from './buckets.ts';
import { middleOf, shareBelow, zeroEdges } from './statistics.ts';

/** The sum loses what the removed observations are worth at the middle of where they lay. */
export function trimHistogram(
  histogram: Histogram,
  threshold: number,
  keeps: 'below' | 'above',
): Histogram {
  let removedSum = 0;
  let isRemoved = false;
  const kept = (bucket: Bucket): number => {
    const { lower, upper, count } = bucket;
    if (count === 0) return 0;
    const below = shareUpTo(threshold, bucket, isCustom(histogram));
    const share = keeps === 'below' ? below : 1 - below;
    if (share === 1) return count;
    isRemoved = true;
    const cut = Math.min(Math.max(threshold, lower), upper);
    const [from, to] = keeps === 'below' ? [cut, upper] : [lower, cut];
    removedSum += count * (1 - share) * finiteMiddle(from, to, isCustom(histogram));
    return count * share;
  };
  const side = (isNegative: boolean): Histogram['positive'] => {
    const buckets = isNegative ? histogram.negative : histogram.positive;
    return mapBuckets(entriesOf(buckets), (entry) =>
      kept(boundedBucket(histogram, entry, isNegative)),
    );
  };
  const zero = zeroEdges(histogram);
  const zeroCount = zero.count === 0 ? 0 : kept(zero);
  const positive = side(false);
  const negative = side(true);
  if (!isRemoved) return histogram;
  const counts = [...positive.counts, ...negative.counts, zeroCount];
  const count = counts.reduce((total, one) => total + one, 0);
  const sum = count === 0 ? 0 : histogram.sum - removedSum;
  return { ...histogram, positive, negative, zeroCount, count, sum };
}

function shareUpTo(threshold: number, bucket: Bucket, isLinear: boolean): number {
  if (Number.isNaN(threshold)) return 0;
  if (bucket.upper <= threshold) return 1;
  return bucket.lower >= threshold ? 0 : shareBelow(threshold, bucket, isLinear);
}

/** Of a bucket without an end its only end. */
function finiteMiddle(from: number, to: number, isLinear: boolean): number {
  if (!Number.isFinite(from)) return Number.isFinite(to) ? to : 0;
  return Number.isFinite(to) ? middleOf(from, to, isLinear) : from;
}
