// The buckets of a native histogram, seen as entries of an index and a count.
import type { Histogram, HistogramBuckets } from '../series-source.ts';

/** The schema of custom bounds. */
export const CUSTOM_SCHEMA = -53;

export interface Entry {
  readonly index: number;
  readonly count: number;
}

export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly isLowerIn: boolean;
  readonly isUpperIn: boolean;
  readonly count: number;
}

export const NO_BUCKETS: HistogramBuckets = { spans: [], counts: [] };

export const isCustom = ({ schema }: Histogram): boolean => schema === CUSTOM_SCHEMA;

export function entriesOf({ spans, counts }: HistogramBuckets): Entry[] {
  const entries: Entry[] = [];
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++) entries.push({ index: index++, count: counts[at++] ?? 0 });
  }
  return entries;
}

/** Of entries with ascending indexes; empty ones are left out. */
export function bucketsOf(entries: Iterable<Entry>): HistogramBuckets {
  const spans: { offset: number; length: number }[] = [];
  const counts: number[] = [];
  let next = 0;
  for (const { index, count } of entries) {
    if (count === 0) continue;
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
    counts.push(count);
  }
  return { spans, counts };
}

/** The index that a bucket gets at a coarser schema. */
export const coarserIndex = (index: number, schema: number, target: number): number =>
  Math.ceil(index / 2 ** (schema - target));

/** The upper bound of an exponential bucket; the one of the largest floats ends at the largest. */
export function exponentialBound(index: number, schema: number): number {
  const exponent = index / 2 ** schema;
  return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent;
}

function positiveBucket({ schema, customBounds }: Histogram, { index, count }: Entry): Bucket {
  if (schema !== CUSTOM_SCHEMA) {
    const lower = exponentialBound(index - 1, schema);
    const upper = exponentialBound(index, schema);
    return { lower, upper, isLowerIn: false, isUpperIn: true, count };
  }
  const lower = customBounds[index - 1] ?? Number.NEGATIVE_INFINITY;
  const upper = customBounds[index] ?? Number.POSITIVE_INFINITY;
  const isLowerIn = index === 0 && lower === Number.NEGATIVE_INFINITY;
  return { lower, upper, isLowerIn, isUpperIn: true, count };
}

function mirrored({ lower, upper, isLowerIn, isUpperIn, count }: Bucket): Bucket {
  return {
    lower: -upper,
    upper: -lower,
    isLowerIn: isUpperIn,
    isUpperIn: isLowerIn,
    count,
  };
}

export const positiveBuckets = (histogram: Histogram): Bucket[] =>
  entriesOf(histogram.positive).map((entry) => positiveBucket(histogram, entry));

/** What reaches into the zero bucket ends at its threshold. */
const clipped = (bucket: Bucket, { zeroThreshold, schema }: Histogram): Bucket =>
  schema !== CUSTOM_SCHEMA && bucket.lower < zeroThreshold
    ? { ...bucket, lower: zeroThreshold }
    : bucket;

/** One bucket of a side with its bounds, clipped at the zero bucket. */
export function boundedBucket(histogram: Histogram, entry: Entry, isNegative: boolean): Bucket {
  const bucket = clipped(positiveBucket(histogram, entry), histogram);
  return isNegative ? mirrored(bucket) : bucket;
}

export const mapBuckets = (
  entries: readonly Entry[],
  count: (entry: Entry) => number,
): HistogramBuckets => bucketsOf(entries.map((entry) => ({ ...entry, count: count(entry) })));

/** From zero downwards. */
export const negativeBuckets = (histogram: Histogram): Bucket[] =>
  entriesOf(histogram.negative).map((entry) => mirrored(positiveBucket(histogram, entry)));

export const zeroBucket = ({ zeroCount, zeroThreshold }: Histogram): Bucket => ({
  lower: -zeroThreshold,
  upper: zeroThreshold,
  isLowerIn: true,
  isUpperIn: true,
  count: zeroCount,
});

/** In ascending order, the zero bucket among them where it counts something. */
export function allBuckets(histogram: Histogram): Bucket[] {
  const zero = zeroBucket(histogram);
  const below = entriesOf(histogram.negative).map((entry) => boundedBucket(histogram, entry, true));
  return [
    ...below.reverse(),
    ...(zero.count > 0 ? [zero] : []),
    ...entriesOf(histogram.positive).map((entry) => boundedBucket(histogram, entry, false)),
  ];
}
