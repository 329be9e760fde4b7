// Numbers and names that existing dashboards and SQL already use. Source: DeepFlow's public
// dictionary of l7_flow_log (numbers), its documentation (names).

export const SIGNAL_SOURCE = { 0: 'Packet', 3: 'eBPF', 4: 'OTel' } as const;
export const SIGNAL_SOURCE_EBPF = 3;
export const SIGNAL_SOURCE_PACKET = 0;
export const SIGNAL_SOURCE_OTEL = 4;

/** 0: no response was seen; 1: no request was seen; 2: both. */
export const SESSION_TYPE = { 0: 'request', 1: 'response', 2: 'session' } as const;
export const SESSION_REQUEST = 0;
export const SESSION_RESPONSE = 1;
export const SESSION_BOTH = 2;

export const RESPONSE_STATUS = {
  0: 'Success',
  2: 'Timeout',
  3: 'Server Error',
  4: 'Client Error',
  5: 'Unknown',
  6: 'Parse Failed',
} as const;
export const STATUS_SUCCESS = 0;
export const STATUS_TIMEOUT = 2;
export const STATUS_SERVER_ERROR = 3;
export const STATUS_CLIENT_ERROR = 4;
export const STATUS_UNKNOWN = 5;

export const L7_PROTOCOL = {
  0: 'N/A',
  20: 'HTTP',
  21: 'HTTP2',
  40: 'Dubbo',
  41: 'gRPC',
  43: 'SofaRPC',
  44: 'FastCGI',
  60: 'MySQL',
  61: 'PostgreSQL',
  62: 'Oracle',
  80: 'Redis',
  81: 'MongoDB',
  82: 'Memcached',
  100: 'Kafka',
  101: 'MQTT',
  102: 'AMQP',
  104: 'NATS',
  105: 'Pulsar',
  107: 'RocketMQ',
  120: 'DNS',
  121: 'TLS',
  127: 'Custom',
} as const;
export const L7_PROTOCOL_HTTP1 = 20;
export const L7_PROTOCOL_FASTCGI = 44;
export const L7_PROTOCOL_POSTGRESQL = 61;
export const L7_PROTOCOL_REDIS = 80;

export const TRANSPORT_PROTOCOL = { 0: 'Unix', 6: 'TCP', 17: 'UDP' } as const;
/** A unix-domain stream: its addresses are its path, its ports 0. */
export const TRANSPORT_UNIX = 0;
export const TRANSPORT_TCP = 6;

/** Source: OpenTelemetry, trace.proto, Status.StatusCode. */
export const SPAN_STATUS = { 0: 'Unset', 1: 'Ok', 2: 'Error' } as const;
export const SPAN_STATUS_OK = 1;
export const SPAN_STATUS_ERROR = 2;

/** Source: OpenTelemetry, trace.proto, Span.SpanKind. */
export const SPAN_KIND = {
  0: 'Unspecified',
  1: 'Internal',
  2: 'Server',
  3: 'Client',
  4: 'Producer',
  5: 'Consumer',
} as const;

/** Source: OpenTelemetry, "Logs Data Model", SeverityNumber; 0 is unspecified. */
export const SEVERITY_NUMBER: Readonly<Record<number, string>> = Object.fromEntries([
  [0, 'Unspecified'],
  ...['Trace', 'Debug', 'Info', 'Warn', 'Error', 'Fatal'].flatMap((name, band) =>
    [1, 2, 3, 4].map((step) => [4 * band + step, step === 1 ? name : `${name}${step}`]),
  ),
]);

/** Where an exchange was observed, from client to server. */
export const OBSERVATION_POINTS = [
  'c-app',
  'c-p',
  'c',
  'c-nd',
  's-nd',
  's',
  's-p',
  's-app',
  'app',
  'local',
  'rest',
] as const;
export type ObservationPoint = (typeof OBSERVATION_POINTS)[number];

export const CLOUD_RESOURCE_TYPE = { 120: 'Process', 255: 'IP' } as const;

/**
 * Kinds of evidence for a parent link, one bit each in `link_evidence`, so that a row keeps all of
 * what spoke for its parent. The numbers in brackets name the kinds of the auto-tracing design.
 */
export const LINK_EVIDENCE = {
  1: 'shared-id',
  2: 'thread',
  4: 'thread-restored',
  8: 'connect',
  16: 'single-open-request',
  32: 'wire',
  64: 'answered-next',
  128: 'thread-order',
  256: 'answered-in-order',
} as const;
export const EVIDENCE_SHARED_ID = 1;
export const EVIDENCE_THREAD = 2;
export const EVIDENCE_THREAD_RESTORED = 4;
export const EVIDENCE_CONNECT = 8;
export const EVIDENCE_SINGLE_OPEN = 16;
export const EVIDENCE_WIRE = 32;
/** The request was answered right after the call's answer was read, in one turn of the thread. */
export const EVIDENCE_ANSWERED_NEXT = 64;
/** The thread read several requests before it sent anything: its calls go out in that order. */
export const EVIDENCE_THREAD_ORDER = 128;
/** The thread read several answers before it sent anything: it answers its requests in that order. */
export const EVIDENCE_ANSWERED_IN_ORDER = 256;

/** Links at or above are drawn solid and unite traces; below `LINK_SHOWN` there is no link. */
export const LINK_SOLID = 0.9;
export const LINK_SHOWN = 0.5;
