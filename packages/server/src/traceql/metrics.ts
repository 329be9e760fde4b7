import { l7FlowLog, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { type RowFilter, STARTED_WITHIN } from '../traces/filter.ts';
import { createTurns } from '../turns.ts';
import { createCompareFold } from './compare-fold.ts';
import { evaluateTraceql } from './evaluate.ts';
import { type Whereabouts, whereabouts } from './exemplars.ts';
import { evaluateField } from './field.ts';
import { necessaryCondition } from './necessary.ts';
import { type RowColumns, rowColumns, rowView } from './row-columns.ts';
import { candidateTraces } from './search.ts';
import { createSeriesFold, type Grid, type MetricSeries, type SeriesFold } from './series-fold.ts';
import type { CompareStage, MetricsStage, TraceqlQuery } from './syntax.ts';
import { hexTraceId } from './trace-view.ts';

const TABLE = qualifiedName(l7FlowLog);
/** Rows of one interval that differ in what the query reads. */
const ROWS_MAX = 300_000;

export interface TraceMetricsQuery {
  readonly query: TraceqlQuery;
  readonly metrics: MetricsStage | CompareStage;
  readonly grid: Grid;
  readonly tracesMax: number;
  /** Spans to look at, in all series; none of `compare()`. */
  readonly exemplarsMax: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface TraceMetrics {
  readonly series: readonly MetricSeries[];
  readonly inspectedTraces: number;
  readonly inspectedSpans: number;
  /** Why the answer holds less than the time range does; undefined: it holds all. */
  readonly partial: string | undefined;
}

/**
 * Numbers over time of the spans that a query finds. Where each span can be decided alone, SQL
 * counts the rows that are alike in what the query reads and the evaluator decides each kind once;
 * else traces are read whole, newest first, until `tracesMax` or 20 s.
 */
export async function queryTraceMetrics(
  store: Store,
  asked: TraceMetricsQuery,
): Promise<TraceMetrics> {
  const { metrics, grid, exemplarsMax } = asked;
  const fold =
    metrics.name === 'compare'
      ? createCompareFold(metrics, grid)
      : createSeriesFold(metrics, grid, exemplarsMax);
  const columns = rowColumns(asked.query);
  const read =
    columns === undefined
      ? await foldTraces(store, asked, fold)
      : await foldRows(store, asked, columns, fold);
  const { series, droppedGroups } = fold.finish();
  const reasons = [
    read.partial,
    droppedGroups === 0
      ? undefined
      : `${droppedGroups} or more groups beyond the most are left out`,
  ].filter((reason) => reason !== undefined);
  return { ...read, series, partial: reasons.length === 0 ? undefined : reasons.join('; ') };
}

/** One of the rows that are alike: what its traffic called its trace, its root, its start. */
const ANY_ROW = 'any((trace_id, toString(root_hash), toUnixTimestamp64Micro(start_time)))';

function anyRow(value: unknown): Whereabouts {
  if (!Array.isArray(value)) throw new Error('BUG: a tuple is expected');
  const [carried, root, startUs] = value as readonly unknown[];
  return { traceId: hexTraceId(String(carried), String(root)), startUs: Number(startUs) };
}

async function foldTraces(
  store: Store,
  { query, grid, tracesMax, now }: TraceMetricsQuery,
  fold: SeriesFold,
): Promise<Omit<TraceMetrics, 'series'>> {
  const { fromUs, stepUs } = grid;
  const filter = candidateFilter(query, grid);
  let [inspectedTraces, inspectedSpans] = [0, 0];
  const isWhole = await candidateTraces(store, { filter, tracesMax, now }, (view) => {
    inspectedTraces += 1;
    inspectedSpans += view.spans.length;
    for (const { spans } of evaluateTraceql(query, view)) {
      for (const at of spans) {
        const interval = Math.ceil((at.span.startUs - fromUs) / stepUs) - 1;
        fold.add(at, view, interval, 1, () => whereabouts(at, view));
      }
    }
    return true;
  });
  const partial = isWhole ? undefined : `only the newest ${inspectedTraces} traces were read`;
  return { inspectedTraces, inspectedSpans, partial };
}

function candidateFilter(query: TraceqlQuery, { fromUs, stepUs, count }: Grid): RowFilter {
  const { where, params } = necessaryCondition(query);
  // An interval holds its end, not its start.
  const range = { start: fromUs + 1, end: fromUs + stepUs * count + 1 };
  return { where: [...STARTED_WITHIN, where].join(' AND '), params: { ...params, ...range } };
}

async function foldRows(
  store: Store,
  { query, grid, exemplarsMax }: TraceMetricsQuery,
  { sql, params }: RowColumns,
  fold: SeriesFold,
): Promise<Omit<TraceMetrics, 'series'>> {
  const filter = candidateFilter(query, grid);
  const [first] = query.stages;
  if (first?.kind !== 'spansets' || first.spansets.kind !== 'filter') {
    throw new Error('BUG: rows are folded for one filter only');
  }
  const { field } = first.spansets;
  const selected = [...sql].map(([name, expression]) => `${expression} AS \`${name}\``);
  if (exemplarsMax > 0) selected.push(ANY_ROW);
  const { rows } = await store.query(
    `SELECT intDiv(toUnixTimestamp64Micro(start_time) - {from:Int64} - 1, {step:Int64}) AS interval_index,
       count() AS row_count${selected.map((one) => `, ${one}`).join('')}
     FROM ${TABLE} WHERE ${filter.where} GROUP BY ALL LIMIT {most:UInt32}`,
    {
      params: {
        ...filter.params,
        ...params,
        from: grid.fromUs,
        step: grid.stepUs,
        most: ROWS_MAX + 1,
      },
      limits: { rowsMax: ROWS_MAX + 1 },
    },
  );
  const turns = createTurns();
  let inspectedSpans = 0;
  for (const [interval, count, ...values] of rows.slice(0, ROWS_MAX)) {
    if (turns.isDue()) await turns.take();
    inspectedSpans += Number(count);
    const row = rowView(sql.keys(), values);
    if (evaluateField(field, row.at, row.view) !== true) continue;
    fold.add(row.at, row.view, Number(interval), Number(count), () => anyRow(values.at(-1)));
  }
  const partial =
    rows.length > ROWS_MAX
      ? `more than ${ROWS_MAX} kinds of spans; ask for less time or coarser fields`
      : undefined;
  return { inspectedTraces: 0, inspectedSpans, partial };
}
