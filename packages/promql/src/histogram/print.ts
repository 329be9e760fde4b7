import { formatFloat } from '../parse/numbers.ts';
import type { Histogram } from '../series-source.ts';
import { allBuckets, type Bucket } from './buckets.ts';

/** As Prometheus prints one: `{count:20, sum:10, [-1,-0.5):1, (0.5,1]:1}`. */
export function printHistogram(histogram: Histogram): string {
  const buckets = allBuckets(histogram).filter(({ count }) => count !== 0);
  const { count, sum } = histogram;
  const head = [`count:${formatFloat(count)}`, `sum:${formatFloat(sum)}`];
  return `{${[...head, ...buckets.map(printBucket)].join(', ')}}`;
}

function printBucket({ lower, upper, isLowerIn, isUpperIn, count }: Bucket): string {
  const bounds = `${formatFloat(lower)},${formatFloat(upper)}`;
  return `${isLowerIn ? '[' : '('}${bounds}${isUpperIn ? ']' : ')'}:${formatFloat(count)}`;
}
