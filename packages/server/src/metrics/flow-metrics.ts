import { L7_PROTOCOL, SIGNAL_SOURCE } from '@thalweg/model';
import type { Labels } from '@thalweg/promql';

/** An aggregate of observed requests that PromQL sees as a gauge: one sample for each interval. */
export interface FlowMetric {
  /** As DeepFlow names it: `flow_metrics__application__request__1m`. */
  readonly name: string;
  readonly intervalS: number;
  /** The SQL that gives it, over rows of one interval and one set of labels. */
  readonly sql: string;
  readonly help: string;
  readonly unit: string;
}

const CLIENT_ERROR = 4;
const SERVER_ERROR = 3;
const TIMEOUT = 2;
const ANSWERED = 'type = 2';

/** Times are of answered requests. Statuses: DeepFlow's numbers of `response_status`. */
const AGGREGATES: Readonly<Record<string, readonly [sql: string, help: string, unit: string]>> = {
  request: ['count()', 'Requests.', ''],
  response: [`countIf(${ANSWERED})`, 'Requests that were answered.', ''],
  client_error: [`countIf(response_status = ${CLIENT_ERROR})`, 'Errors of the client (4xx).', ''],
  server_error: [`countIf(response_status = ${SERVER_ERROR})`, 'Errors of the server (5xx).', ''],
  error: [`countIf(response_status IN (${SERVER_ERROR}, ${CLIENT_ERROR}))`, 'Errors.', ''],
  timeout: [`countIf(response_status = ${TIMEOUT})`, 'Requests without an answer in time.', ''],
  rrt: [`avgIf(response_duration, ${ANSWERED})`, 'Mean time to the answer.', 'microseconds'],
  rrt_max: [`maxIf(response_duration, ${ANSWERED})`, 'Longest time to the answer.', 'microseconds'],
  rrt_sum: [`sumIf(response_duration, ${ANSWERED})`, 'All times to answers.', 'microseconds'],
  rrt_count: [`countIf(${ANSWERED})`, 'Answers in rrt_sum.', ''],
};
const INTERVALS = { '1s': 1, '1m': 60 } as const;

export const FLOW_METRICS: readonly FlowMetric[] = Object.entries(INTERVALS).flatMap(
  ([suffix, intervalS]) =>
    Object.entries(AGGREGATES).map(([metric, [sql, help, unit]]) => ({
      name: `flow_metrics__application__${metric}__${suffix}`,
      intervalS,
      sql,
      help,
      unit,
    })),
);

/** What requests are told apart by; the SQL of each, in the order of the rows. */
export const FLOW_DIMENSIONS = {
  agent: 'agent',
  app_service: 'app_service',
  endpoint: 'endpoint',
  l7_protocol: 'l7_protocol',
  role: "if(startsWith(observation_point, 's'), 'server', 'client')",
  server_port: 'server_port',
  signal_source: 'signal_source',
} as const;

const ENUMS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  l7_protocol: L7_PROTOCOL,
  signal_source: SIGNAL_SOURCE,
};

/** Labels of a row's values, in the order of `FLOW_DIMENSIONS`; numbers with names have both. */
export function flowLabels(name: string, values: readonly unknown[]): Labels {
  const labels: [name: string, value: string][] = [['__name__', name]];
  for (const [at, dimension] of Object.keys(FLOW_DIMENSIONS).entries()) {
    const value = String(values[at] ?? '');
    if (value === '') continue;
    labels.push([dimension, value]);
    const named = ENUMS[dimension]?.[Number(value)];
    if (named !== undefined) labels.push([`${dimension}_enum`, named]);
  }
  return labels.sort(([one], [other]) => (one < other ? -1 : 1));
}
