/** What happened on a socket. */
export const TRANSFER_DATA = 1;
/** connect() was called: the socket now has a role (client) and a cause. */
export const TRANSFER_CONNECT = 2;
/** The socket is closed: nothing follows, the connection's state can go. */
export const TRANSFER_CLOSE = 3;
/** The peer has sent its last byte (read returned 0). */
export const TRANSFER_END = 4;

export const DIRECTION_IN = 0;
export const DIRECTION_OUT = 1;

/** In place of an IP version: a unix-domain stream. */
export const IP_VERSION_UNIX = 1;

export const ROLE_UNKNOWN = 0;
export const ROLE_CLIENT = 1;
export const ROLE_SERVER = 2;

export const CAUSE_NONE = 0;
export const CAUSE_THREAD = 1;
/** The thread had read a response, which restored the cause of the request that it answers. */
export const CAUSE_RESTORED = 2;
export const CAUSE_CONNECT = 3;
/** Of an answer that leaves: its cause is the turn that the thread read last. */
export const CAUSE_READ = 4;

/**
 * One transfer of bytes on one socket, as the kernel (or a capture file) reports it. The two event
 * sources fill a single reused record: it and the bytes it shows are valid during the call only.
 *
 * Times are nanoseconds of the source's monotonic clock in a double: exact to 1 ns for the first
 * 104 days of uptime, to 2 ns after. Source-wide constants (wall clock offset) are not here.
 */
export interface Transfer {
  kind: number;
  direction: number;
  atNs: number;
  /** Socket cookie (kernel) or connection number (capture file); unique while the host is up. */
  connection: number;
  role: number;
  pid: number;
  tid: number;
  /** Inode number of the socket's network namespace; 0 when not known. */
  netns: number;
  /**
   * 4 or 6; addresses are 16 bytes in `bytes`, IPv4 in the first four. Ports in host order. Of a
   * unix-domain stream (1) the 32 bytes from `localAddressAt` are the end of its path.
   */
  ipVersion: number;
  localPort: number;
  remotePort: number;
  localAddressAt: number;
  remoteAddressAt: number;
  /** The kernel's name of the thread, 16 bytes, zero-terminated; -1 when not known. */
  commAt: number;
  /** TCP sequence number of the first byte, or a count that both ends share (uint32). */
  sequence: number;
  /** Likewise of the first byte that would answer these; 0 when not known. */
  answerSequence: number;
  /** Bytes transferred; `captured` of them (a prefix) are at `bytesAt` in `bytes`. */
  length: number;
  captured: number;
  bytesAt: number;
  bytes: Uint8Array;
  /**
   * Turn of the conversation on this socket, counted by the kernel: it rises at each change of
   * direction. `turnId` names an incoming turn across the host: it is what `causeId` refers to.
   */
  turnId: number;
  /** The incoming turn (of another socket) on whose behalf this happens; 0 when not known. */
  causeId: number;
  causeKind: number;
  /** Events of this socket that the kernel could not deliver since the last delivered one. */
  lostBefore: number;
}

/** To be filled: nothing is known of it but where its bytes are. */
export function blankTransfer(bytes: Uint8Array): Transfer {
  return {
    kind: 0,
    direction: 0,
    atNs: 0,
    connection: 0,
    role: 0,
    pid: 0,
    tid: 0,
    netns: 0,
    ipVersion: 4,
    localPort: 0,
    remotePort: 0,
    localAddressAt: 0,
    remoteAddressAt: 0,
    commAt: 0,
    sequence: 0,
    answerSequence: 0,
    length: 0,
    captured: 0,
    bytesAt: 0,
    bytes,
    turnId: 0,
    causeId: 0,
    causeKind: 0,
    lostBefore: 0,
  };
}

/** Takes transfers in the order in which they happened. */
export type TransferSink = (transfer: Transfer) => void;
