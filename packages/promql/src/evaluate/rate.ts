// rate, increase, delta, irate, idelta.

import { scaleHistogram } from '../histogram/arithmetic.ts';
import { subtractWindow } from '../histogram/rate.ts';
import type { Histogram } from '../series-source.ts';
import { MESSAGES } from './annotations.ts';
import { instantHistogram } from './instant-histogram.ts';
import { metricOf, type RangeCallContext, type RangeFunction } from './range-function.ts';
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

interface Kind {
  readonly isCounter: boolean;
  readonly isRate: boolean;
}

/**
 * The difference over the window, extrapolated to its edges: by at most half a sample's distance
 * where the edge is further than 1.1 of it, and for a counter never below its zero.
 * Source: Prometheus docs, "rate()"; behaviour of Prometheus 3.
 */
function extrapolated({ isCounter, isRate }: Kind): RangeFunction {
  return (window, context) => {
    const floats = floatCount(window);
    const histograms = histogramCount(window);
    if (floats > 0 && histograms > 0) {
      context.annotations.warn(MESSAGES.mixedFloatsHistograms(metricOf(window)), context.at);
      return undefined;
    }
    if (floats > 1) {
      const difference = floatDifference(window, isCounter);
      const first = floatAt(window, 0);
      const toZero = isCounter && difference > 0 && first >= 0 ? first / difference : undefined;
      const times = [timeOf(window, 0), timeOf(window, floats - 1), floats] as const;
      const factor = extrapolation(window, times, isCounter, toZero);
      return (difference * factor) / (isRate ? context.rangeMs / 1000 : 1);
    }
    if (histograms < 2) return undefined;
    return extrapolateHistogram(window, context, { isCounter, isRate });
  };
}

function floatDifference(window: Window, isCounter: boolean): number {
  const { values } = window.series;
  const { from, to } = window;
  let difference = (values[to - 1] ?? 0) - (values[from] ?? 0);
  if (!isCounter) return difference;
  let previous = values[from] ?? 0;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] ?? 0;
    if (value < previous) difference += previous;
    previous = value;
  }
  return difference;
}

/** By how much more than between the samples the window counts; `toZero` in sampled intervals. */
function extrapolation(
  window: Window,
  [firstMs, lastMs, count]: readonly [number, number, number],
  isCounter: boolean,
  toZero: number | undefined,
): number {
  const sampled = (lastMs - firstMs) / 1000;
  const distance = sampled / (count - 1);
  const threshold = distance * 1.1;
  let toStart = (firstMs - window.startMs) / 1000;
  let toEnd = (window.endMs - lastMs) / 1000;
  if (toStart >= threshold) toStart = distance / 2;
  if (isCounter && toZero !== undefined) toStart = Math.min(toStart, sampled * toZero);
  if (toEnd >= threshold) toEnd = distance / 2;
  return (sampled + toStart + toEnd) / sampled;
}

function extrapolateHistogram(
  window: Window,
  context: RangeCallContext,
  { isCounter, isRate }: Kind,
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
  const toZero = isRising ? first.count / difference.count : undefined;
  const last = points.length - 1;
  const times = [histogramTimeOf(window, 0), histogramTimeOf(window, last), points.length] as const;
  const factor = extrapolation(window, times, isCounter, toZero);
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
  rate: extrapolated({ isCounter: true, isRate: true }),
  increase: extrapolated({ isCounter: true, isRate: false }),
  delta: extrapolated({ isCounter: false, isRate: false }),
  irate: instant(true),
  idelta: instant(false),
};
