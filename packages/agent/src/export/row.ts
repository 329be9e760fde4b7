import {
  L7_PROTOCOL_HTTP1,
  type l7FlowLog,
  SESSION_BOTH,
  SESSION_REQUEST,
  SESSION_RESPONSE,
  SIGNAL_SOURCE_EBPF,
  type SinksOf,
  STATUS_CLIENT_ERROR,
  STATUS_SERVER_ERROR,
  STATUS_SUCCESS,
  STATUS_TIMEOUT,
  STATUS_UNKNOWN,
  TRANSPORT_TCP,
} from '@thalweg/model';
import type { ProcessFacts } from '../enrich/process-table.ts';
import type { Exchange, RequestPart, ResponsePart } from '../flow/exchange.ts';
import type { TracedExchange } from '../trace/resolver.ts';
import { remembered } from './remembered.ts';

export type L7Columns = SinksOf<typeof l7FlowLog.columns>;

/** Reused from row to row: it is read during the call only. */
export interface RowContext {
  readonly agent: string;
  readonly process: ProcessFacts;
  /** Adds to the source's monotonic nanoseconds to give nanoseconds since the epoch. */
  readonly wallClockOffsetNs: number;
  /** Unique among this agent's rows. */
  readonly id: bigint;
  /** The low-cardinality route of a path. */
  readonly endpoints: (path: string) => string;
}

const NONE: readonly never[] = [];

const SESSION_TYPES = {
  session: SESSION_BOTH,
  request: SESSION_REQUEST,
  response: SESSION_RESPONSE,
} as const;

/** Writes the row of `l7_flow_log` for one traced exchange: every column that the agent fills. */
export function writeRow(to: L7Columns, traced: TracedExchange, context: RowContext): void {
  const { exchange, wireId, parentWireId, probability, evidence, candidates } = traced;
  const { connection, request, response } = exchange;
  const first = request ?? response;
  const last = response ?? request;
  const startUs = wallMicros(first?.startNs ?? 0, context);
  const endUs = wallMicros(last?.endNs ?? 0, context);
  const isServer = connection.role === 'server';
  const tid = first?.tid ?? 0;
  const trace = request?.trace ?? response?.trace;

  to._id.push(context.id);
  to.time.push(Math.floor(endUs / 1e6));
  to.start_time.push(startUs);
  to.end_time.push(endUs);
  to.flow_id.pushNumber(connection.id);
  to.signal_source.push(SIGNAL_SOURCE_EBPF);
  to.agent.push(context.agent);
  to.observation_point.push(observationPoint(connection.role));
  to.type.push(SESSION_TYPES[exchange.kind]);
  to.host.push(context.process.host);
  to.container_id.push(context.process.containerId);
  to.netns.push(connection.netns);
  to.ip_0.push(isServer ? connection.remoteIp : connection.localIp);
  to.ip_1.push(isServer ? connection.localIp : connection.remoteIp);
  to.client_port.push(isServer ? connection.remotePort : connection.localPort);
  to.server_port.push(isServer ? connection.localPort : connection.remotePort);
  to.protocol.push(TRANSPORT_TCP);
  to.req_tcp_seq.push(request?.sequence ?? 0);
  to.resp_tcp_seq.push(response?.sequence ?? 0);
  to.l7_protocol.push(L7_PROTOCOL_HTTP1);
  to.version.push(request?.version ?? response?.version ?? '');
  to.is_tls.push(0);
  to.is_async.push(0);
  to.request_type.push(request?.method ?? '');
  to.request_domain.push(request?.host ?? '');
  to.request_resource.push(request?.path ?? '');
  to.request_id.pushNumber(0);
  to.endpoint.push(request === undefined ? '' : context.endpoints(request.path));
  to.response_status.push(statusOf(exchange));
  to.response_code.push(response?.status ?? 0);
  to.response_exception.push(
    response !== undefined && response.status >= 400 ? response.reason : '',
  );
  to.response_result.push('');
  to.app_service.push(context.process.service);
  to.app_instance.push(context.process.instance);
  to.process_id_0.push(isServer ? 0 : connection.pid);
  to.process_id_1.push(isServer ? connection.pid : 0);
  to.process_kname_0.push(isServer ? '' : context.process.kname);
  to.process_kname_1.push(isServer ? context.process.kname : '');
  to.trace_id.push(trace?.traceId ?? '');
  to.span_id.push(trace?.spanId ?? '');
  to.parent_span_id.push(trace?.parentSpanId ?? '');
  to.trace_state.push('');
  to.span_kind.push(0);
  to.span_status.push(0);
  to.x_request_id_0.push(request?.requestId ?? '');
  to.x_request_id_1.push(response?.requestId ?? '');
  to.http_proxy_client.push(request?.forwardedFor ?? '');
  to.syscall_trace_id_request.pushNumber((isServer ? request?.turnId : request?.causeId) ?? 0);
  to.syscall_trace_id_response.pushNumber((isServer ? response?.causeId : response?.turnId) ?? 0);
  to.syscall_thread_0.push(isServer ? 0 : tid);
  to.syscall_thread_1.push(isServer ? tid : 0);
  const attributes = attributesOf(request, response);
  to.attribute_names.push(attributes.names);
  to.attribute_values.push(attributes.values);
  to.attribute_types.push('');
  to.resource_attributes.push('');
  to.scope.push('');
  to.events.push('');
  to.links.push('');
  to.request_length.pushNumber(request?.bodySize ?? 0);
  to.response_length.pushNumber(response?.bodySize ?? 0);
  to.captured_request_byte.push(request?.captured ?? 0);
  to.captured_response_byte.push(response?.captured ?? 0);
  to.response_duration.pushNumber(Math.max(0, endUs - startUs));
  to.wire_id.push(wireId);
  to.parent_wire_id.push(parentWireId);
  to.link_probability.push(probability);
  to.link_evidence.push(evidence);
  to.candidate_wire_ids.push(candidates.length === 0 ? NONE : candidates.map((one) => one.wireId));
  to.candidate_probabilities.push(
    candidates.length === 0 ? NONE : candidates.map((one) => one.probability),
  );
  to.is_lossy.push(exchange.isLossy ? 1 : 0);
}

