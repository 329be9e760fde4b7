import { addCompensated, type Compensated } from '../evaluate/kahan.ts';
import type { Histogram, HistogramBuckets } from '../series-source.ts';
import { bucketsOf, NO_BUCKETS } from './buckets.ts';
import { commonLayout, layOut } from './layout.ts';

/** A histogram and what it is multiplied with. */
export interface Term {
  readonly histogram: Histogram;
  readonly factor: number;
}

export interface Combination {
  readonly histogram: Histogram;
  readonly isReconciled: boolean;
}

/** The compensated sum of terms; undefined for exponential beside custom buckets, and for none. */
export function combineHistograms(terms: readonly Term[]): Combination | undefined {
  const layout = commonLayout(terms.map(({ histogram }) => histogram));
  const [first] = terms;
  if (layout === undefined || first === undefined) return undefined;
  const { schema, zeroThreshold, customBounds, isReconciled } = layout;
  const count = zero();
  const sum = zero();
  const zeroCount = zero();
  const positive = new Map<number, Compensated>();
  const negative = new Map<number, Compensated>();
  for (const { histogram, factor } of terms) {
    const laidOut = layOut(histogram, layout);
    addCompensated(count, histogram.count * factor);
    addCompensated(sum, histogram.sum * factor);
    addCompensated(zeroCount, laidOut.zeroCount * factor);
    addSide(positive, laidOut.positive, factor);
    addSide(negative, laidOut.negative, factor);
  }
  const histogram: Histogram = {
    schema,
    zeroThreshold,
    customBounds,
    count: total(count),
    sum: total(sum),
    zeroCount: total(zeroCount),
    positive: readSide(positive),
    negative: readSide(negative),
    counterReset: first.histogram.counterReset,
  };
  return { histogram, isReconciled };
}

const zero = (): Compensated => ({ sum: 0, compensation: 0 });
const total = ({ sum, compensation }: Compensated): number => sum + compensation;

function addSide(
  into: Map<number, Compensated>,
  counts: ReadonlyMap<number, number>,
  factor: number,
): void {
  for (const [index, count] of counts) {
    const at = into.get(index) ?? zero();
    addCompensated(at, count * factor);
    into.set(index, at);
  }
}

function readSide(side: Map<number, Compensated>): HistogramBuckets {
  const entries = [...side].map(([index, count]) => ({ index, count: total(count) }));
  return bucketsOf(entries.sort((a, b) => a.index - b.index));
}

/** `left + sign × right`. */
export const addHistogram = (
  left: Histogram,
  right: Histogram,
  sign: 1 | -1,
): Combination | undefined =>
  combineHistograms([
    { histogram: left, factor: 1 },
    { histogram: right, factor: sign },
  ]);

/** All counts and the sum times `factor`; a negative factor makes a gauge. */
export const scaleHistogram = (histogram: Histogram, factor: number): Histogram =>
  mapHistogram(histogram, (value) => value * factor, factor < 0);

/** By zero no bucket stays: nothing can be said of them. */
export function divideHistogram(histogram: Histogram, divisor: number): Histogram {
  const divided = mapHistogram(histogram, (value) => value / divisor, divisor < 0);
  return divisor === 0 ? { ...divided, positive: NO_BUCKETS, negative: NO_BUCKETS } : divided;
}

function mapHistogram(
  histogram: Histogram,
  map: (value: number) => number,
  isGauge: boolean,
): Histogram {
  const side = ({ spans, counts }: HistogramBuckets): HistogramBuckets => ({
    spans,
    counts: counts.map(map),
  });
  return {
    ...histogram,
    count: map(histogram.count),
    sum: map(histogram.sum),
    zeroCount: map(histogram.zeroCount),
    positive: side(histogram.positive),
    negative: side(histogram.negative),
    counterReset: isGauge ? 'gauge' : histogram.counterReset,
  };
}
