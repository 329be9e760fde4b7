import type { Histogram } from '../series-source.ts';
import type { RangeInput, RangeSeries } from './select.ts';

/** The points of one series in (startMs, endMs]; one object is reused for all windows of a series. */
export interface Window {
  readonly series: RangeSeries;
  startMs: number;
  endMs: number;
  /** Floats from..to (exclusive), histograms likewise. */
  from: number;
  to: number;
  histogramFrom: number;
  histogramTo: number;
}

export const openWindow = (series: RangeSeries): Window => ({
  series,
  startMs: 0,
  endMs: 0,
  from: 0,
  to: 0,
  histogramFrom: 0,
  histogramTo: 0,
});

/** Moves to a step; ends may not go back between calls. */
export function moveWindow(window: Window, input: RangeInput, step: number): void {
  const { times, histogramTimes } = window.series;
  const endMs = input.windowEnd(step);
  const startMs = endMs - input.rangeMs;
  window.startMs = startMs;
  window.endMs = endMs;
  window.to = advance(times, window.to, endMs);
  window.from = advance(times, window.from, startMs);
  if (histogramTimes.length === 0) return;
  window.histogramTo = advance(histogramTimes, window.histogramTo, endMs);
  window.histogramFrom = advance(histogramTimes, window.histogramFrom, startMs);
}

/** The first index from `at` on whose time is later than `limitMs`. */
function advance(times: ArrayLike<number>, at: number, limitMs: number): number {
  let next = at;
  while (next < times.length && (times[next] ?? 0) <= limitMs) next++;
  return next;
}

export const floatCount = (window: Window): number => window.to - window.from;
export const histogramCount = (window: Window): number => window.histogramTo - window.histogramFrom;

export const floatAt = (window: Window, index: number): number =>
  window.series.values[window.from + index] ?? Number.NaN;
export const timeOf = (window: Window, index: number): number =>
  window.series.times[window.from + index] ?? Number.NaN;
export const histogramsOf = (window: Window): readonly Histogram[] =>
  window.series.histograms.slice(window.histogramFrom, window.histogramTo);
export const histogramTimeOf = (window: Window, index: number): number =>
  window.series.histogramTimes[window.histogramFrom + index] ?? Number.NaN;

export const floatsOf = (window: Window): number[] =>
  Array.from(window.series.values.subarray(window.from, window.to));

export interface TimedSample {
  readonly timeMs: number;
  readonly sample: number | Histogram;
}

/** Floats and histograms of the window merged in time order. */
export function samplesOf(window: Window): TimedSample[] {
  const floats: TimedSample[] = floatsOf(window).map((sample, i) => ({
    timeMs: timeOf(window, i),
    sample,
  }));
  if (histogramCount(window) === 0) return floats;
  const histograms = histogramsOf(window).map((sample, i) => ({
    timeMs: histogramTimeOf(window, i),
    sample,
  }));
  return [...floats, ...histograms].sort((a, b) => a.timeMs - b.timeMs);
}
