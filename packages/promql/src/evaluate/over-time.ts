// The `…_over_time` functions and other folds over a window.

import { equalHistograms } from '../histogram/equal.ts';
import { addHistograms, averageHistograms } from '../histogram/fold.ts';
import { isReset } from '../histogram/reset.ts';
import type { Histogram } from '../series-source.ts';
import { MESSAGES } from './annotations.ts';
import { addCompensated, addToMean, newMean, quantileOf, readMean } from './kahan.ts';
import { metricOf, type RangeCallContext, type RangeFunction } from './range-function.ts';
import {
  floatAt,
  floatCount,
  floatsOf,
  histogramCount,
  histogramsOf,
  histogramTimeOf,
  samplesOf,
  timeOf,
  type Window,
} from './window.ts';

/** Of floats only; a mixed range is computed without its histograms, with an info. */
function overFloats(
  fold: (window: Window, context: RangeCallContext) => number | undefined,
): RangeFunction {
  return (window, context) => {
    if (floatCount(window) === 0) return undefined;
    if (histogramCount(window) > 0) {
      context.annotations.inform(MESSAGES.histogramIgnoredInRange(metricOf(window)), context.at);
    }
    return fold(window, context);
  };
}

/** Of floats or of histograms; of both there is no answer but a warning. */
function overEither(
  floats: (window: Window) => number,
  histograms: (window: Window, context: RangeCallContext) => Histogram | undefined,
): RangeFunction {
  return (window, context) => {
    if (floatCount(window) > 0 && histogramCount(window) > 0) {
      context.annotations.warn(MESSAGES.mixedFloatsHistograms(metricOf(window)), context.at);
      return undefined;
    }
    if (floatCount(window) > 0) return floats(window);
    return histogramCount(window) > 0 ? histograms(window, context) : undefined;
  };
}

const isAny = (window: Window): boolean => floatCount(window) + histogramCount(window) > 0;

/** The index of the extreme float; NaN gives way to any number. */
function extreme(window: Window, isBetter: (candidate: number, best: number) => boolean): number {
  let best = 0;
  for (let i = 1; i < floatCount(window); i++) {
    const value = floatAt(window, i);
    if (isBetter(value, floatAt(window, best)) || Number.isNaN(floatAt(window, best))) best = i;
  }
  return best;
}
const above = (a: number, b: number): boolean => a > b;
const below = (a: number, b: number): boolean => a < b;
const notBelow = (a: number, b: number): boolean => a >= b;
const notAbove = (a: number, b: number): boolean => a <= b;

function variance(window: Window): number {
  const mean = { sum: 0, compensation: 0 };
  const squares = { sum: 0, compensation: 0 };
  for (let i = 0; i < floatCount(window); i++) {
    const value = floatAt(window, i);
    const delta = value - (mean.sum + mean.compensation);
    addCompensated(mean, delta / (i + 1));
    addCompensated(squares, delta * (value - (mean.sum + mean.compensation)));
  }
  return (squares.sum + squares.compensation) / floatCount(window);
}

function medianDeviation(window: Window): number {
  const values = floatsOf(window);
  if (values.some(Number.isNaN)) return Number.NaN;
  const median = quantileOf(0.5, values);
  return quantileOf(
    0.5,
    values.map((value) => Math.abs(value - median)),
  );
}

function countChanges(window: Window): number {
  let changes = 0;
  const [first, ...rest] = samplesOf(window).map(({ sample }) => sample);
  let previous = first;
  for (const sample of rest) {
    if (!isSame(previous, sample)) changes++;
    previous = sample;
  }
  return changes;
}

function isSame(a: number | Histogram | undefined, b: number | Histogram): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return a === b || (Number.isNaN(a) && Number.isNaN(b));
  }
  if (typeof a === 'object' && typeof b === 'object') return equalHistograms(a, b);
  return false;
}

function countResets(window: Window): number {
  let resets = 0;
  const [first, ...rest] = samplesOf(window).map(({ sample }) => sample);
  let previous = first;
  for (const sample of rest) {
    if (typeof previous === 'number' && typeof sample === 'number') {
      if (sample < previous) resets++;
    } else if (typeof previous === 'object' && typeof sample === 'object') {
      const isGauge = sample.counterReset === 'gauge';
      const turned = isGauge !== (previous.counterReset === 'gauge');
      if (turned || isReset(sample, previous)) resets++;
    } else resets++;
    previous = sample;
  }
  return resets;
}

const sumFloats = (window: Window): number => {
  const total = { sum: 0, compensation: 0 };
  for (let i = 0; i < floatCount(window); i++) addCompensated(total, floatAt(window, i));
  return total.sum + total.compensation;
};

const meanFloats = (window: Window): number => {
  const mean = newMean(floatAt(window, 0));
  for (let i = 1; i < floatCount(window); i++) addToMean(mean, floatAt(window, i));
  return readMean(mean);
};

const seconds = (ms: number): number => ms / 1000;

export const OVER_TIME: Readonly<Record<string, RangeFunction>> = {
  sum_over_time: overEither(sumFloats, (window, context) =>
    addHistograms(histogramsOf(window), foldNotes(window, context)),
  ),
  avg_over_time: overEither(meanFloats, (window, context) =>
    averageHistograms(histogramsOf(window), foldNotes(window, context)),
  ),
  count_over_time: (window) =>
    isAny(window) ? floatCount(window) + histogramCount(window) : undefined,
  present_over_time: (window) => (isAny(window) ? 1 : undefined),
  last_over_time: (window) => samplesOf(window).at(-1)?.sample,
  first_over_time: (window) => samplesOf(window)[0]?.sample,
  ts_of_last_over_time: (window) => lastTime(window),
  ts_of_first_over_time: (window) => firstTime(window),
  max_over_time: overFloats((window) => floatAt(window, extreme(window, above))),
  min_over_time: overFloats((window) => floatAt(window, extreme(window, below))),
  ts_of_max_over_time: overFloats((window) => seconds(timeOf(window, extreme(window, notBelow)))),
  ts_of_min_over_time: overFloats((window) => seconds(timeOf(window, extreme(window, notAbove)))),
  stdvar_over_time: overFloats(variance),
  stddev_over_time: overFloats((window) => Math.sqrt(variance(window))),
  mad_over_time: overFloats(medianDeviation),
  quantile_over_time: overFloats((window, { scalars }) =>
    quantileOf(scalars[0] ?? Number.NaN, floatsOf(window)),
  ),
  changes: (window) => (isAny(window) ? countChanges(window) : undefined),
  resets: (window) => (isAny(window) ? countResets(window) : undefined),
};

function firstTime(window: Window): number | undefined {
  const first = samplesOf(window)[0];
  return first === undefined ? undefined : seconds(first.timeMs);
}

function lastTime(window: Window): number | undefined {
  if (!isAny(window)) return undefined;
  const float = floatCount(window) > 0 ? timeOf(window, floatCount(window) - 1) : 0;
  const histograms = histogramCount(window);
  return seconds(Math.max(float, histograms > 0 ? histogramTimeOf(window, histograms - 1) : 0));
}

/** Where folding histograms of different kinds tells of it. */
function foldNotes(window: Window, { annotations, at }: RangeCallContext) {
  return {
    incompatible: () => annotations.warn(MESSAGES.mixedSchemas(metricOf(window)), at),
    reconciled: () => annotations.inform(MESSAGES.reconciledBuckets('aggregation'), at),
    collided: () => annotations.warn(MESSAGES.resetCollision('aggregation'), at),
  };
}
