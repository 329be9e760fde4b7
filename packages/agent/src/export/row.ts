import {
  L7_PROTOCOL_HTTP1,
  SESSION_BOTH,
  SESSION_REQUEST,
  SESSION_RESPONSE,
  SIGNAL_SOURCE_EBPF,
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
import { endpointOf } from './endpoint.ts';

export interface RowContext {
  readonly agent: string;
  readonly process: ProcessFacts;
  /** Adds to the source's monotonic nanoseconds to give nanoseconds since the epoch. */
  readonly wallClockOffsetNs: number;
  /** Unique among this agent's rows. */
  readonly id: bigint;
}

const SESSION_TYPES = {
  session: SESSION_BOTH,
  request: SESSION_REQUEST,
  response: SESSION_RESPONSE,
} as const;

/** The row of `l7_flow_log` for one traced exchange: every column that the agent fills. */
export function rowOf(traced: TracedExchange, context: RowContext) {
  const { exchange, wireId, parentWireId, probability, evidence, candidates } = traced;
  const { connection, request, response } = exchange;
  const first = request ?? response;
  const last = response ?? request;
  const startUs = wallMicros(first?.startNs ?? 0, context);
  const endUs = wallMicros(last?.endNs ?? 0, context);
  const isServer = connection.role === 'server';
  const local = { ip: connection.localIp, port: connection.localPort };
  const remote = { ip: connection.remoteIp, port: connection.remotePort };
  const [client, server] = isServer ? [remote, local] : [local, remote];
  const observed = {
    pid: connection.pid,
    kname: context.process.kname,
    tid: first?.tid ?? 0,
  };
  const unseen = { pid: 0, kname: '', tid: 0 };
  const [clientEnd, serverEnd] = isServer ? [unseen, observed] : [observed, unseen];
  const attributes = attributesOf(request, response);
  const trace = request?.trace ?? response?.trace;

  return {
    _id: context.id,
    time: Math.floor(endUs / 1e6),
    start_time: startUs,
    end_time: endUs,
    flow_id: BigInt(connection.id),
    signal_source: SIGNAL_SOURCE_EBPF,
    agent: context.agent,
    observation_point: observationPoint(connection.role),
    type: SESSION_TYPES[exchange.kind],
    host: context.process.host,
    container_id: context.process.containerId,
    netns: connection.netns,
    ip_0: client.ip,
    ip_1: server.ip,
    client_port: client.port,
    server_port: server.port,
    protocol: TRANSPORT_TCP,
    req_tcp_seq: request?.sequence ?? 0,
    resp_tcp_seq: response?.sequence ?? 0,
    l7_protocol: L7_PROTOCOL_HTTP1,
    version: request?.version ?? response?.version ?? '',
    is_tls: 0,
    is_async: 0,
    request_type: request?.method ?? '',
    request_domain: request?.host ?? '',
    request_resource: request?.path ?? '',
    request_id: 0n,
    endpoint: request === undefined ? '' : endpointOf(request.path),
    response_status: statusOf(exchange),
    response_code: response?.status ?? 0,
    response_exception: response !== undefined && response.status >= 400 ? response.reason : '',
    response_result: '',
    app_service: context.process.service,
    app_instance: `${context.process.host}:${connection.pid}`,
    process_id_0: clientEnd.pid,
    process_id_1: serverEnd.pid,
    process_kname_0: clientEnd.kname,
    process_kname_1: serverEnd.kname,
    trace_id: trace?.traceId ?? '',
    span_id: trace?.spanId ?? '',
    parent_span_id: trace?.parentSpanId ?? '',
    span_kind: 0,
    x_request_id_0: request?.requestId ?? '',
    x_request_id_1: response?.requestId ?? '',
    http_proxy_client: request?.forwardedFor ?? '',
    syscall_trace_id_request: BigInt((isServer ? request?.turnId : request?.causeId) ?? 0),
    syscall_trace_id_response: BigInt((isServer ? response?.causeId : response?.turnId) ?? 0),
    syscall_thread_0: clientEnd.tid,
    syscall_thread_1: serverEnd.tid,
    attribute_names: attributes.map(([name]) => name),
    attribute_values: attributes.map(([, value]) => value),
    request_length: BigInt(request?.bodySize ?? 0),
    response_length: BigInt(response?.bodySize ?? 0),
    captured_request_byte: request?.captured ?? 0,
    captured_response_byte: response?.captured ?? 0,
    response_duration: BigInt(Math.max(0, endUs - startUs)),
    wire_id: wireId,
    parent_wire_id: parentWireId,
    link_probability: probability,
    link_evidence: evidence,
    candidate_wire_ids: candidates.map((candidate) => candidate.wireId),
    candidate_probabilities: candidates.map((candidate) => candidate.probability),
    is_lossy: exchange.isLossy ? 1 : 0,
  };
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

/** OpenTelemetry's names: `http.request.header.<lower-case name>`. */
function attributesOf(
  request: RequestPart | undefined,
  response: ResponsePart | undefined,
): (readonly [name: string, value: string])[] {
  return [
    ...(request?.headers ?? []).map(
      ([name, value]) => [`http.request.header.${name}`, value] as const,
    ),
    ...(response?.headers ?? []).map(
      ([name, value]) => [`http.response.header.${name}`, value] as const,
    ),
  ];
}
