// Series from the source: at instants, and over ranges.
import type { At, Extension, MatrixSelector, Subquery, VectorSelector } from '../parse/ast.ts';
import type { Histogram, Labels, SeriesSamples } from '../series-source.ts';
import { type Evaluation, executionFault, type TimeGrid, timeAt } from './evaluation.ts';
import { smoothedInstant } from './extended-range.ts';
import { HISTOGRAM, newRows, type OpenRow, type Row, setSample } from './row.ts';
import { isStale, isStaleAt, wordsOf } from './stale.ts';

/** Points of one series in time order, floats and histograms apart, stale markers gone. */
export interface RangeSeries {
  readonly labels: Labels;
  readonly dropsName: boolean;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histogramTimes: readonly number[];
  readonly histograms: readonly Histogram[];
}

/** What a range function runs over: windows (end - range, end], the end moving with the grid. */
export interface RangeInput {
  /** To be walked once; a series is good until the next one. */
  readonly series: Iterable<RangeSeries>;
  readonly rangeMs: number;
  /** The end of the window at a step. */
  windowEnd(step: number): number;
  readonly lookbackMs: number;
  readonly extension?: Extension | undefined;
}

/** The time that a selector looks at when the query stands at a step. */
function referenceTime(
  evaluation: Evaluation,
  grid: TimeGrid,
  { at, offsetMs }: { readonly at?: At | undefined; readonly offsetMs: number },
): (step: number) => number {
  if (at === undefined) return (step) => timeAt(grid, step) - offsetMs;
  const { startMs, endMs } = evaluation.query;
  const atMs = at.kind === 'time' ? at.timeMs : at.kind === 'start' ? startMs : endMs;
  return () => atMs - offsetMs;
}

async function fetchSeries<Series>(
  evaluation: Evaluation,
  selector: VectorSelector,
  [startMs, endMs]: readonly [number, number],
  map: (series: SeriesSamples) => Series,
): Promise<Iterable<Series>> {
  const { limits, signal } = evaluation;
  const { matchers } = selector;
  const series = await evaluation.source.select(
    { matchers, startMs, endMs },
    { signal, samplesMax: limits.samplesMax, seriesMax: limits.seriesMax },
  );
  return counted(evaluation, series, map);
}

function* counted<Series>(
  evaluation: Evaluation,
  series: Iterable<SeriesSamples>,
  map: (series: SeriesSamples) => Series,
): Generator<Series> {
  const { seriesMax } = evaluation.limits;
  let count = 0;
  for (const one of series) {
    count += 1;
    if (count > seriesMax) {
      throw executionFault(`more series selected than ${seriesMax}`);
    }
    evaluation.countRead(one.times.length);
    yield map(one);
  }
}

/** For each series and step the newest sample within the lookback; `timestamp()` wants its time. */
export async function selectInstants(
  evaluation: Evaluation,
  grid: TimeGrid,
  selector: VectorSelector,
  wantsTime = false,
): Promise<Row[]> {
  const rows: Row[] = [];
  const how = { open: newRows(grid.steps), take: (row: Row) => void rows.push(row), wantsTime };
  await walkInstants(evaluation, grid, selector, how);
  return rows;
}

/** The same, one row after the other; those without a sample are left out. */
export async function walkInstants(
  evaluation: Evaluation,
  grid: TimeGrid,
  selector: VectorSelector,
  {
    open,
    take,
    wantsTime,
  }: {
    readonly open: OpenRow;
    readonly take: (row: Row) => void;
    readonly wantsTime: boolean;
  },
): Promise<void> {
  const reference = referenceTime(evaluation, grid, selector);
  const lastMs = reference(grid.steps - 1);
  const { lookbackMs } = evaluation;
  const isSmoothed = selector.extension === 'smoothed' && !wantsTime;
  const bounds = [reference(0) - lookbackMs + 1, lastMs + (isSmoothed ? lookbackMs : 0)] as const;
  const fill = isSmoothed ? fillSmoothed : fillInstants;
  const options = { reference, lookbackMs, wantsTime };
  for (const series of await fetchSeries(evaluation, selector, bounds, asItIs)) {
    const row = open(series.labels, wantsTime);
    if (fill(row, series, options)) take(row);
    const turn = evaluation.work(series.times.length + grid.steps);
    if (turn !== undefined) await turn;
  }
}

function fillInstants(
  row: Row,
  { times, values, histograms }: SeriesSamples,
  options: { reference: (step: number) => number; lookbackMs: number; wantsTime: boolean },
): boolean {
  const { reference, lookbackMs, wantsTime } = options;
  let next = 0;
  let isAny = false;
  for (let step = 0; step < row.has.length; step++) {
    const now = reference(step);
    while (next < times.length && (times[next] ?? 0) <= now) next++;
    const at = next - 1;
    const time = times[at];
    if (time === undefined || time <= now - lookbackMs || isStaleAt(values, at)) continue;
    isAny = true;
    if (wantsTime) setSample(row, step, time / 1000);
    else setSample(row, step, histograms?.[at] ?? values[at] ?? Number.NaN);
  }
  return isAny;
}

