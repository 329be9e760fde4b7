// Generated from bpf/*.h by scripts/generate-events.mjs; do not edit. `npm run gen` writes it.

export const EVENT_DATA = 1;
export const EVENT_CONNECT = 2;
export const EVENT_CLOSE = 3;
export const EVENT_END = 4;
export const DIRECTION_IN = 0;
export const DIRECTION_OUT = 1;
export const ROLE_UNKNOWN = 0;
export const ROLE_CLIENT = 1;
export const ROLE_SERVER = 2;
export const CAUSE_NONE = 0;
export const CAUSE_THREAD = 1;
export const CAUSE_RESTORED = 2;
export const CAUSE_CONNECT = 3;
export const CAUSE_READ = 4;
export const EVENTS = 0;
export const LOST = 1;
export const FILTERED = 2;
export const BYTES = 3;
export const NO_STORAGE = 4;
export const NAMED = 5;
export const SHED = 6;
export const COUNTERS = 7;
export const PORT_WANTED = 1;
export const PORT_EXCLUDED = 2;
export const PACKET_INGRESS = 1;
export const PACKET_EGRESS = 2;
export const PACKETS = 0;
export const TURNS = 1;
export const TURNS_LOST = 2;
export const FLOWS = 3;
export const FLOWS_REFUSED = 4;
export const PACKETS_MISSED = 5;
export const PACKET_COUNTERS = 6;

export const EVENT_SIZE = 120;
/** Byte offsets in struct event. */
export const EVENT = {
  atNs: 0,
  cookie: 8,
  turnId: 16,
  causeId: 24,
  pid: 32,
  tid: 36,
  sequence: 40,
  length: 44,
  netns: 48,
  lostBefore: 52,
  captured: 56,
  localPort: 58,
  remotePort: 60,
  kind: 62,
  direction: 63,
  role: 64,
  causeKind: 65,
  ipVersion: 66,
  pad: 67,
  answerSequence: 68,
  localAddress: 72,
  remoteAddress: 88,
  comm: 104,
} as const;

export const CONFIG_SIZE = 32;
/** Byte offsets in struct config. */
export const CONFIG = {
  enabled: 0,
  captureBytes: 4,
  turnBytes: 8,
  hasWantedPorts: 12,
  generation: 16,
  hasWantedNetns: 20,
  isPaused: 24,
  pauseBytes: 28,
} as const;

export const FLOW_KEY_SIZE = 48;
/** Byte offsets in struct flow_key. */
export const FLOW_KEY = {
  near: 0,
  far: 16,
  netns: 32,
  ifindex: 36,
  nearPort: 40,
  farPort: 42,
  ipVersion: 44,
} as const;

export const TURN_SIZE = 96;
/** Byte offsets in struct turn. */
export const TURN = {
  flowId: 0,
  firstNs: 8,
  lastNs: 16,
  sequence: 24,
  bytes: 28,
  retransmissions: 32,
  zeroWindows: 36,
  vlan: 40,
  direction: 42,
  client: 43,
  pad: 44,
  key: 48,
} as const;

export const FLOW_SIZE = 64;
/** Byte offsets in struct flow. */
export const FLOW = {
  isHeld: 0,
  generation: 4,
  id: 8,
  firstNs: 16,
  lastNs: 24,
  sequence: 32,
  bytes: 36,
  next: 40,
  retransmissions: 48,
  zeroWindows: 52,
  vlan: 56,
  direction: 58,
  client: 59,
  hasNext: 60,
  ended: 61,
  pad: 62,
} as const;

export const PACKETS_CONFIG_SIZE = 8;
/** Byte offsets in struct packets_config. */
export const PACKETS_CONFIG = {
  isPaused: 0,
  generation: 4,
} as const;
