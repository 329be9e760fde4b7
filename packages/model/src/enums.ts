// Numbers and names that existing dashboards and SQL already use. Source: DeepFlow's public
// dictionary of l7_flow_log (numbers), its documentation (names).

export const SIGNAL_SOURCE = { 0: 'Packet', 3: 'eBPF', 4: 'OTel' } as const;
export const SIGNAL_SOURCE_EBPF = 3;
export const SIGNAL_SOURCE_PACKET = 0;

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

export const L7_PROTOCOL = { 0: 'N/A', 20: 'HTTP' } as const;
export const L7_PROTOCOL_HTTP1 = 20;

export const TRANSPORT_PROTOCOL = { 6: 'TCP', 17: 'UDP' } as const;
export const TRANSPORT_TCP = 6;

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
} as const;
export const EVIDENCE_SHARED_ID = 1;
export const EVIDENCE_THREAD = 2;
export const EVIDENCE_THREAD_RESTORED = 4;
export const EVIDENCE_CONNECT = 8;
export const EVIDENCE_SINGLE_OPEN = 16;
export const EVIDENCE_WIRE = 32;

/** Links at or above are drawn solid and unite traces; below `LINK_SHOWN` there is no link. */
export const LINK_SOLID = 0.9;
export const LINK_SHOWN = 0.5;
