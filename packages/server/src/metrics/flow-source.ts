import {
  type Labels,
  type Matcher,
  matcherTest,
  type Selection,
  type SelectOptions,
  type SeriesSamples,
  SourceLimitError,
  setStale,
} from '@thalweg/promql';
import { type FlowTable, flowSource } from '../flow/flow-tables.ts';
import type { QueryOptions, Store } from '../storage/store.ts';
import { FLOW_METRICS, type FlowMetric, flowLabels } from './flow-metrics.ts';
import { compareLabels, labelValue } from './label-index.ts';

/** Observed requests as metrics, computed from their rows when somebody asks. */
export interface FlowSource {
  /** Metrics whose name the matchers let pass. */
  metricsOf(matchers: readonly Matcher[]): readonly FlowMetric[];
  select(selection: Selection, options: SelectOptions): Promise<readonly SeriesSamples[]>;
}

/** Rows are kept for days: a query without a beginning reads no more than a day. */
const SPAN_MS_MAX = 86_400_000;
const ROWS_MAX = 1_000_000;
const RANGE = { start: '{start:UInt32}', end: '{end:UInt32}' };

export function createFlowSource(store: Store, now: () => number): FlowSource {
  function metricsOf(matchers: readonly Matcher[]): readonly FlowMetric[] {
    const names = matchers.filter(({ name }) => name === '__name__').map(matcherTest);
    // Only by name: every other selector would compute them all.
    if (names.length === 0) return [];
    return FLOW_METRICS.filter(({ name }) => names.every((passes) => passes(name)));
  }

  async function read(
    metric: FlowMetric,
    { matchers, startMs, endMs }: Selection,
    options: SelectOptions,
  ): Promise<SeriesSamples[]> {
    const endS = Math.min(Math.floor(endMs / 1e3), Math.ceil(now() / 1e3));
    const startS = Math.max(Math.ceil(startMs / 1e3), endS - SPAN_MS_MAX / 1e3);
    if (startS > endS) return [];
    const conditions = conditionsOf(metric.table, matchers);
    const dimensions = Object.values(metric.table.dimensions);
    const { rows } = await store.query(
      `SELECT ${dimensions.join(', ')},
         toUnixTimestamp(toStartOfInterval(l7.time, INTERVAL ${metric.intervalS} SECOND)) AS at,
         toFloat64(${metric.sql}) AS value
       ${flowSource(metric.table, RANGE)}${conditions.sql}
       GROUP BY ALL ORDER BY ALL`,
      {
        // Whole intervals: one that began within the range is counted to its end.
        params: {
          start: Math.ceil(startS / metric.intervalS) * metric.intervalS,
          end: (Math.floor(endS / metric.intervalS) + 1) * metric.intervalS,
          ...conditions.params,
        },
        limits: { rowsMax: Math.min(ROWS_MAX, options.samplesMax) },
        ...(options.signal instanceof AbortSignal ? { signal: options.signal } : {}),
      },
    );
    return seriesOf(metric, rows, matchers, Math.min(endMs, now() - metric.intervalS * 1e3));
  }

  return {
    metricsOf,
    select: async (selection, options) => {
      const found: SeriesSamples[] = [];
      for (const metric of metricsOf(selection.matchers)) {
        found.push(...(await read(metric, selection, options)));
        if (found.length > options.seriesMax) {
          throw new SourceLimitError(`more series than ${options.seriesMax}`);
        }
      }
      return found.sort((one, other) => compareLabels(one.labels, other.labels));
    },
  };
}

/** Exact matchers on what the table tells apart, as conditions; the other ones are tested later. */
function conditionsOf(
  { dimensions }: FlowTable,
  matchers: readonly Matcher[],
): {
  sql: string;
  params: NonNullable<QueryOptions['params']>;
} {
  const exact = matchers.filter(
    ({ name, operator }) => operator === '=' && Object.hasOwn(dimensions, name),
  );
  const params = Object.fromEntries(exact.map(({ value }, at) => [`value${at}`, value]));
  const sql = exact
    .map(({ name }, at) => ` AND toString(${dimensions[name]}) = {value${at}:String}`)
    .join('');
  return { sql, params };
}

type Point = readonly [timeMs: number, value: number];

/** Rows are sorted by labels, then by time. */
function seriesOf(
  metric: FlowMetric,
  rows: readonly (readonly unknown[])[],
  matchers: readonly Matcher[],
  staleUntilMs: number,
): SeriesSamples[] {
  const width = Object.keys(metric.table.dimensions).length;
  const tests = matchers.map((matcher) => ({ name: matcher.name, passes: matcherTest(matcher) }));
  const groups: { labels: Labels; points: Point[] }[] = [];
  let last = '';
  for (const row of rows) {
    const value = row[width + 1];
    if (value === null) continue;
    const key = JSON.stringify(row.slice(0, width));
    if (key !== last || groups.length === 0)
      groups.push({ labels: flowLabels(metric, row), points: [] });
    last = key;
    groups.at(-1)?.points.push([Number(row[width]) * 1e3, Number(value)]);
  }
  return groups
    .filter(({ labels }) => tests.every((test) => test.passes(labelValue(labels, test.name))))
    .map(({ labels, points }) => ({
      labels,
      ...samplesOf(points, metric.intervalS * 1e3, staleUntilMs),
    }));
}

/**
 * A sample stands for its interval only: where the next one has none, a stale marker says so, up to
 * `staleUntilMs`. Of the interval that is not over yet nobody knows.
 */
function samplesOf(
  points: readonly Point[],
  intervalMs: number,
  staleUntilMs: number,
): { times: Float64Array; values: Float64Array } {
  const samples: (readonly [timeMs: number, value: number | undefined])[] = [];
  for (const [at, point] of points.entries()) {
    samples.push(point);
    const next = point[0] + intervalMs;
    if (points[at + 1]?.[0] !== next && next <= staleUntilMs) samples.push([next, undefined]);
  }
  const values = Float64Array.from(samples, ([, value]) => value ?? 0);
  for (const [at, [, value]] of samples.entries()) if (value === undefined) setStale(values, at);
  return { times: Float64Array.from(samples, ([timeMs]) => timeMs), values };
}
