import { equalHistograms } from '../histogram/equal.ts';
import { printHistogram } from '../histogram/print.ts';
import { formatFloat } from '../parse/numbers.ts';
import type { Histogram } from '../series-source.ts';

/** Relative, as in the original. */
const EPSILON = 1e-6;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** Equal but for rounding: by the relative difference; beside zero nothing but zero is near. */
export function isClose(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < EPSILON * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < EPSILON;
}

/** `namesHint`: the counter reset hints must be equal too. */
export function isSameSample(
  expected: number | Histogram | undefined,
  got: number | Histogram | undefined,
  namesHint: boolean,
): boolean {
  if (typeof expected === 'number' && typeof got === 'number') return isClose(expected, got);
  if (typeof expected === 'object' && typeof got === 'object') {
    const isHint = !namesHint || expected.counterReset === got.counterReset;
    return isHint && equalHistograms(expected, got, isClose);
  }
  return expected === got;
}

export function printSample(sample: number | Histogram | 'stale' | undefined): string {
  if (typeof sample === 'number') return formatFloat(sample);
  if (typeof sample !== 'object') return sample ?? 'nothing';
  const { schema, customBounds, counterReset } = sample;
  const rest = `schema ${schema}, bounds [${customBounds.join(' ')}], ${counterReset}`;
  return `${printHistogram(sample)} (${rest})`;
}
