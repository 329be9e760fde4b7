// The entry: a query text and its times to an answer, errors as values.
import { compareLabels } from '../labels.ts';
import type { Expression } from '../parse/ast.ts';
import { printExpression } from '../print/format.ts';
import { parsePromql } from '../promql.ts';
import { SourceLimitError } from '../series-source.ts';
import { openAnnotationLog } from './annotations.ts';
import { evaluateExpression, walkExpression } from './evaluate.ts';
import { type Evaluation, executionFault, QueryFault, type TimeGrid } from './evaluation.ts';
import { dropNames } from './names.ts';
import {
  DEFAULT_LIMITS,
  type InstantTime,
  LOOKBACK_MS,
  type QueryAnswer,
  type QueryErrorType,
  type QueryOptions,
  type QueryValue,
  type RangeTime,
  type TraceStage,
} from './query.ts';
import { resolveDurations } from './resolve-durations.ts';
import { instantValue, rangesValue, rangeValue } from './result.ts';
import type { Value } from './row.ts';
import { selectRange, selectSubquery } from './select.ts';

const SUBQUERY_STEP_MS = 60_000;
/** Units of work between two looks at the clock and the signal: about a millisecond. */
const WORK_MAX = 200_000;

/** At one instant. Never rejects: what goes wrong is an answer of kind `error`. */
export function evaluateInstant(
  query: string,
  { timeMs }: InstantTime,
  options: QueryOptions,
): Promise<QueryAnswer> {
  const times = { startMs: timeMs, endMs: timeMs, stepMs: 1, isInstant: true };
  return answer(query, times, options, async (evaluation, expression) => {
    const grid: TimeGrid = { startMs: timeMs, stepMs: 1, steps: 1 };
    const inner = unwrapped(expression);
    if (inner.kind === 'matrix-selector') {
      return rangesValue(await selectRange(evaluation, grid, inner));
    }
    if (inner.kind === 'subquery') {
      return rangesValue(await selectSubquery(evaluation, grid, inner));
    }
    return instantValue(withoutNames(await evaluation.evaluate(expression, grid)), timeMs);
  });
}

/** At each step of a range, both ends included. Never rejects. */
export function evaluateRange(
  query: string,
  times: RangeTime,
  options: QueryOptions,
): Promise<QueryAnswer> {
  return answer(query, { ...times, isInstant: false }, options, async (evaluation, expression) => {
    const { startMs, endMs, stepMs } = times;
    const steps = Math.floor((endMs - startMs) / stepMs) + 1;
    const grid: TimeGrid = { startMs, stepMs, steps };
    const value = withoutNames(await evaluation.evaluate(expression, grid));
    if (value.kind === 'vector') {
      const rows = [...value.rows].sort((a, b) => compareLabels(a.labels, b.labels));
      return rangeValue({ kind: 'vector', rows }, grid);
    }
    return rangeValue(value, grid);
  });
}

const withoutNames = (value: Value): Value =>
  value.kind === 'vector' ? { kind: 'vector', rows: dropNames(value.rows) } : value;

function unwrapped(expression: Expression): Expression {
  let inner = expression;
  while (inner.kind === 'parentheses') inner = inner.expression;
  return inner;
}

async function answer(
  query: string,
  times: Evaluation['query'],
  options: QueryOptions,
  compute: (evaluation: Evaluation, expression: Expression) => Promise<QueryValue>,
): Promise<QueryAnswer> {
  const annotations = openAnnotationLog(query);
  const fail = (type: QueryErrorType, message: string): QueryAnswer => ({
    kind: 'error',
    error: { type, message },
    annotations: annotations.read(),
  });
  const parsed = parsePromql(query, { isExperimental: options.isExperimental ?? false });
  if (parsed.kind === 'invalid') return fail('bad_data', parsed.error.message);
  const refusal = refusalOf(parsed.expression, times, options);
  if (refusal !== undefined) return fail('bad_data', refusal);
  const run = openRun(times, options, annotations);
  try {
    const expression = resolveDurations(parsed.expression, times);
    const value = await compute(run.evaluation, expression);
    const trace = options.wantsTrace === true ? run.trace() : undefined;
    return {
      kind: 'answer',
      value,
      annotations: annotations.read(),
      samplesRead: run.read(),
      trace,
    };
  } catch (error) {
    if (error instanceof QueryFault) return fail(error.type, error.message);
    if (options.signal?.aborted === true) return fail('canceled', CANCELED);
    if (error instanceof SourceLimitError) return fail('execution', error.message);
    return fail('internal', error instanceof Error ? error.message : String(error));
  }
}

