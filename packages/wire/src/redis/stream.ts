import { createPending, type Pending } from '../pending.ts';
import { PHASE_FIRST, PHASE_LOST, PHASE_UNTIL_TURN } from '../stream-decoder.ts';

/** In a line: a type and a number or a text, up to CRLF. Also between two messages. */
export const PHASE_LINE = PHASE_FIRST;
/** In the bytes of a bulk string and the CRLF after it. */
export const PHASE_BULK = 1;

/** One direction of one Redis connection. Owned by its creator, changed by the decoder only. */
export interface RedisStream {
  /** Commands pass here, not replies. */
  readonly isAsking: boolean;
  phase: number;
  /** Of the message that is open or has just ended: bytes on the wire, and how many were seen. */
  size: number;
  captured: number;
  /** Bytes of bulk strings. */
  bodySize: number;
  /** Values of the open message still to come; 0 between messages. */
  valuesLeft: number;
  /** Bytes of the bulk string still to come, with its CRLF. */
  remaining: number;
  /** What is kept of an unfinished line or bulk string. */
  readonly pending: Pending;
  /** Words of a command that are kept, and how many it has. */
  words: string[];
  wordsLength: number;
  wordCount: number;
  /** The message is a push of RESP3: it answers nothing. */
  isPush: boolean;
  /** The reply's type is known; of a command, it was told of before its end. */
  isTold: boolean;
}

export function createRedisStream(isAsking: boolean): RedisStream {
  return {
    isAsking,
    phase: PHASE_LINE,
    size: 0,
    captured: 0,
    bodySize: 0,
    valuesLeft: 0,
    remaining: 0,
    pending: createPending(),
    words: [],
    wordsLength: 0,
    wordCount: 0,
    isPush: false,
    isTold: false,
  };
}

/** Whether what passes now is not told of: any number of messages, until the other side speaks. */
export function isRedisHidden({ phase }: RedisStream): boolean {
  return phase === PHASE_UNTIL_TURN || phase === PHASE_LOST;
}
