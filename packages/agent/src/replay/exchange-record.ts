import { endpointOf } from '../export/endpoint.ts';
import type { Exchange, Outcome, RequestPart, ResponsePart } from '../flow/exchange.ts';
import type { ProtocolName } from '../flow/protocol.ts';
import { hasPaths } from '../flow/protocol.ts';

/** One line of `thalweg replay`: a request and its answer as the network carried them. */
export interface ExchangeRecord {
  /** RFC 3339 with nanoseconds, UTC: the request's first byte, else the response's. */
  readonly start_time: string;
  /** From the request's first byte to the response's last; absent when one is missing. */
  readonly duration_us: number | undefined;
  readonly type: Exchange['kind'];
  readonly protocol: ProtocolName;
  /** `address:port` of who asked and of who answered. */
  readonly client: string;
  readonly server: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly endpoint: string;
  readonly version: string;
  /** HTTP's status; absent for protocols without one. */
  readonly status: number | undefined;
  readonly outcome: Outcome | undefined;
  /** Reason phrase, or text of an error. */
  readonly reason: string;
  /** Short form of an answer that has no status. */
  readonly result: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly x_request_id_0: string;
  readonly x_request_id_1: string;
  /** X-Forwarded-For of the request. */
  readonly client_ip: string;
  /** Content-Length of each side. */
  readonly request_length: number | undefined;
  readonly response_length: number | undefined;
  readonly request_headers: readonly (readonly [name: string, value: string])[];
  readonly response_headers: readonly (readonly [name: string, value: string])[];
  readonly is_lossy: boolean;
}

const EMPTY_REQUEST = {
  method: '',
  path: '',
  host: '',
  requestId: '',
  forwardedFor: '',
  headers: [],
} as const satisfies Partial<RequestPart>;
const EMPTY_RESPONSE = {
  reason: '',
  result: '',
  requestId: '',
  headers: [],
} as const satisfies Partial<ResponsePart>;

/** `baseNs` is the epoch time of the exchange's time 0. */
export function exchangeRecord(exchange: Exchange, baseNs: bigint): ExchangeRecord {
  const { connection, request, response } = exchange;
  const local = endpointText(connection.localIp, connection.localPort);
  const remote = endpointText(connection.remoteIp, connection.remotePort);
  const isLocalClient = connection.role !== 'server';
  const isHttp = hasPaths(connection.protocol);
  const asked = request ?? EMPTY_REQUEST;
  const answer = response ?? EMPTY_RESPONSE;
  const trace = request?.trace ?? response?.trace;
  return {
    start_time: timeText(baseNs, request?.startNs ?? response?.startNs ?? 0),
    duration_us: request && response && Math.round((response.endNs - request.startNs) / 1e3),
    type: exchange.kind,
    protocol: connection.protocol,
    client: isLocalClient ? local : remote,
    server: isLocalClient ? remote : local,
    method: asked.method,
    path: asked.path,
    host: asked.host,
    endpoint: request === undefined || !isHttp ? '' : endpointOf(request.path),
    version: request?.version ?? response?.version ?? '',
    status: isHttp ? response?.status : undefined,
    outcome: response?.outcome,
    reason: answer.reason,
    result: answer.result,
    trace_id: trace?.traceId ?? '',
    span_id: trace?.spanId ?? '',
    parent_span_id: trace?.parentSpanId ?? '',
    x_request_id_0: asked.requestId,
    x_request_id_1: answer.requestId,
    client_ip: asked.forwardedFor,
    request_length: request?.contentLength,
    response_length: response?.contentLength,
    request_headers: asked.headers,
    response_headers: answer.headers,
    is_lossy: exchange.isLossy,
  };
}

function endpointText(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function timeText(baseNs: bigint, offsetNs: number): string {
  const atNs = baseNs + BigInt(Math.round(offsetNs));
  const seconds = new Date(Number(atNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(atNs % 1_000_000_000n).padStart(9, '0')}Z`;
}
