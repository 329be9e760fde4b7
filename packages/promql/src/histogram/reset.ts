import type { Histogram } from '../series-source.ts';
import { isCustom } from './buckets.ts';
import { commonLayout, type Layout, layOut, widenedZero } from './layout.ts';

/**
 * Whether the counter started again between `previous` and `current`: the hint says so, or some
 * count fell, or the layout grew finer. Source: Prometheus's native histogram specification.
 */
export function isReset(current: Histogram, previous: Histogram): boolean {
  if (current.counterReset === 'reset') return true;
  if (current.counterReset === 'not-reset') return false;
  if (current.count < previous.count) return true;
  if (isCustom(current) !== isCustom(previous)) return true;
  const layout = isCustom(current) ? commonLayout([current, previous]) : layoutOf(current);
  if (layout === undefined) return true;
  if (!isCustom(current)) {
    if (current.schema > previous.schema) return true;
    if (current.zeroThreshold < previous.zeroThreshold) return true;
    const zero = widenedZero(previous, current.zeroThreshold);
    if (zero.threshold !== current.zeroThreshold || current.zeroCount < zero.count) return true;
  }
  const now = layOut(current, layout);
  const before = layOut(previous, layout);
  return fell(now.positive, before.positive) || fell(now.negative, before.negative);
}

const layoutOf = ({ schema, zeroThreshold, customBounds }: Histogram): Layout => ({
  schema,
  zeroThreshold,
  customBounds,
  isReconciled: false,
});

function fell(now: ReadonlyMap<number, number>, before: ReadonlyMap<number, number>): boolean {
  for (const [index, count] of before) if ((now.get(index) ?? 0) < count) return true;
  return false;
}
