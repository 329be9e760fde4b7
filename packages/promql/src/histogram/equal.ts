import type { Histogram, HistogramBuckets } from '../series-source.ts';
import { entriesOf, isCustom } from './buckets.ts';
import { sameBounds } from './layout.ts';

/** Equal in layout and in every count, `isClose` deciding on numbers; hints do not count. */
export function equalHistograms(
  a: Histogram,
  b: Histogram,
  isClose: (a: number, b: number) => boolean = Object.is,
): boolean {
  return (
    a.schema === b.schema &&
    isClose(a.count, b.count) &&
    isClose(a.sum, b.sum) &&
    (isCustom(a)
      ? sameBounds(a.customBounds, b.customBounds)
      : a.zeroThreshold === b.zeroThreshold && isClose(a.zeroCount, b.zeroCount)) &&
    equalSides(a.positive, b.positive, isClose) &&
    equalSides(a.negative, b.negative, isClose)
  );
}

function equalSides(
  a: HistogramBuckets,
  b: HistogramBuckets,
  isClose: (a: number, b: number) => boolean,
): boolean {
  const [left, right] = [a, b].map((side) => entriesOf(side).filter(({ count }) => count !== 0));
  if (left === undefined || right === undefined || left.length !== right.length) return false;
  return left.every(({ index, count }, i) => {
    const other = right[i];
    return other !== undefined && other.index === index && isClose(count, other.count);
  });
}
