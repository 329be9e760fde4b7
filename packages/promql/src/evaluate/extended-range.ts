// Experimental `anchored` and `smoothed`: ranges with a value at each edge instead of extrapolation.
// Source: Prometheus docs, "Extended Range Selectors".
import type { Extension } from '../parse/ast.ts';
import type { RangeInput, RangeSeries } from './select.ts';

interface Points {
  readonly times: number[];
  readonly values: number[];
}

/** Answers for one step, histograms left out; undefined where the range has no sample of its own. */
export function extendedSample(
  name: string,
  series: RangeSeries,
  input: RangeInput & { readonly extension: Extension },
  step: number,
): number | undefined {
  const endMs = input.windowEnd(step);
  const startMs = endMs - input.rangeMs;
  const isCounter = name === 'rate' || name === 'increase';
  const points = edgedPoints(series, { ...input, startMs, endMs, isCounter });
  if (points === undefined) return undefined;
  const { values } = points;
  if (name === 'changes') return countPairs(values, isChange);
  if (name === 'resets') return countPairs(values, (a, b) => b < a);
  let difference = (values.at(-1) ?? 0) - (values[0] ?? 0);
  if (isCounter) {
    values.forEach((value, i) => {
      const previous = values[i - 1];
      if (previous !== undefined && value < previous) difference += previous;
    });
  }
  return name === 'rate' ? difference / (input.rangeMs / 1000) : difference;
}

const isChange = (a: number, b: number): boolean =>
  a !== b && !(Number.isNaN(a) && Number.isNaN(b));

function countPairs(values: readonly number[], test: (a: number, b: number) => boolean): number {
  return values.filter((value, i) => i > 0 && test(values[i - 1] ?? value, value)).length;
}

interface Edges {
  readonly startMs: number;
  readonly endMs: number;
  readonly lookbackMs: number;
  readonly extension: Extension;
  readonly isCounter: boolean;
}

/** The samples of the range with one at its start and one at its end. */
function edgedPoints(series: RangeSeries, edges: Edges): Points | undefined {
  const { startMs, endMs, lookbackMs, extension, isCounter } = edges;
  const { times, values } = series;
  const points: Points = { times: [], values: [] };
  let before = -1;
  let after = -1;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] ?? 0;
    if (time <= startMs) {
      if (time > startMs - lookbackMs) before = i;
    } else if (time <= endMs) {
      points.times.push(time);
      points.values.push(values[i] ?? Number.NaN);
    } else if (time < endMs + lookbackMs) {
      after = i;
      break;
    }
  }
  const isSmoothed = extension === 'smoothed';
  if (points.times.length === 0 && !(isSmoothed && before >= 0 && after >= 0)) return undefined;
  const at = (i: number) => ({ time: times[i] ?? 0, value: values[i] ?? Number.NaN });
  const inside = points.times.map((time, i) => ({ time, value: points.values[i] ?? Number.NaN }));
  const first = inside[0] ?? at(after);
  const last = inside.at(-1) ?? at(before);
  if (before >= 0) {
    const left = at(before);
    points.times.unshift(startMs);
    points.values.unshift(
      isSmoothed ? interpolated(left, first, startMs, { isCounter, isStart: true }) : left.value,
    );
  }
  if (isSmoothed && after >= 0 && last.time < endMs) {
    points.times.push(endMs);
    points.values.push(interpolated(last, at(after), endMs, { isCounter, isStart: false }));
  }
  return points;
}

interface Point {
  readonly time: number;
  readonly value: number;
}

/** Over a counter's reset it rises from zero at the start edge, and past the old value at the end. */
function interpolated(
  from: Point,
  to: Point,
  time: number,
  { isCounter, isStart }: { isCounter: boolean; isStart: boolean },
): number {
  const isReset = isCounter && to.value < from.value;
  const low = isReset && isStart ? 0 : from.value;
  const high = isReset && !isStart ? to.value + from.value : to.value;
  return low + ((high - low) * (time - from.time)) / (to.time - from.time);
}

/** At an instant, between the samples around it; the last one stands alone within the lookback. */
export function smoothedInstant(
  times: Float64Array,
  values: Float64Array,
  nowMs: number,
  lookbackMs: number,
): number | undefined {
  let before = -1;
  while (before + 1 < times.length && (times[before + 1] ?? 0) <= nowMs) before++;
  const from = { time: times[before] ?? 0, value: values[before] ?? Number.NaN };
  if (before < 0 || from.time <= nowMs - lookbackMs) return undefined;
  const after = before + 1;
  const to = { time: times[after] ?? 0, value: values[after] ?? Number.NaN };
  if (from.time === nowMs || after >= times.length || to.time >= nowMs + lookbackMs) {
    return from.value;
  }
  return interpolated(from, to, nowMs, { isCounter: false, isStart: true });
}