function fillSmoothed(
  row: Row,
  series: SeriesSamples,
  options: { reference: (step: number) => number; lookbackMs: number },
): boolean {
  const { times, values } = withoutStale(series);
  let isAny = false;
  for (let step = 0; step < row.has.length; step++) {
    const value = smoothedInstant(times, values, options.reference(step), options.lookbackMs);
    if (value === undefined) continue;
    setSample(row, step, value);
    isAny = true;
  }
  return isAny;
}

/** The samples under a range selector. */
export async function selectRange(
  evaluation: Evaluation,
  grid: TimeGrid,
  { selector, rangeMs }: MatrixSelector,
): Promise<RangeInput> {
  const windowEnd = referenceTime(evaluation, grid, selector);
  const { extension } = selector;
  const { lookbackMs } = evaluation;
  const earlierMs = extension === undefined ? 0 : lookbackMs;
  const laterMs = extension === 'smoothed' ? lookbackMs : 0;
  const bounds = [
    windowEnd(0) - rangeMs - earlierMs + 1,
    windowEnd(grid.steps - 1) + laterMs,
  ] as const;
  const series = await fetchSeries(evaluation, selector, bounds, withoutStale);
  return { series, rangeMs, windowEnd, lookbackMs, extension };
}

const asItIs = (series: SeriesSamples): SeriesSamples => series;

const NO_TIMES: readonly number[] = [];
const NO_HISTOGRAMS: readonly Histogram[] = [];

function withoutStale(series: SeriesSamples): RangeSeries {
  const { labels, times, values, histograms } = series;
  if (histograms === undefined && !hasNan(values)) {
    const [histogramTimes, none] = [NO_TIMES, NO_HISTOGRAMS];
    return { labels, dropsName: false, times, values, histogramTimes, histograms: none };
  }
  const words = wordsOf(values);
  const floats = new Float64Array(values.length);
  const floatTimes = new Float64Array(values.length);
  const kept: Histogram[] = [];
  const histogramTimes: number[] = [];
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (isStale(words, i)) continue;
    const histogram = histograms?.[i];
    if (histogram !== undefined) {
      kept.push(histogram);
      histogramTimes.push(times[i] ?? 0);
      continue;
    }
    floats[count] = values[i] ?? Number.NaN;
    floatTimes[count++] = times[i] ?? 0;
  }
  return {
    labels,
    dropsName: false,
    times: floatTimes.subarray(0, count),
    values: floats.subarray(0, count),
    histogramTimes,
    histograms: kept,
  };
}

/** Stale markers are among the NaN, and most series have none of either. */
function hasNan(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** The inner expression at absolute multiples of the step, as samples under a range. */
export async function selectSubquery(
  evaluation: Evaluation,
  grid: TimeGrid,
  subquery: Subquery,
): Promise<RangeInput> {
  const { rangeMs } = subquery;
  const { lookbackMs } = evaluation;
  const stepMs = subquery.stepMs || evaluation.subqueryStepMs;
  const windowEnd = referenceTime(evaluation, grid, subquery);
  const earliest = windowEnd(0) - rangeMs;
  let startMs = Math.trunc(earliest / stepMs) * stepMs;
  if (startMs <= earliest) startMs += stepMs;
  const endMs = windowEnd(grid.steps - 1);
  const steps = Math.floor((endMs - startMs) / stepMs) + 1;
  if (steps <= 0) return { series: [], rangeMs, windowEnd, lookbackMs };
  if (steps > evaluation.limits.samplesMax) {
    throw executionFault(
      `a subquery of ${steps} steps, the most is ${evaluation.limits.samplesMax}`,
    );
  }
  const inner: TimeGrid = { startMs, stepMs, steps };
  const value = await evaluation.evaluate(subquery.expression, inner);
  const rows = value.kind === 'vector' ? value.rows : [];
  return { series: rows.map((row) => rangeOfRow(row, inner)), rangeMs, windowEnd, lookbackMs };
}

function rangeOfRow(row: Row, grid: TimeGrid): RangeSeries {
  const times: number[] = [];
  const values: number[] = [];
  const histogramTimes: number[] = [];
  const histograms: Histogram[] = [];
  for (let step = 0; step < grid.steps; step++) {
    const histogram = row.has[step] === HISTOGRAM ? row.histograms?.[step] : undefined;
    if (histogram !== undefined) {
      histogramTimes.push(timeAt(grid, step));
      // Between two steps may lie a reset, and one sample may stand at two steps.
      const isGauge = histogram.counterReset === 'gauge';
      histograms.push(isGauge ? histogram : { ...histogram, counterReset: 'unknown' });
    } else if (row.has[step] !== 0) {
      times.push(timeAt(grid, step));
      values.push(row.values[step] ?? Number.NaN);
    }
  }
  return {
    labels: row.labels,
    dropsName: row.dropsName,
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    histogramTimes,
    histograms,
  };
}
