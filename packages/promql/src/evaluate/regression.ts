// deriv, predict_linear, double_exponential_smoothing.
import { MESSAGES } from './annotations.ts';
import { executionFault } from './evaluation.ts';
import { addCompensated } from './kahan.ts';
import { metricOf, type RangeFunction } from './range-function.ts';
import { floatAt, floatCount, histogramCount, timeOf, type Window } from './window.ts';

/** The least-squares line; the intercept is at `interceptMs`, the slope per second. */
function regress(window: Window, interceptMs: number): { slope: number; intercept: number } {
  const count = floatCount(window);
  const first = floatAt(window, 0);
  const sums = [0, 1, 2, 3].map(() => ({ sum: 0, compensation: 0 }));
  let isConstant = true;
  for (let i = 0; i < count; i++) {
    const y = floatAt(window, i);
    if (i > 0 && y !== first) isConstant = false;
    const x = (timeOf(window, i) - interceptMs) / 1000;
    [x, y, x * y, x * x].forEach((term, at) => {
      const into = sums[at];
      if (into !== undefined) addCompensated(into, term);
    });
  }
  if (isConstant) {
    return Number.isFinite(first)
      ? { slope: 0, intercept: first }
      : { slope: Number.NaN, intercept: Number.NaN };
  }
  const [x = 0, y = 0, xy = 0, xx = 0] = sums.map(({ sum, compensation }) => sum + compensation);
  const slope = (xy - (x * y) / count) / (xx - (x * x) / count);
  return { slope, intercept: y / count - (slope * x) / count };
}

/** Histograms of a mixed range are left out, with an info. */
function overTwoFloats(
  compute: (window: Window, context: Parameters<RangeFunction>[1]) => number,
): RangeFunction {
  return (window, context) => {
    if (floatCount(window) > 0 && histogramCount(window) > 0) {
      context.annotations.inform(MESSAGES.histogramIgnoredInRange(metricOf(window)), context.at);
    }
    return floatCount(window) < 2 ? undefined : compute(window, context);
  };
}

/** Holt's double smoothing: level and trend. Factors outside 0..1 end the query. */
function smooth(window: Window, level: number, trend: number): number {
  for (const [factor, name, short] of [
    [level, 'smoothing', 'sf'],
    [trend, 'trend', 'tf'],
  ] as const) {
    if (!(factor > 0 && factor < 1)) {
      const got = factor.toFixed(6);
      throw executionFault(`invalid ${name} factor. Expected: 0 < ${short} < 1, got: ${got}`);
    }
  }
  let before = 0;
  let smoothed = floatAt(window, 0);
  let slope = floatAt(window, 1) - smoothed;
  for (let i = 1; i < floatCount(window); i++) {
    // The first slope is the first difference itself.
    if (i > 1) slope = trend * (smoothed - before) + (1 - trend) * slope;
    before = smoothed;
    smoothed = level * floatAt(window, i) + (1 - level) * (smoothed + slope);
  }
  return smoothed;
}

export const REGRESSIONS: Readonly<Record<string, RangeFunction>> = {
  deriv: overTwoFloats((window) => regress(window, timeOf(window, 0)).slope),
  predict_linear: overTwoFloats((window, { nowMs, scalars }) => {
    const { slope, intercept } = regress(window, nowMs);
    return slope * (scalars[0] ?? Number.NaN) + intercept;
  }),
  double_exponential_smoothing: overTwoFloats((window, { scalars: [level = 0, trend = 0] }) =>
    smooth(window, level, trend),
  ),
};
