import {
  L7_PROTOCOL,
  l7FlowLog,
  qualifiedName,
  SIGNAL_SOURCE,
  SIGNAL_SOURCE_PACKET,
} from '@thalweg/model';
import { APPLICATION, LOG, type Measures, NETWORK } from './measures.ts';

/**
 * A table of DeepFlow's that is computed from rows of `l7_flow_log`: what its rows are told apart
 * by. Node tables look at one end; edge tables (`_map`, logs) at both: `_0` client, `_1` server.
 */
export interface FlowTable {
  /** DeepFlow's database and table, such as `flow_metrics` and `application_map`. */
  readonly database: 'flow_metrics' | 'flow_log';
  readonly name: string;
  readonly doc: string;
  /** Name of a label to its SQL over a row `l7`, and over `servers` and `clients` where joined. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly measures: Measures;
  /** Rows that count. */
  readonly where: string;
  /** Whether the services at both ends are looked up. */
  readonly hasPeers: boolean;
}

/** How long an interval of `flow_metrics` is, seconds. */
export const PRECISIONS = { '1s': 1, '1m': 60 } as const;
export type Precision = keyof typeof PRECISIONS;

const TABLE = qualifiedName(l7FlowLog);
const IS_SERVER = "startsWith(l7.observation_point, 's')";
/** Rows of network cards repeat what processes saw: a request would count at every hop. */
const AT_PROCESSES = `l7.signal_source != ${SIGNAL_SOURCE_PACKET}`;

const COMMON = {
  agent: 'l7.agent',
  server_port: 'l7.server_port',
  signal_source: 'l7.signal_source',
} as const;
const OF_APPLICATION = {
  app_service: 'l7.app_service',
  endpoint: 'l7.endpoint',
  l7_protocol: 'l7.l7_protocol',
} as const;
const NODE = {
  auto_service: `if(l7.app_service != '', l7.app_service, if(${IS_SERVER}, l7.ip_1, l7.ip_0))`,
  role: `if(${IS_SERVER}, 'server', 'client')`,
} as const;
const EDGE = {
  observation_point: 'l7.observation_point',
  ip_0: 'l7.ip_0',
  ip_1: 'l7.ip_1',
  auto_service_0: `multiIf(NOT ${IS_SERVER} AND l7.app_service != '', l7.app_service,
    clients.service != '', clients.service, l7.ip_0)`,
  auto_service_1: `multiIf(${IS_SERVER} AND l7.app_service != '', l7.app_service,
    servers.service != '', servers.service, l7.ip_1)`,
} as const;

const FLOW_METRICS = 'flow_metrics';

export const FLOW_TABLES = {
  application: {
    database: FLOW_METRICS,
    name: 'application',
    measures: APPLICATION,
    doc: 'Requests at each end.',
    dimensions: { ...COMMON, ...OF_APPLICATION, ...NODE },
    where: AT_PROCESSES,
    hasPeers: false,
  },
  application_map: {
    database: FLOW_METRICS,
    name: 'application_map',
    measures: APPLICATION,
    doc: 'Requests between two ends, at each observation point.',
    dimensions: { ...COMMON, ...OF_APPLICATION, ...EDGE },
    where: '1',
    hasPeers: true,
  },
  network: {
    database: FLOW_METRICS,
    name: 'network',
    measures: NETWORK,
    doc: 'Connections that carried requests, at each end.',
    dimensions: { ...COMMON, ...NODE },
    where: AT_PROCESSES,
    hasPeers: false,
  },
  network_map: {
    database: FLOW_METRICS,
    name: 'network_map',
    measures: NETWORK,
    doc: 'Connections that carried requests, between two ends.',
    dimensions: { ...COMMON, ...EDGE },
    where: '1',
    hasPeers: true,
  },
  l7_flow_log: {
    database: 'flow_log',
    name: 'l7_flow_log',
    measures: LOG,
    doc: l7FlowLog.doc,
    dimensions: {
      ...COMMON,
      ...OF_APPLICATION,
      ...EDGE,
      request_type: 'l7.request_type',
      request_domain: 'l7.request_domain',
      response_code: 'l7.response_code',
      response_status: 'l7.response_status',
    },
    where: '1',
    hasPeers: true,
  },
} as const satisfies Readonly<Record<string, FlowTable>>;

/** Labels that are numbers with names: each has a twin `NAME_enum`. */
export const FLOW_ENUMS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  l7_protocol: L7_PROTOCOL,
  signal_source: SIGNAL_SOURCE,
  response_status: l7FlowLog.columns['response_status']?.names ?? {},
};

/**
 * FROM and WHERE of a flow table over rows from `start` until before `end`, seconds as SQL. The
 * service at the end that a row did not observe is the one that other rows of the range name for
 * the same addresses, if they agree; else the label is the address, as in DeepFlow.
 */
export function flowSource(
  { hasPeers, where }: FlowTable,
  range: { readonly start: string; readonly end: string },
): string {
  const within = (column: string): string =>
    `${column} >= toDateTime(${range.start}) AND ${column} < toDateTime(${range.end})`;
  const peers = (name: string, side: 's' | 'c', keys: readonly string[]): string =>
    `LEFT ANY JOIN (
      SELECT ${keys.join(', ')}, any(app_service) AS service FROM ${TABLE}
      WHERE ${within('time')} AND startsWith(observation_point, '${side}') AND app_service != ''
      GROUP BY ${keys.join(', ')} HAVING uniqExact(app_service) = 1) AS ${name}
    ON ${keys.map((key) => `l7.${key} = ${name}.${key}`).join(' AND ')}`;
  const from = hasPeers
    ? `${TABLE} AS l7
       ${peers('servers', 's', ['ip_1', 'server_port'])}
       ${peers('clients', 'c', ['ip_0', 'ip_1', 'server_port'])}`
    : `${TABLE} AS l7`;
  return `FROM ${from} WHERE ${within('l7.time')} AND ${where}`;
}
