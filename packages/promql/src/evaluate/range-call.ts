import { labelsOf, labelValue, NAME_LABEL } from '../labels.ts';
import type { Call, Expression, MatrixSelector } from '../parse/ast.ts';
import type { Histogram, Labels } from '../series-source.ts';
import { MESSAGES } from './annotations.ts';
import { type Evaluation, type TimeGrid, timeAt } from './evaluation.ts';
import { extendedSample } from './extended-range.ts';
import { OVER_TIME } from './over-time.ts';
import type { RangeCallContext, RangeFunction } from './range-function.ts';
import { RATES } from './rate.ts';
import { addRates, RATE_KINDS, type RateKind } from './rate-row.ts';
import { REGRESSIONS } from './regression.ts';
import {
  FLOAT,
  isEmptyRow,
  NONE,
  newRow,
  newRows,
  type OpenRow,
  type Row,
  type RowTaker,
  setSample,
  type Value,
} from './row.ts';
import { type RangeInput, type RangeSeries, selectRange, selectSubquery } from './select.ts';
import { floatCount, histogramCount, moveWindow, openWindow, type Window } from './window.ts';

const FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  ...OVER_TIME,
  ...RATES,
  ...REGRESSIONS,
};

/** Give back samples as they were, so the metric name still fits. */
const KEEPS_NAME: readonly string[] = ['last_over_time', 'first_over_time'];
const COUNTER_SUFFIX = /_(?:total|sum|count|bucket)$/;

/** Of a step, where looking at a sample is one: of a rate in one pass, and of any other window. */
const RATE_WORK = 3;
const WINDOW_WORK = 10;
const NO_COMPENSATIONS = new Float64Array(0);
const ABSENT = 'absent';
const ABSENT_OVER_TIME = 'absent_over_time';

export const isRangeFunction = (name: string): boolean =>
  Object.hasOwn(FUNCTIONS, name) || name === ABSENT_OVER_TIME || name === ABSENT;

export async function evaluateRangeCall(
  evaluation: Evaluation,
  call: Call,
  grid: TimeGrid,
): Promise<Value> {
  const rows: Row[] = [];
  const take = (row: Row): void => void rows.push(row);
  await walkRangeCall(evaluation, call, grid, { open: newRows(grid.steps), take });
  return { kind: 'vector', rows };
}

export interface RowWalk extends RowTaker {
  readonly open: OpenRow;
}

/** The rows of the call one after the other; those without a sample are left out. */
export async function walkRangeCall(
  evaluation: Evaluation,
  call: Call,
  grid: TimeGrid,
  walk: RowWalk,
): Promise<void> {
  const { name, argTypes } = call.signature;
  const range = call.args[argTypes.indexOf('matrix')];
  if (name === ABSENT) return takeAny(await evaluateAbsent(evaluation, call, grid), walk);
  if (range === undefined) return;
  const inner = unwrapped(range);
  const pushed = await pushedDown(evaluation, { call, grid, inner });
  if (pushed !== undefined) return takeAny(pushed, walk);
  const input = await selectInput(evaluation, inner, grid);
  if (name === ABSENT_OVER_TIME) {
    return takeAny([absentRow(absentLabels(inner), windowsPresent(input, grid))], walk);
  }
  const scalars = await evaluateScalars(evaluation, call, grid);
  const rateKind = input.extension === undefined ? RATE_KINDS[name] : undefined;
  const parts = { evaluation, call, grid, input, scalars, rateKind, at: range.range };
  const fill = filling(parts, walk);
  const stepsWork = (rateKind === undefined ? WINDOW_WORK : RATE_WORK) * grid.steps;
  let first: RangeSeries | undefined;
  let isAny = false;
  for (const series of input.series) {
    first ??= series;
    const dropsName = KEEPS_NAME.includes(name) ? series.dropsName : true;
    if (fill(series, dropsName)) isAny = true;
    const turn = evaluation.work(series.times.length + stepsWork);
    if (turn !== undefined) await turn;
  }
  if (isAny) annotateCall(evaluation, call, first, scalars);
}

