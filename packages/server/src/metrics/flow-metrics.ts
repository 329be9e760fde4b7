import type { Labels } from '@thalweg/promql';
import { FLOW_ENUMS, FLOW_TABLES, type FlowTable, PRECISIONS } from '../flow/flow-tables.ts';
import { aggregateSql, type Measures } from '../flow/measures.ts';

/** An aggregate of observed requests that PromQL sees as a gauge: one sample for each interval. */
export interface FlowMetric {
  /** As DeepFlow names it: `flow_metrics__application__request__1m`. */
  readonly name: string;
  readonly table: FlowTable;
  readonly intervalS: number;
  /** The SQL that gives it, over rows of one interval and one set of labels; NULL: no sample. */
  readonly sql: string;
  readonly help: string;
  /** As OpenMetrics spells it. */
  readonly unit: string;
}

const UNITS = { µs: 'microseconds', bytes: 'bytes', '%': 'percent', '': '' } as const;
/** Columns of the log that are metrics as they are. */
const LOG_COLUMNS: Measures = Object.fromEntries(
  (
    [
      ['request_length', 'Bodies of requests.'],
      ['response_length', 'Bodies of responses.'],
      ['captured_request_byte', 'Request bytes looked at.'],
      ['captured_response_byte', 'Response bytes looked at.'],
    ] as const
  ).map(([name, doc]) => [name, { kind: 'counter', sql: `l7.${name}`, doc, unit: 'bytes' }]),
);

function metricsOf(
  table: FlowTable,
  measures: Measures,
  intervalS: number,
  suffix: string,
): readonly FlowMetric[] {
  return Object.entries(measures).map(([measure, { doc, unit }]) => ({
    name: `${table.database}__${table.name}__${measure}${suffix}`,
    table,
    intervalS,
    sql: aggregateSql(measures, measure),
    help: doc,
    unit: UNITS[unit],
  }));
}

const { l7_flow_log: log, application } = FLOW_TABLES;
const LOG_MEASURES: Measures = { ...log.measures, ...LOG_COLUMNS };

export const FLOW_METRICS: readonly FlowMetric[] = [
  ...Object.values(FLOW_TABLES)
    .filter(({ database }) => database === 'flow_metrics')
    .flatMap((table) =>
      Object.entries(PRECISIONS).flatMap(([suffix, intervalS]) =>
        metricsOf(table, table.measures, intervalS, `__${suffix}`),
      ),
    ),
  ...metricsOf(log, LOG_MEASURES, PRECISIONS['1s'], ''),
  {
    name: 'flow_log__l7_flow_log__response_duration',
    table: log,
    intervalS: PRECISIONS['1s'],
    sql: aggregateSql(application.measures, 'rrt'),
    help: 'Mean time to the answer.',
    unit: UNITS.µs,
  },
];

/** Every label that one of them can have. */
export const FLOW_LABELS: readonly string[] = [
  ...new Set(
    FLOW_METRICS.flatMap(({ table }) => Object.keys(table.dimensions)).flatMap((label) =>
      label in FLOW_ENUMS ? [label, `${label}_enum`] : [label],
    ),
  ),
];

/** Labels of a row's values, in the order of the dimensions; numbers with names have both. */
export function flowLabels({ name, table }: FlowMetric, values: readonly unknown[]): Labels {
  const labels: [name: string, value: string][] = [['__name__', name]];
  for (const [at, dimension] of Object.keys(table.dimensions).entries()) {
    const value = String(values[at] ?? '');
    if (value === '') continue;
    labels.push([dimension, value]);
    const named = FLOW_ENUMS[dimension]?.[Number(value)];
    if (named !== undefined) labels.push([`${dimension}_enum`, named]);
  }
  return labels.sort(([one], [other]) => (one < other ? -1 : 1));
}
