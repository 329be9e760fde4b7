/** Waiting for a message's first byte. */
export const PHASE_START = 0;
/** Inside a head that did not arrive in one piece: it is gathered in `pending`. */
export const PHASE_HEAD = 1;
export const PHASE_LENGTH = 2;
export const PHASE_CHUNK_SIZE = 3;
export const PHASE_CHUNK_DATA = 4;
/** The line end after a chunk's data. */
export const PHASE_CHUNK_END = 5;
export const PHASE_TRAILER = 6;
/** The body lasts until the connection closes. */
export const PHASE_UNTIL_CLOSE = 7;
/** The end of the message fell into a gap: it lasts until the other side speaks. */
export const PHASE_UNTIL_TURN = 8;
/** Not HTTP/1, or the place in the stream is lost: waits for the next turn. */
export const PHASE_LOST = 9;
/** After CONNECT or 101: nothing of ours follows. */
export const PHASE_TUNNEL = 10;

/** One direction of one connection. Owned by its creator, changed by the decoder only. */
export interface Http1Stream {
  phase: number;
  /** Bytes of the body or chunk still to come. */
  remaining: number;
  /** Of the message that is open or has just ended: bytes on the wire, head and framing too. */
  size: number;
  /** How many of `size` were seen, not in a gap. */
  captured: number;
  /** Body bytes without chunk framing. */
  bodySize: number;
  pending: Uint8Array;
  pendingLength: number;
  /** Bytes of `pending` in which no end of the head was found. */
  searched: number;
  /** Chunk-size line or trailer line: bytes so far, and whether the size's digits are over. */
  lineLength: number;
  isSizeRead: boolean;
  trailerBytes: number;
}

const EMPTY: Uint8Array = new Uint8Array(0);

export function createHttp1Stream(): Http1Stream {
  return {
    phase: PHASE_START,
    remaining: 0,
    size: 0,
    captured: 0,
    bodySize: 0,
    pending: EMPTY,
    pendingLength: 0,
    searched: 0,
    lineLength: 0,
    isSizeRead: false,
    trailerBytes: 0,
  };
}

/** A head is complete and its message has not ended. */
export function isBodyOpen(stream: Http1Stream): boolean {
  return stream.phase >= PHASE_LENGTH && stream.phase <= PHASE_UNTIL_TURN;
}

/** Adds bytes to the unfinished head, up to `max`. Answers how many were taken. */
export function gather(
  stream: Http1Stream,
  bytes: Uint8Array,
  from: number,
  to: number,
  max: number,
): number {
  const taken = Math.min(to - from, max - stream.pendingLength);
  const needed = stream.pendingLength + taken;
  if (needed > stream.pending.length) {
    const grown = new Uint8Array(Math.min(max, Math.max(512, needed * 2)));
    grown.set(stream.pending.subarray(0, stream.pendingLength));
    stream.pending = grown;
  }
  stream.pending.set(bytes.subarray(from, from + taken), stream.pendingLength);
  stream.pendingLength = needed;
  return taken;
}

/** Gives the memory back: idle connections hold none. */
export function forgetPending(stream: Http1Stream): void {
  stream.pending = EMPTY;
  stream.pendingLength = 0;
  stream.searched = 0;
}

/** The offset after the empty line in `pending`, or -1. Looks at each byte once. */
export function findHeadEnd(stream: Http1Stream): number {
  const { pending, pendingLength } = stream;
  for (let i = Math.max(1, stream.searched); i < pendingLength; i += 1) {
    if (pending[i] !== 0x0a) continue;
    const before = pending[i - 1];
    if (before === 0x0a || (before === 0x0d && pending[i - 2] === 0x0a)) return i + 1;
  }
  stream.searched = pendingLength;
  return -1;
}
