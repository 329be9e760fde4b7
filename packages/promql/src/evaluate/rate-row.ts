// The fast path of rate, increase and delta: floats of a series in one pass, into a row or a sum.
//
// Windows move by two indexes, no object is made per step, and a series without a reset is not
// searched for one at each: that is what `bench metrics` pays for (10,000 series × 240 steps).
import { lostBy } from './kahan.ts';
import { FLOAT, type Sums } from './row.ts';
import type { RangeSeries } from './select.ts';
import type { Window } from './window.ts';

export interface RateKind {
  readonly isCounter: boolean;
  readonly isRate: boolean;
}

export const RATE_KINDS: Readonly<Record<string, RateKind>> = {
  rate: { isCounter: true, isRate: true },
  increase: { isCounter: true, isRate: false },
  delta: { isCounter: false, isRate: false },
};

/**
 * Adds to each step's sum what `extrapolated` in rate.ts gives for its window of floats; false:
 * nothing. The arithmetic of `extrapolationFactor` with fewer divisions: one for most windows.
 */
export function addRates(
  sums: Sums,
  { times, values }: RangeSeries,
  { windowEnds, rangeMs }: { readonly windowEnds: Float64Array; readonly rangeMs: number },
  { isCounter, isRate }: RateKind,
): boolean {
  const { values: totals, has, compensations } = sums;
  const { length } = times;
  const perSecond = isRate ? rangeMs / 1000 : 1;
  let from = 0;
  let to = 0;
  /** The newest sample below the one before it; 0: none. */
  let resetAt = 0;
  let isAny = false;
  for (let step = 0; step < windowEnds.length; step++) {
    const endMs = windowEnds[step] as number; // Below the length, as every index here.
    const startMs = endMs - rangeMs;
    for (; to < length && (times[to] as number) <= endMs; to++) {
      if (to > 0 && (values[to] as number) < (values[to - 1] as number)) resetAt = to;
    }
    while (from < length && (times[from] as number) <= startMs) from++;
    const gaps = to - from - 1;
    if (gaps < 1) continue;
    const first = values[from] as number;
    const firstMs = times[from] as number;
    const lastMs = times[to - 1] as number;
    const sampledMs = lastMs - firstMs;
    let difference = (values[to - 1] as number) - first;
    if (isCounter && resetAt > from) difference += lostBetween(values, from, to);
    let toStartMs = edgeMs(firstMs - startMs, sampledMs, gaps);
    // Its zero is nearer than the edge only where a counter grew by most of what it has.
    if (isCounter && first >= 0 && first < 2 * difference) {
      toStartMs = Math.min(toStartMs, sampledMs * (first / difference));
    }
    const coveredMs = sampledMs + toStartMs + edgeMs(endMs - lastMs, sampledMs, gaps);
    const rate = difference * (coveredMs / (sampledMs * perSecond));
    isAny = true;
    if (has[step] !== FLOAT) {
      has[step] = FLOAT;
      totals[step] = rate;
      continue;
    }
    const sum = totals[step] as number;
    const total = sum + rate;
    totals[step] = total;
    compensations[step] = Number.isFinite(total)
      ? (compensations[step] as number) + lostBy(sum, rate, total)
      : 0;
  }
  return isAny;
}

/** In seconds where it matters: a tie at 1.1 must fall as it does in Prometheus. */
function edgeMs(gapMs: number, sampledMs: number, gaps: number): number {
  if (gapMs * gaps <= sampledMs) return gapMs;
  const distanceMs = sampledMs / gaps;
  return gapMs / 1000 >= (distanceMs / 1000) * 1.1 ? distanceMs / 2 : gapMs;
}

/** Of at least two floats from `from` to before `to`. */
export function floatRate(
  { times, values }: RangeSeries,
  { from, to, startMs, endMs }: Pick<Window, 'from' | 'to' | 'startMs' | 'endMs'>,
  { isCounter, isRate }: RateKind,
): number {
  const first = values[from] ?? 0;
  let difference = (values[to - 1] ?? 0) - first;
  if (isCounter) difference += lostBetween(values, from, to);
  const factor = extrapolationFactor({
    sampledMs: (times[to - 1] ?? 0) - (times[from] ?? 0),
    gaps: to - from - 1,
    toStartMs: (times[from] ?? 0) - startMs,
    toEndMs: endMs - (times[to - 1] ?? 0),
    toZero: isCounter && difference > 0 && first >= 0 ? first / difference : -1,
  });
  return (difference * factor) / (isRate ? (endMs - startMs) / 1000 : 1);
}

/** What a counter had when it started again, summed. */
function lostBetween(values: Float64Array, from: number, to: number): number {
  let lost = 0;
  let previous = values[from] ?? 0;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] ?? 0;
    if (value < previous) lost += previous;
    previous = value;
  }
  return lost;
}

/**
 * By how much more than between the samples the window counts: to each edge, but by at most half a
 * sample's distance where the edge is further than 1.1 of it, and for a counter not below its zero,
 * which lies `toZero` sampled intervals before the first sample (negative: unknown).
 * Source: Prometheus docs, "rate()".
 */
export function extrapolationFactor(window: {
  readonly sampledMs: number;
  readonly gaps: number;
  readonly toStartMs: number;
  readonly toEndMs: number;
  readonly toZero: number;
}): number {
  const sampled = window.sampledMs / 1000;
  const distance = sampled / window.gaps;
  const threshold = distance * 1.1;
  let toStart = window.toStartMs / 1000;
  let toEnd = window.toEndMs / 1000;
  if (toStart >= threshold) toStart = distance / 2;
  if (window.toZero >= 0) toStart = Math.min(toStart, sampled * window.toZero);
  if (toEnd >= threshold) toEnd = distance / 2;
  return (sampled + toStart + toEnd) / sampled;
}
