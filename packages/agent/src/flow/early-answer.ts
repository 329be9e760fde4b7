import type { FlowConnection } from './connection.ts';
import { DIRECTION_IN, ROLE_CLIENT, type Transfer } from './transfer.ts';

// The kernel tells of a request once the call that sent it is over. Where threads read and write one
// connection (Go, Java), another one may have read the answer by then: it is told of before its
// request, and without care every later answer of that connection would be taken for the next one's.

/** Transfers of one answer that wait for their request; an answer with more goes on alone. */
const HELD_MAX = 4;
/** How an answer of HTTP/1 begins. In other protocols servers speak unasked, or clients do not mix threads. */
const ANSWER_BEGINS = [...'HTTP/1.'].map((letter) => letter.charCodeAt(0));

/**
 * Whether `now` answers a request that was not told of yet: nothing waits for an answer, the last
 * one is over, and nothing was lost. Which it is shows when the connection speaks next.
 */
export function isEarlyAnswer(of: FlowConnection, now: Transfer): boolean {
  if (now.direction !== DIRECTION_IN || of.waiting.length > 0) return false;
  if (of.early.length > 0) return of.early.length < HELD_MAX && now.lostBefore === 0;
  return (
    now.role === ROLE_CLIENT &&
    of.lastDirection === DIRECTION_IN &&
    of.incoming.response === undefined &&
    of.outgoing.nextSequence >= 0 &&
    of.incoming.nextSequence === now.sequence &&
    now.lostBefore === 0 &&
    of.protocol.name === 'http1' &&
    beginsAnswer(now)
  );
}

/** A copy of `now` that outlives the call, with its captured bytes and without addresses and name. */
export function heldTransfer(now: Transfer): Transfer {
  const bytes = now.bytes.slice(now.bytesAt, now.bytesAt + now.captured);
  return { ...now, bytes, bytesAt: 0, localAddressAt: -1, remoteAddressAt: -1, commAt: -1 };
}

function beginsAnswer({ bytes, bytesAt, captured }: Transfer): boolean {
  return (
    captured >= ANSWER_BEGINS.length &&
    ANSWER_BEGINS.every((letter, at) => bytes[bytesAt + at] === letter)
  );
}
