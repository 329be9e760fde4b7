import {
  L7_PROTOCOL_FASTCGI,
  L7_PROTOCOL_HTTP1,
  L7_PROTOCOL_POSTGRESQL,
  L7_PROTOCOL_REDIS,
  type l7FlowLog,
  SESSION_BOTH,
  SESSION_REQUEST,
  SESSION_RESPONSE,
  type Shareable,
  SIGNAL_SOURCE_EBPF,
  type SinksOf,
  STATUS_CLIENT_ERROR,
  STATUS_SERVER_ERROR,
  STATUS_SUCCESS,
  STATUS_TIMEOUT,
  STATUS_UNKNOWN,
  TRANSPORT_TCP,
  TRANSPORT_UNIX,
} from '@thalweg/model';
import type { ProcessFacts } from '../enrich/process-table.ts';
import type { Connection, Exchange } from '../flow/exchange.ts';
import { hasPaths, type ProtocolName } from '../flow/protocol.ts';
import type { TracedExchange } from '../trace/resolver.ts';
import type { AttributeNames } from './attribute-names.ts';
import { endpointOf } from './endpoint.ts';

/** What all rows of one connection have in common: written once a batch. */
export const CONNECTION_COLUMNS = [
  'flow_id',
  'signal_source',
  'agent',
  'observation_point',
  'host',
  'container_id',
  'netns',
  'capture_nic_name',
  'vlan',
  'ip_0',
  'ip_1',
  'client_port',
  'server_port',
  'protocol',
  'l7_protocol',
  'is_tls',
  'is_async',
  'request_id',
  'app_service',
  'app_instance',
  'process_id_0',
  'process_id_1',
  'process_kname_0',
  'process_kname_1',
  'span_kind',
  'span_status',
  'trace_state',
  'attribute_types',
  'resource_attributes',
  'scope',
] as const satisfies readonly Shareable<typeof l7FlowLog.columns>[];
type ConnectionColumn = (typeof CONNECTION_COLUMNS)[number];

type L7Columns = SinksOf<typeof l7FlowLog.columns>;
export type ConnectionSinks = Pick<L7Columns, ConnectionColumn>;
export type ExchangeSinks = Omit<L7Columns, ConnectionColumn>;

/** Reused from row to row: it is read during the call only. */
export interface RowContext {
  /** Adds to the source's monotonic nanoseconds to give nanoseconds since the epoch. */
  readonly wallClockOffsetNs: number;
  /** Unique among this agent's rows, as two halves. */
  readonly idLow: number;
  readonly idHigh: number;
  /** A path without the secrets in its query. */
  readonly maskQuery: (path: string) => string;
  /** The attribute names of a row, ready to be written. */
  readonly attributeNames: AttributeNames;
}

const NONE: readonly never[] = [];

const SESSION_TYPES = {
  session: SESSION_BOTH,
  request: SESSION_REQUEST,
  response: SESSION_RESPONSE,
} as const;

export const L7_PROTOCOLS: Readonly<Record<ProtocolName, number>> = {
  http1: L7_PROTOCOL_HTTP1,
  redis: L7_PROTOCOL_REDIS,
  postgresql: L7_PROTOCOL_POSTGRESQL,
  fastcgi: L7_PROTOCOL_FASTCGI,
};

export function writeConnection(
  to: ConnectionSinks,
  connection: Connection,
  process: ProcessFacts,
  agent: string,
): void {
  const isServer = connection.role === 'server';
  to.flow_id.pushNumber(connection.id);
  to.signal_source.push(SIGNAL_SOURCE_EBPF);
  to.agent.push(agent);
  to.observation_point.push(observationPoint(connection.role));
  to.host.push(process.host);
  to.container_id.push(process.containerId);
  to.netns.push(connection.netns);
  to.capture_nic_name.push('');
  to.vlan.push(0);
  const clientIp = isServer ? connection.remoteIp : connection.localIp;
  to.ip_0.push(connection.isUnix ? '' : clientIp);
  to.ip_1.push(isServer ? connection.localIp : connection.remoteIp);
  to.client_port.push(isServer ? connection.remotePort : connection.localPort);
  to.server_port.push(isServer ? connection.localPort : connection.remotePort);
  to.protocol.push(connection.isUnix ? TRANSPORT_UNIX : TRANSPORT_TCP);
  to.l7_protocol.push(L7_PROTOCOLS[connection.protocol]);
  to.app_service.push(process.service);
  to.app_instance.push(process.instance);
  to.process_id_0.push(isServer ? 0 : connection.pid);
  to.process_id_1.push(isServer ? connection.pid : 0);
  to.process_kname_0.push(isServer ? '' : process.kname);
  to.process_kname_1.push(isServer ? process.kname : '');
  writeOthers(to);
}

/** Columns that SDKs and other agents fill, and this one does not. */
export function writeOthers(to: ConnectionSinks): void {
  to.is_tls.push(0);
  to.is_async.push(0);
  to.request_id.pushNumber(0);
  to.span_kind.push(0);
  to.span_status.push(0);
  to.trace_state.push('');
  to.attribute_types.push('');
  to.resource_attributes.push('');
  to.scope.push('');
}

