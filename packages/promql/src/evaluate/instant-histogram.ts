import { addHistogram } from '../histogram/arithmetic.ts';
import { isReset } from '../histogram/reset.ts';
import type { Histogram } from '../series-source.ts';
import { type AnnotationLog, MESSAGES } from './annotations.ts';

/** `last - previous` for irate and idelta; undefined where the two cannot be subtracted. */
export function instantHistogram(
  previous: Histogram,
  last: Histogram,
  context: {
    readonly isRate: boolean;
    readonly name: string;
    readonly annotations: AnnotationLog;
    readonly at: { readonly start: number };
  },
): Histogram | undefined {
  const { isRate, name, annotations, at } = context;
  const gauges = [previous, last].filter(({ counterReset }) => counterReset === 'gauge').length;
  if (isRate && gauges > 0) annotations.warn(MESSAGES.notCounter(name), at);
  if (!isRate && gauges < 2) annotations.warn(MESSAGES.notGauge(name), at);
  if (isRate && isReset(last, previous)) return { ...last, counterReset: 'gauge' };
  const difference = addHistogram(last, previous, -1);
  if (difference === undefined) {
    annotations.warn(MESSAGES.mixedSchemas(name), at);
    return undefined;
  }
  if (difference.isReconciled) annotations.inform(MESSAGES.reconciledBuckets('subtraction'), at);
  return { ...difference.histogram, counterReset: 'gauge' };
}