const CANCELED = 'query was canceled in expression evaluation';

function refusalOf(
  expression: Expression,
  { startMs, endMs, stepMs, isInstant }: Evaluation['query'],
  { limits }: QueryOptions,
): string | undefined {
  if (isInstant) return undefined;
  if (!(stepMs > 0)) return 'zero or negative query resolution step widths are not accepted';
  if (endMs < startMs) return 'end timestamp must not be before start time';
  const { stepsMax } = { ...DEFAULT_LIMITS, ...limits };
  if ((endMs - startMs) / stepMs > stepsMax) {
    const most = stepsMax.toLocaleString('en-US');
    const advice = 'Try decreasing the query resolution (?step=XX)';
    return `exceeded maximum resolution of ${most} points per timeseries. ${advice}`;
  }
  const inner = unwrapped(expression).kind;
  if (inner === 'matrix-selector' || inner === 'subquery' || inner === 'string') {
    const type = inner === 'string' ? 'string' : 'range vector';
    return `invalid expression type "${type}" for range query, must be Scalar or instant Vector`;
  }
  return undefined;
}

interface Run {
  readonly evaluation: Evaluation;
  read(): number;
  trace(): TraceStage | undefined;
}

function openRun(
  query: Evaluation['query'],
  options: QueryOptions,
  annotations: Evaluation['annotations'],
): Run {
  const { source, host, lookbackMs = LOOKBACK_MS, subqueryStepMs = SUBQUERY_STEP_MS } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const signal = options.signal ?? { aborted: false };
  const startedMs = host?.nowMs() ?? 0;
  let samplesRead = 0;
  let held = 0;
  let workDone = 0;
  let stages: TraceStage[] = [];

  const checkHeld = (samples: number): void => {
    if (samples <= limits.samplesMax) return;
    const most = limits.samplesMax.toLocaleString('en-US');
    throw executionFault(
      `query processing would load too many samples into memory in query execution, the most is ${most}`,
    );
  };
  const checkTime = (): void => {
    if (signal.aborted) throw new QueryFault('canceled', CANCELED);
    if (host !== undefined && host.nowMs() - startedMs > limits.durationMsMax) {
      throw new QueryFault('timeout', 'query timed out in expression evaluation');
    }
  };
  const evaluation: Evaluation = {
    source,
    lookbackMs,
    subqueryStepMs,
    limits,
    annotations,
    signal,
    query,
    countRead(samples) {
      samplesRead += samples;
      held += samples;
      checkHeld(held);
    },
    work(units) {
      workDone += units;
      if (workDone < WORK_MAX) return undefined;
      workDone = 0;
      checkTime();
      return host?.pause();
    },
    evaluate(expression, grid) {
      return staged(expression, async () => {
        const value = await evaluateExpression(evaluation, expression, grid);
        const samples = sizeOf(value, grid);
        const series = value.kind === 'vector' ? value.rows.length : 1;
        return { value, series, samples, held: samples };
      });
    },
    walk(expression, grid, taker) {
      return staged(expression, async () => {
        let series = 0;
        await walkExpression(evaluation, expression, grid, {
          take: (row) => {
            series += 1;
            taker.take(row);
          },
          sumsOf: (labels, dropsName) => {
            series += 1;
            return taker.sumsOf?.(labels, dropsName);
          },
        });
        return { value: undefined, series, samples: series * grid.steps, held: 0 };
      });
    },
  };

  /** One stage of the trace; of what was read for it only its own answer stays held. */
  async function staged<Result>(
    expression: Expression,
    work: () => Promise<{ value: Result; series: number; samples: number; held: number }>,
  ): Promise<Result> {
    checkTime();
    const outer = stages;
    const heldBefore = held;
    const begunMs = host?.nowMs() ?? 0;
    stages = [];
    const { value, series, samples, held: kept } = await work();
    held = heldBefore + kept;
    checkHeld(held);
    outer.push({
      expression: options.wantsTrace === true ? printExpression(expression) : '',
      series,
      samples,
      durationMs: (host?.nowMs() ?? 0) - begunMs,
      children: options.wantsTrace === true ? stages : [],
    });
    stages = outer;
    return value;
  }
  return { evaluation, read: () => samplesRead, trace: () => stages[0] };
}

const sizeOf = (value: Value, grid: TimeGrid): number =>
  value.kind === 'vector' ? value.rows.length * grid.steps : grid.steps;
