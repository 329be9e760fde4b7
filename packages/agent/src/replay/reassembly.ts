import { TCP_FIN, TCP_RST, TCP_SYN, type TcpSegment } from '@thalweg/wire';

/** A piece of a stream in order: `skip` bytes of the segment were delivered before. */
export interface Piece {
  readonly segment: TcpSegment;
  readonly skip: number;
}

export interface ReassemblyLimits {
  /** Segments of one direction that wait for an earlier one; past it the hole stays a gap. */
  readonly segmentsMax: number;
  readonly bytesMax: number;
}

export interface ReassemblyCounters {
  retransmitted: number;
  outOfOrder: number;
  /** Holes that were never filled. */
  gaps: number;
  outOfWindow: number;
}

/** One direction of a TCP connection. */
export interface ReassembledStream {
  /** Takes a segment as captured; gives what is in order now to `deliver`. */
  segment(segment: TcpSegment, deliver: (piece: Piece) => void): void;
  /** Gives up on every hole. */
  flush(deliver: (piece: Piece) => void): void;
  /** FIN was seen and all before it delivered, or RST was seen. */
  isEnded(): boolean;
}

/** Source: RFC 9293 §3.4: a window is below 2^30, so more is a stray segment. */
const WINDOW_MAX = 2 ** 30;

export const REASSEMBLY_LIMITS: ReassemblyLimits = { segmentsMax: 1024, bytesMax: 4 * 2 ** 20 };

/** Sequence numbers wrap: the distance is what counts. */
function distance(to: number, from: number): number {
  return (to - from) | 0;
}

/** Of bytes that came twice, the first delivered count. A stream may begin in its middle. */
export function createReassembledStream(
  counters: ReassemblyCounters,
  limits: ReassemblyLimits,
): ReassembledStream {
  let next = -1;
  let endsAt = -1;
  let isReset = false;
  let waitingBytes = 0;
  // Sorted by sequence.
  let waiting: TcpSegment[] = [];

  function take(segment: TcpSegment, deliver: (piece: Piece) => void): void {
    const skip = distance(next, segment.sequence);
    if (skip >= segment.length) {
      counters.retransmitted += 1;
      return;
    }
    deliver({ segment, skip });
    next = (segment.sequence + segment.length) >>> 0;
  }

  function drain(deliver: (piece: Piece) => void): void {
    let taken = 0;
    for (const segment of waiting) {
      if (distance(segment.sequence, next) > 0) break;
      waitingBytes -= segment.length;
      taken += 1;
      take(segment, deliver);
    }
    if (taken > 0) waiting = waiting.slice(taken);
  }

  function wait(segment: TcpSegment): void {
    counters.outOfOrder += 1;
    let at = waiting.length;
    while (at > 0 && isAfter(waiting[at - 1], segment)) at -= 1;
    waiting.splice(at, 0, segment);
    waitingBytes += segment.length;
  }

  function jump(deliver: (piece: Piece) => void): void {
    const first = waiting[0];
    if (first === undefined) return;
    counters.gaps += 1;
    next = first.sequence;
    drain(deliver);
  }

  return {
    segment(segment, deliver) {
      const isSyn = (segment.flags & TCP_SYN) !== 0;
      const from = isSyn ? (segment.sequence + 1) >>> 0 : segment.sequence;
      if (next < 0) next = from;
      if ((segment.flags & TCP_RST) !== 0) isReset = true;
      if (Math.abs(distance(from, next)) > WINDOW_MAX) {
        counters.outOfWindow += 1;
        return;
      }
      if ((segment.flags & TCP_FIN) !== 0) endsAt = (from + segment.length) >>> 0;
      if (segment.length === 0) return;
      const placed = isSyn ? { ...segment, sequence: from } : segment;
      if (distance(placed.sequence, next) > 0) wait(placed);
      else take(placed, deliver);
      drain(deliver);
      if (waiting.length > limits.segmentsMax || waitingBytes > limits.bytesMax) jump(deliver);
    },
    flush(deliver) {
      while (waiting.length > 0) jump(deliver);
    },
    isEnded: () => isReset || (endsAt >= 0 && distance(next, endsAt) >= 0),
  };
}

function isAfter(a: TcpSegment | undefined, b: TcpSegment): boolean {
  return a !== undefined && distance(a.sequence, b.sequence) > 0;
}