function wallMicros(monotonicNs: number, { wallClockOffsetNs }: RowContext): number {
  // Added in microseconds: nanoseconds since the epoch do not fit a double exactly.
  return Math.round(monotonicNs / 1e3 + wallClockOffsetNs / 1e3);
}

function observationPoint(role: Exchange['connection']['role']): string {
  if (role === 'server') return 's-p';
  return role === 'client' ? 'c-p' : 'rest';
}

function statusOf({ kind, response }: Exchange): number {
  if (kind === 'request') return STATUS_TIMEOUT;
  if (response === undefined) return STATUS_UNKNOWN;
  if (response.status >= 500) return STATUS_SERVER_ERROR;
  return response.status >= 400 ? STATUS_CLIENT_ERROR : STATUS_SUCCESS;
}

interface Attributes {
  readonly names: readonly string[];
  readonly values: readonly string[];
}
const NO_ATTRIBUTES: Attributes = { names: NONE, values: NONE };

function attributesOf(
  request: RequestPart | undefined,
  response: ResponsePart | undefined,
): Attributes {
  const asked = request?.headers ?? NONE;
  const answered = response?.headers ?? NONE;
  if (asked.length + answered.length === 0) return NO_ATTRIBUTES;
  const names: string[] = [];
  const values: string[] = [];
  for (const [name, value] of asked) {
    names.push(requestHeader(name));
    values.push(value);
  }
  for (const [name, value] of answered) {
    names.push(responseHeader(name));
    values.push(value);
  }
  return { names, values };
}

/** OpenTelemetry's names: `http.request.header.<lower-case name>`; the allow-list bounds them. */
const requestHeader = remembered((name) => `http.request.header.${name}`);
const responseHeader = remembered((name) => `http.response.header.${name}`);
