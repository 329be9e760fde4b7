import { l7FlowLog, qualifiedName } from '@thalweg/model';
import {
  type Labels,
  type Matcher,
  matcherTest,
  type Selection,
  type SelectOptions,
  type SeriesSamples,
  SourceLimitError,
} from '@thalweg/promql';
import type { QueryOptions, Store } from '../storage/store.ts';
import { FLOW_DIMENSIONS, FLOW_METRICS, type FlowMetric, flowLabels } from './flow-metrics.ts';
import { compareLabels, labelValue } from './label-index.ts';

/** Observed requests as metrics, computed from their rows when somebody asks. */
export interface FlowSource {
  /** Metrics whose name the matchers let pass. */
  metricsOf(matchers: readonly Matcher[]): readonly FlowMetric[];
  select(selection: Selection, options: SelectOptions): Promise<readonly SeriesSamples[]>;
}

/** Labels that are columns as they are: an exact matcher on one becomes a condition. */
const COLUMNS: readonly string[] = ['agent', 'app_service', 'endpoint'];
/** Rows are kept for days: a query without a beginning reads no more than a day. */
const SPAN_MS_MAX = 86_400_000;
const ROWS_MAX = 1_000_000;

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
    const conditions = conditionsOf(matchers);
    const dimensions = Object.values(FLOW_DIMENSIONS);
    const { rows } = await store.query(
      `SELECT ${dimensions.join(', ')},
         toUnixTimestamp(toStartOfInterval(time, INTERVAL ${metric.intervalS} SECOND)) AS at,
         toFloat64(${metric.sql}) AS value
       FROM ${qualifiedName(l7FlowLog)}
       WHERE time >= toDateTime({start:UInt32}) AND time < toDateTime({end:UInt32})${conditions.sql}
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
    return seriesOf(metric, rows, matchers);
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

function conditionsOf(matchers: readonly Matcher[]): {
  sql: string;
  params: NonNullable<QueryOptions['params']>;
} {
  const exact = matchers.filter(({ name, operator }) => operator === '=' && COLUMNS.includes(name));
  const params = Object.fromEntries(exact.map(({ value }, at) => [`value${at}`, value]));
  const sql = exact.map(({ name }, at) => ` AND ${name} = {value${at}:String}`).join('');
  return { sql, params };
}

/** Rows are sorted by labels, then by time. */
function seriesOf(
  { name }: FlowMetric,
  rows: readonly (readonly unknown[])[],
  matchers: readonly Matcher[],
): SeriesSamples[] {
  const width = Object.keys(FLOW_DIMENSIONS).length;
  const tests = matchers.map((matcher) => ({ name: matcher.name, passes: matcherTest(matcher) }));
  const groups: { labels: Labels; points: [timeMs: number, value: number][] }[] = [];
  let last = '';
  for (const row of rows) {
    const key = JSON.stringify(row.slice(0, width));
    if (key !== last || groups.length === 0)
      groups.push({ labels: flowLabels(name, row), points: [] });
    last = key;
    groups.at(-1)?.points.push([Number(row[width]) * 1e3, Number(row[width + 1])]);
  }
  return groups
    .filter(({ labels }) => tests.every((test) => test.passes(labelValue(labels, test.name))))
    .map(({ labels, points }) => ({
      labels,
      times: Float64Array.from(points, ([timeMs]) => timeMs),
      values: Float64Array.from(points, ([, value]) => value),
    }));
}