function takeAny(rows: readonly Row[], { take }: RowWalk): void {
  for (const row of rows) if (!isEmptyRow(row)) take(row);
}

interface Filling {
  readonly evaluation: Evaluation;
  readonly call: Call;
  readonly grid: TimeGrid;
  readonly input: RangeInput;
  readonly scalars: readonly Float64Array[];
  /** What is computed in one pass. */
  readonly rateKind: RateKind | undefined;
  readonly at: RangeCallContext['at'];
}

/** How the samples of a series are handed on; false: it gives none. */
function filling(
  parts: Filling,
  walk: RowWalk,
): (series: RangeSeries, dropsName: boolean) => boolean {
  const { input, grid, evaluation, scalars, rateKind, at } = parts;
  const { annotations } = evaluation;
  const { rangeMs } = input;
  const { name } = parts.call.signature;
  const compute = FUNCTIONS[name];
  if (compute === undefined) return () => false;
  const windowEnds = Float64Array.from({ length: grid.steps }, (_, step) => input.windowEnd(step));
  const computed = (window: Window, step: number): ReturnType<RangeFunction> =>
    compute(window, {
      annotations,
      at,
      rangeMs,
      scalars: scalars.map((values) => values[step] ?? Number.NaN),
      nowMs: timeAt(grid, step),
    });
  const windows = { windowEnds, rangeMs };
  return (series, dropsName) => {
    const isFast = rateKind !== undefined && series.histograms.length === 0;
    const sums = isFast ? walk.sumsOf?.(series.labels, dropsName) : undefined;
    if (isFast && sums !== undefined) return addRates(sums, series, windows, rateKind);
    const row = walk.open(series.labels, dropsName);
    // The sum of one is itself.
    if (isFast) addRates({ ...row, compensations: NO_COMPENSATIONS }, series, windows, rateKind);
    else fillWindows(row, series, input, computed, name);
    if (isEmptyRow(row)) return false;
    walk.take(row);
    return true;
  };
}

function fillWindows(
  row: Row,
  series: RangeSeries,
  input: RangeInput,
  compute: (window: Window, step: number) => number | Histogram | undefined,
  name: string,
): void {
  const window = openWindow(series);
  for (let step = 0; step < row.has.length; step++) {
    if (input.extension !== undefined) {
      const value = extendedSample(name, series, { ...input, extension: input.extension }, step);
      if (value !== undefined) setSample(row, step, value);
      continue;
    }
    moveWindow(window, input, step);
    if (floatCount(window) === 0 && histogramCount(window) === 0) continue;
    const sample = compute(window, step);
    if (sample !== undefined) setSample(row, step, sample);
  }
}

function annotateCall(
  { annotations }: Evaluation,
  call: Call,
  first: RangeSeries | undefined,
  scalars: readonly Float64Array[],
): void {
  const { name } = call.signature;
  const [arg] = call.args;
  if (arg === undefined || first === undefined) return;
  if (name === 'rate' || name === 'increase') {
    const metric = labelValue(first.labels, NAME_LABEL);
    if (metric === '' || first.times.length === 0 || COUNTER_SUFFIX.test(metric)) return;
    annotations.inform(MESSAGES.possibleNonCounter(metric), arg.range);
  }
  if (name === 'quantile_over_time') {
    for (const q of new Set(scalars[0])) {
      if (!(q >= 0 && q <= 1)) annotations.warn(MESSAGES.invalidQuantile(q), arg.range);
    }
  }
}

async function evaluateScalars(
  evaluation: Evaluation,
  call: Call,
  grid: TimeGrid,
): Promise<Float64Array[]> {
  const scalars: Float64Array[] = [];
  for (const [i, arg] of call.args.entries()) {
    if (call.signature.argTypes[i] !== 'scalar') continue;
    const value = await evaluation.evaluate(arg, grid);
    if (value.kind === 'scalar') scalars.push(value.values);
  }
  return scalars;
}