/** Writes what is of one exchange alone: with `writeConnection` every column that the agent fills. */
export function writeExchange(
  to: ExchangeSinks,
  traced: TracedExchange,
  context: RowContext,
): void {
  const { exchange } = traced;
  const { request, response } = exchange;
  const first = request ?? response;
  const last = response ?? request;
  const startUs = wallMicros(first?.startNs ?? 0, context);
  const endUs = wallMicros(last?.endNs ?? 0, context);
  const isServer = exchange.connection.role === 'server';
  const tid = first?.tid ?? 0;

  to._id.pushHalves(context.idLow, context.idHigh);
  to.time.push(Math.floor(endUs / 1e6));
  to.start_time.push(startUs);
  to.end_time.push(endUs);
  to.type.push(SESSION_TYPES[exchange.kind]);
  to.req_tcp_seq.push(request?.sequence ?? 0);
  to.resp_tcp_seq.push(response?.sequence ?? 0);
  writeMessages(to, exchange, context);
  to.syscall_trace_id_request.pushNumber((isServer ? request?.turnId : request?.causeId) ?? 0);
  to.syscall_trace_id_response.pushNumber((isServer ? response?.causeId : response?.turnId) ?? 0);
  to.syscall_thread_0.push(isServer ? 0 : tid);
  to.syscall_thread_1.push(isServer ? tid : 0);
  const asked = request?.headers ?? NONE;
  const answered = response?.headers ?? NONE;
  to.attribute_names.push(context.attributeNames.of(asked, answered));
  for (let i = 0; i < asked.length; i += 1) to.attribute_values.item(asked[i]?.[1] ?? '');
  for (let i = 0; i < answered.length; i += 1) to.attribute_values.item(answered[i]?.[1] ?? '');
  to.attribute_values.endRow();
  to.events.push('');
  to.links.push('');
  to.captured_request_byte.push(request?.captured ?? 0);
  to.captured_response_byte.push(response?.captured ?? 0);
  to.response_duration.pushNumber(Math.max(0, endUs - startUs));
  to.retrans_tx.push(0);
  to.retrans_rx.push(0);
  to.zero_win_tx.push(0);
  to.zero_win_rx.push(0);
  to.is_lossy.push(exchange.isLossy ? 1 : 0);
  writeLink(to, traced);
}

/** What request and response said, if it is known: the same wherever the exchange was observed. */
export function writeMessages(
  to: ExchangeSinks,
  exchange: Exchange | undefined,
  context: RowContext,
): void {
  const request = exchange?.request;
  const response = exchange?.response;
  const isRouted = exchange !== undefined && hasRoute(exchange);
  const trace = request?.trace ?? response?.trace;
  to.version.push(request?.version ?? response?.version ?? '');
  to.request_type.push(request?.method ?? '');
  to.request_domain.push(request?.host ?? '');
  const path = request?.path ?? '';
  to.request_resource.push(
    exchange !== undefined && hasPaths(exchange.connection.protocol)
      ? context.maskQuery(path)
      : path,
  );
  to.endpoint.push(isRouted ? endpointOf(request?.path ?? '/') : '');
  to.response_status.push(exchange === undefined ? STATUS_UNKNOWN : statusOf(exchange));
  to.response_code.push(response?.status ?? 0);
  to.response_exception.push(response?.outcome === 'success' ? '' : (response?.reason ?? ''));
  to.response_result.push(response?.result ?? '');
  to.trace_id.push(trace?.traceId ?? '');
  to.span_id.push(trace?.spanId ?? '');
  to.parent_span_id.push(trace?.parentSpanId ?? '');
  to.x_request_id_0.push(request?.requestId ?? '');
  to.x_request_id_1.push(response?.requestId ?? '');
  to.http_proxy_client.push(request?.forwardedFor ?? '');
  to.request_length.pushNumber(request?.bodySize ?? 0);
  to.response_length.pushNumber(response?.bodySize ?? 0);
}

function writeLink(to: ExchangeSinks, traced: TracedExchange): void {
  const { candidates } = traced;
  to.wire_id.push(traced.wireId);
  to.parent_wire_id.push(traced.parentWireId);
  to.link_probability.push(traced.probability);
  to.link_evidence.push(traced.evidence);
  to.candidate_wire_ids.push(candidates.length === 0 ? NONE : candidates.map((one) => one.wireId));
  to.candidate_probabilities.push(
    candidates.length === 0 ? NONE : candidates.map((one) => one.probability),
  );
}

export function wallMicros(monotonicNs: number, { wallClockOffsetNs }: RowContext): number {
  // Added in microseconds: nanoseconds since the epoch do not fit a double exactly.
  return Math.round(monotonicNs / 1e3 + wallClockOffsetNs / 1e3);
}

function observationPoint(role: Exchange['connection']['role']): string {
  if (role === 'server') return 's-p';
  return role === 'client' ? 'c-p' : 'rest';
}

function statusOf({ kind, response, isLossy }: Exchange): number {
  // Where events were lost the answer may be among them: not a timeout.
  if (kind === 'request') return isLossy ? STATUS_UNKNOWN : STATUS_TIMEOUT;
  return response === undefined ? STATUS_UNKNOWN : OUTCOMES[response.outcome];
}

const OUTCOMES = {
  success: STATUS_SUCCESS,
  'client-error': STATUS_CLIENT_ERROR,
  'server-error': STATUS_SERVER_ERROR,
} as const;

/** Statements have no routes. */
function hasRoute({ connection, request }: Exchange): boolean {
  return request !== undefined && hasPaths(connection.protocol);
}
