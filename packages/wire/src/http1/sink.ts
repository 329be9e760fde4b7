import type { StreamDecoder } from '../stream-decoder.ts';
import type { DecodeText } from '../text.ts';
import type { Http1Head } from './head.ts';
import type { HeaderTable } from './header-table.ts';
import type { Http1Stream } from './stream.ts';

/** The head's own fields tell how the body is framed. */
export const BODY_FRAMED = 0;
/** No body whatever the head says: the answer to HEAD. */
export const BODY_NONE = 1;
/** No message follows: the answer to CONNECT, or 101. */
export const BODY_TUNNEL = 2;

/** Why bytes were given up until the next turn. */
export type Http1Trouble = 'not-http1' | 'head-too-large' | 'chunk-framing' | 'gap';

/** Hears of messages, in stream order, during `push`, `gap`, `turn` and `close`. */
export interface Http1Sink {
  /** A message's first byte is `offset` bytes into what is being pushed. */
  start(stream: Http1Stream, offset: number): void;
  /** Answers one of BODY_*: only the caller knows which request a response answers. */
  head(stream: Http1Stream, head: Http1Head): number;
  /** The message that had a head is over; the stream's sizes describe it. */
  end(stream: Http1Stream): void;
  trouble(stream: Http1Stream, trouble: Http1Trouble): void;
}

export interface Http1Options {
  readonly headers: HeaderTable;
  readonly sink: Http1Sink;
  /** Bytes of a head at most; a longer one is taken as cut there. Default 64 KiB. */
  readonly headBytesMax?: number;
  /** Lines of a head at most; more are not HTTP. Default 1000. */
  readonly headLinesMax?: number;
  readonly text?: DecodeText;
}

/**
 * A bystander's HTTP/1.x decoder, for any number of streams. It keeps no clock and does no I/O,
 * never throws on what it reads, and holds at most one unfinished head for each stream.
 * Source: RFC 9112, read as leniently as a bystander must.
 */
export interface Http1Decoder extends StreamDecoder<Http1Stream> {
  /** An unfinished head will not go on: what came of it must do. */
  cut(stream: Http1Stream): void;
  /** What follows is not HTTP/1: the other side agreed to switch protocols. */
  tunnel(stream: Http1Stream): void;
}