async function selectInput(
  evaluation: Evaluation,
  inner: Expression,
  grid: TimeGrid,
): Promise<RangeInput> {
  if (inner.kind === 'subquery') return selectSubquery(evaluation, grid, inner);
  if (inner.kind === 'matrix-selector') return selectRange(evaluation, grid, inner);
  return { series: [], rangeMs: 0, windowEnd: () => 0, lookbackMs: 0 };
}

function unwrapped(expression: Expression): Expression {
  let inner = expression;
  while (inner.kind === 'parentheses') inner = inner.expression;
  return inner;
}

const isPlainRange = (inner: Expression): inner is MatrixSelector =>
  inner.kind === 'matrix-selector' &&
  inner.selector.at === undefined &&
  inner.selector.extension === undefined;

/** From a source that evaluates the function itself. */
async function pushedDown(
  { source, limits, signal, query, countRead }: Evaluation,
  { call, grid, inner }: { call: Call; grid: TimeGrid; inner: Expression },
): Promise<readonly Row[] | undefined> {
  if (source.evaluateRange === undefined || !isPlainRange(inner)) return undefined;
  if (call.args.length !== 1) return undefined;
  if (query.isInstant || grid.steps < 2) return undefined;
  const series = await source.evaluateRange(rangeCall(call.signature.name, inner, grid), {
    signal,
    samplesMax: limits.samplesMax,
    seriesMax: limits.seriesMax,
  });
  if (series === undefined) return undefined;
  const dropsName = !KEEPS_NAME.includes(call.signature.name);
  countRead(series.length * grid.steps);
  return series.map(({ labels, values, has }) => ({
    labels,
    values,
    has: has.map((one) => (one === 0 ? NONE : FLOAT)),
    histograms: undefined,
    dropsName,
  }));
}

const rangeCall = (name: string, { selector, rangeMs }: MatrixSelector, grid: TimeGrid) => ({
  name,
  matchers: selector.matchers,
  rangeMs,
  offsetMs: selector.offsetMs,
  startMs: grid.startMs,
  endMs: timeAt(grid, grid.steps - 1),
  stepMs: grid.stepMs,
});

async function evaluateAbsent(evaluation: Evaluation, call: Call, grid: TimeGrid): Promise<Row[]> {
  const [arg] = call.args;
  if (arg === undefined) return [];
  const value = await evaluation.evaluate(arg, grid);
  const present = new Uint8Array(grid.steps);
  for (const row of value.kind === 'vector' ? value.rows : []) {
    row.has.forEach((has, step) => {
      if (has !== NONE) present[step] = 1;
    });
  }
  return [absentRow(absentLabels(unwrapped(arg)), present)];
}

function windowsPresent(input: RangeInput, grid: TimeGrid): Uint8Array {
  const present = new Uint8Array(grid.steps);
  for (const series of input.series) {
    const window = openWindow(series);
    for (let step = 0; step < grid.steps; step++) {
      moveWindow(window, input, step);
      if (floatCount(window) + histogramCount(window) > 0) present[step] = 1;
    }
  }
  return present;
}

function absentRow(labels: Labels, present: Uint8Array): Row {
  const row = newRow(labels, present.length, false);
  present.forEach((isPresent, step) => {
    if (isPresent === 0) setSample(row, step, 1);
  });
  return row;
}

/** The labels that the selector asks to be equal, each asked once. */
function absentLabels(expression: Expression): Labels {
  const selector = expression.kind === 'matrix-selector' ? expression.selector : expression;
  if (selector.kind !== 'vector-selector') return [];
  const labels = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, operator, value } of selector.matchers) {
    if (name === NAME_LABEL) continue;
    if (operator === '=' && !seen.has(name)) {
      labels.set(name, value);
      seen.add(name);
    } else labels.delete(name);
  }
  return labelsOf(labels);
}
