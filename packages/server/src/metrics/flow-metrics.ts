import type { Labels } from '@thalweg/promql';
import { DERIVED } from '../query/catalogue.ts';
import { FLOW_ENUMS, FLOW_TABLES, type FlowTable } from './flow-tables.ts';

/** An aggregate of observed requests that PromQL sees as a gauge: one sample for each interval. */
export interface FlowMetric {
  /** As DeepFlow names it: `flow_metrics__application__request__1m`. */
  readonly name: string;
  readonly table: FlowTable;
  readonly intervalS: number;
  /** The SQL that gives it, over rows of one interval and one set of labels; NULL: no sample. */
  readonly sql: string;
  readonly help: string;
  readonly unit: string;
}

type Aggregate = readonly [sql: string, help: string, unit: string];
type Aggregates = Readonly<Record<string, Aggregate>>;

const MICROSECONDS = 'microseconds';
const BYTES = 'bytes';
const PERCENT = 'percent';
/** Times are of exchanges whose both halves were seen. */
const TIMED = 'l7.type = 2';
const DURATION = 'l7.response_duration';

const countOf = (counter: string): string => `countIf(${DERIVED[counter]?.sql ?? '0'})`;
const count = (counter: string): Aggregate => [countOf(counter), DERIVED[counter]?.doc ?? '', ''];
const ratio = (part: string, whole: string): Aggregate => [
  `if(${countOf(whole)} = 0, NULL, 100 * ${countOf(part)} / ${countOf(whole)})`,
  `${part} of ${whole}.`,
  PERCENT,
];
const success: Aggregate = [
  `if(${countOf('response')} = 0, NULL, 100 * (1 - ${countOf('error')} / ${countOf('response')}))`,
  'Responses that are no error.',
  PERCENT,
];
const sum = (column: string, help: string, unit: string): Aggregate => [
  `sum(${column})`,
  help,
  unit,
];
const mean = `if(countIf(${TIMED}) = 0, NULL, avgIf(${DURATION}, ${TIMED}))`;
const longest = `if(countIf(${TIMED}) = 0, NULL, maxIf(${DURATION}, ${TIMED}))`;

const RATIOS: Aggregates = {
  response_ratio: ratio('response', 'request'),
  success_ratio: success,
  error_ratio: ratio('error', 'response'),
  client_error_ratio: ratio('client_error', 'response'),
  server_error_ratio: ratio('server_error', 'response'),
};
const TIMES: Aggregates = {
  rrt: [mean, 'Mean time to the answer.', MICROSECONDS],
  rrt_max: [longest, 'Longest time to the answer.', MICROSECONDS],
  rrt_sum: [`sumIf(${DURATION}, ${TIMED})`, 'All times to answers.', MICROSECONDS],
  rrt_count: [`countIf(${TIMED})`, 'Answers in rrt_sum.', ''],
};
const ROW: Aggregate = ['count()', 'Rows.', ''];

const APPLICATION: Aggregates = {
  request: count('request'),
  response: count('response'),
  error: count('error'),
  client_error: count('client_error'),
  server_error: count('server_error'),
  timeout: count('timeout'),
  timeout_ratio: ratio('timeout', 'request'),
  ...RATIOS,
  ...TIMES,
  row: ROW,
};

/** What requests tell of the connections that carried them. */
const NETWORK: Aggregates = {
  l7_request: count('request'),
  l7_response: count('response'),
  l7_error: count('error'),
  l7_client_error: count('client_error'),
  l7_server_error: count('server_error'),
  l7_timeout: count('timeout'),
  l7_error_ratio: ratio('error', 'response'),
  l7_client_error_ratio: ratio('client_error', 'response'),
  l7_server_error_ratio: ratio('server_error', 'response'),
  ...TIMES,
  flow_load: [
    'uniqExactIf(l7.flow_id, l7.flow_id != 0)',
    'Connections that carried a request.',
    '',
  ],
  row: ROW,
};

const LOG: Aggregates = {
  request: count('request'),
  response: count('response'),
  error: count('error'),
  client_error: count('client_error'),
  server_error: count('server_error'),
  ...RATIOS,
  response_duration: [mean, 'Mean time to the answer.', MICROSECONDS],
  request_length: sum('l7.request_length', 'Bodies of requests.', BYTES),
  response_length: sum('l7.response_length', 'Bodies of responses.', BYTES),
  session_length: sum(
    'l7.request_length + l7.response_length',
    'Bodies of requests and responses.',
    BYTES,
  ),
  captured_request_byte: sum('l7.captured_request_byte', 'Request bytes looked at.', BYTES),
  captured_response_byte: sum('l7.captured_response_byte', 'Response bytes looked at.', BYTES),
  log_count: ROW,
  row: ROW,
};

const INTERVALS = { '1s': 1, '1m': 60 } as const;

function atIntervals(table: FlowTable, aggregates: Aggregates): readonly FlowMetric[] {
  return Object.entries(INTERVALS).flatMap(([suffix, intervalS]) =>
    metricsOf(table, aggregates, intervalS, `__${suffix}`),
  );
}

function metricsOf(
  table: FlowTable,
  aggregates: Aggregates,
  intervalS: number,
  suffix: string,
): readonly FlowMetric[] {
  return Object.entries(aggregates).map(([metric, [sql, help, unit]]) => ({
    name: `${table.database}__${table.name}__${metric}${suffix}`,
    table,
    intervalS,
    sql,
    help,
    unit,
  }));
}

export const FLOW_METRICS: readonly FlowMetric[] = [
  ...atIntervals(FLOW_TABLES.application, APPLICATION),
  ...atIntervals(FLOW_TABLES.application_map, APPLICATION),
  ...atIntervals(FLOW_TABLES.network, NETWORK),
  ...atIntervals(FLOW_TABLES.network_map, NETWORK),
  ...metricsOf(FLOW_TABLES.l7_flow_log, LOG, INTERVALS['1s'], ''),
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
