// rate, increase, delta, irate, idelta.

import { scaleHistogram } from '../histogram/arithmetic.ts';
import { subtractWindow } from '../histogram/rate.ts';
import type { Histogram } from '../series-source.ts';
import { MESSAGES } from './annotations.ts';
import { instantHistogram } from './instant-histogram.ts';
import { metricOf, type RangeCallContext, type RangeFunction } from './range-function.ts';
import { extrapolationFactor, floatRate, RATE_KINDS, type RateKind } from './rate-row.ts';
import {
  floatAt,
  floatCount,
  histogramCount,
  histogramsOf,
  histogramTimeOf,
  samplesOf,
  timeOf,
  type Window,
} from './window.ts';

/** Of floats or of histograms; of a mix no answer but a warning. */
function extrapolated(kind: RateKind): RangeFunction {
  return (window, context) => {
    const floats = floatCount(window);
    const histograms = histogramCount(window);
    if (floats > 0 && histograms > 0) {
      context.annotations.warn(MESSAGES.mixedFloatsHistograms(metricOf(window)), context.at);
      return undefined;
    }
    if (floats > 1) return floatRate(window.series, window, kind);
    return histograms > 1 ? extrapolateHistogram(window, context, kind) : undefined;
  };
}

function extrapolation(
  window: Window,
  [firstMs, lastMs, count]: readonly [number, number, number],
  toZero: number,
): number {
  return extrapolationFactor({
    sampledMs: lastMs - firstMs,
    gaps: count - 1,
    toStartMs: firstMs - window.startMs,
    toEndMs: window.endMs - lastMs,
    toZero,
  });
}

function extrapolateHistogram(
  window: Window,
  context: RangeCallContext,
  { isCounter, isRate }: RateKind,
): Histogram | undefined {
  const { annotations, at } = context;
  const points = histogramsOf(window);
  const name = metricOf(window);
  const difference = subtractWindow(points, isCounter, {
    notCounter: () => annotations.warn(MESSAGES.notCounter(name), at),
    notGauge: () => annotations.warn(MESSAGES.notGauge(name), at),
    incompatible: () => annotations.warn(MESSAGES.mixedSchemas(name), at),
    reconciled: (operation) => annotations.inform(MESSAGES.reconciledBuckets(operation), at),
  });
  const first = points[0];
  if (difference === undefined || first === undefined) return undefined;
  const isRising = isCounter && difference.count > 0 && first.count >= 0;
  const toZero = isRising ? first.count / difference.count : -1;
  const last = points.length - 1;
  const times = [histogramTimeOf(window, 0), histogramTimeOf(window, last), points.length] as const;
  const factor = extrapolation(window, times, toZero);
  return scaleHistogram(difference, factor / (isRate ? context.rangeMs / 1000 : 1));
}

/** Between the last two samples. */
function instant(isRate: boolean): RangeFunction {
  return (window, context) => {
    const [previous, last] = lastTwo(window);
    if (previous === undefined || last === undefined) return undefined;
    const intervalMs = last.timeMs - previous.timeMs;
    if (intervalMs === 0) return undefined;
    const divisor = isRate ? intervalMs / 1000 : 1;
    const [a, b] = [previous.sample, last.sample];
    if (typeof a === 'number' && typeof b === 'number') {
      return (isRate && b < a ? b : b - a) / divisor;
    }
    if (typeof a === 'number' || typeof b === 'number') {
      context.annotations.warn(MESSAGES.mixedFloatsHistograms(metricOf(window)), context.at);
      return undefined;
    }
    const difference = instantHistogram(a, b, { isRate, name: metricOf(window), ...context });
    return difference === undefined ? undefined : scaleHistogram(difference, 1 / divisor);
  };
}

function lastTwo(window: Window) {
  if (histogramCount(window) > 0) return samplesOf(window).slice(-2);
  const count = floatCount(window);
  if (count < 2) return [];
  return [count - 2, count - 1].map((i) => ({
    timeMs: timeOf(window, i),
    sample: floatAt(window, i),
  }));
}

export const RATES: Readonly<Record<string, RangeFunction>> = {
  ...Object.fromEntries(
    Object.entries(RATE_KINDS).map(([name, kind]) => [name, extrapolated(kind)]),
  ),
  irate: instant(true),
  idelta: instant(false),
};
