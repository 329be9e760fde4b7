import type { Http1Head } from '../http1/head.ts';
import type { HeaderTable } from '../http1/header-table.ts';
import { addPending, clearPending } from '../pending.ts';
import { outerEnds, PHASE_LOST, PHASE_UNTIL_TURN, type StreamDecoder } from '../stream-decoder.ts';
import { createTextDecoder, type DecodeText } from '../text.ts';
import { cgiHeadEnd, createCgiHeadReader } from './head.ts';
import {
  ABORT_REQUEST,
  BEGIN_REQUEST,
  contentSize,
  END_REQUEST,
  HEADER_SIZE,
  isRecord,
  PARAMS,
  STDIN,
  STDOUT,
} from './record.ts';
import { type FastcgiStream, PHASE_CONTENT, PHASE_HEADER } from './stream.ts';

export type FastcgiTrouble = 'not-fastcgi' | 'gap';

/** Hears of messages in stream order. A message may go on after its head; `end` ends each. */
export interface FastcgiSink {
  /** A message's first byte is `offset` bytes into what is being pushed. */
  start(stream: FastcgiStream, offset: number): void;
  /** What CGI's variables or headers say, in HTTP's words. Valid during the call only. */
  head(stream: FastcgiStream, head: Http1Head): void;
  /** The message that was told of is over; the stream's sizes describe it. */
  end(stream: FastcgiStream): void;
  trouble(stream: FastcgiStream, trouble: FastcgiTrouble): void;
}

/**
 * Requests of a connection follow each other, as
 * web servers send them: interleaved ones (FastCGI 1.0 §2.4) are not told apart.
 */
export type FastcgiDecoder = StreamDecoder<FastcgiStream>;

/** Of variables, or of an answer's head: what is past it is not looked at. */
const HEAD_BYTES_MAX = 16_384;

export function createFastcgiDecoder(options: {
  readonly sink: FastcgiSink;
  readonly headers: HeaderTable;
  readonly text?: DecodeText;
}): FastcgiDecoder {
  const { sink, headers, text = createTextDecoder() } = options;
  const reader = createCgiHeadReader(headers, text);

  function push(stream: FastcgiStream, bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (stream.phase === PHASE_HEADER) {
        if (!stream.isOpen) begin(stream, at - from);
        at = pushHeader(stream, bytes, at, to);
      } else if (stream.phase === PHASE_CONTENT) at = pushContent(stream, bytes, at, to);
      else {
        if (stream.phase === PHASE_UNTIL_TURN) seen(stream, to - at);
        return;
      }
    }
  }

  function begin(stream: FastcgiStream, offset: number): void {
    sink.start(stream, offset);
    stream.isOpen = true;
    stream.isTold = false;
    stream.isCut = false;
    stream.size = 0;
    stream.captured = 0;
    stream.bodySize = 0;
  }

  function pushHeader(stream: FastcgiStream, bytes: Uint8Array, at: number, to: number): number {
    const taken = Math.min(to - at, HEADER_SIZE - stream.headerLength);
    stream.header.set(bytes.subarray(at, at + taken), stream.headerLength);
    stream.headerLength += taken;
    seen(stream, taken);
    if (stream.headerLength === HEADER_SIZE) startRecord(stream);
    return at + taken;
  }

  function startRecord(stream: FastcgiStream): void {
    const { header } = stream;
    stream.headerLength = 0;
    if (!isRecord(header, 0, stream.isAsking)) {
      give(stream, 'not-fastcgi');
      return;
    }
    stream.type = header[1] ?? 0;
    const isFirst = stream.size === HEADER_SIZE;
    if (isFirst && stream.isAsking && stream.type !== BEGIN_REQUEST && !isManagement(stream)) {
      give(stream, 'not-fastcgi'); // The middle of a request.
      return;
    }
    stream.contentLeft = contentSize(header, 0);
    stream.paddingLeft = header[6] ?? 0;
    stream.phase = PHASE_CONTENT;
    if (stream.contentLeft === 0) endOfStream(stream);
    if (stream.contentLeft + stream.paddingLeft === 0) endRecord(stream);
  }

  function pushContent(stream: FastcgiStream, bytes: Uint8Array, at: number, to: number): number {
    const ofContent = Math.min(to - at, stream.contentLeft);
    const taken = Math.min(to - at, stream.contentLeft + stream.paddingLeft);
    seen(stream, taken);
    if (ofContent > 0) content(stream, bytes, at, at + ofContent);
    passed(stream, taken);
    return at + taken;
  }

  function content(stream: FastcgiStream, bytes: Uint8Array, from: number, to: number): void {
    if (stream.type === STDIN || (stream.type === STDOUT && stream.isTold)) {
      stream.bodySize += to - from;
    }
    if (stream.isTold || stream.isCut) return;
    if (stream.type !== PARAMS && stream.type !== STDOUT) return;
    const { pending } = stream;
    if (addPending(pending, bytes, { from, to }, HEAD_BYTES_MAX) < to - from) {
      stream.isCut = true;
    }
    if (stream.type !== STDOUT) return;
    const end = cgiHeadEnd(pending.bytes, pending.length);
    if (end < 0 && !stream.isCut) return;
    stream.bodySize += end < 0 ? 0 : pending.length - end;
    tell(stream, end < 0 ? pending.length : end);
  }

  /** `count` bytes of the current record are past. */
  function passed(stream: FastcgiStream, count: number): void {
    const ofContent = Math.min(count, stream.contentLeft);
    stream.contentLeft -= ofContent;
    stream.paddingLeft -= count - ofContent;
    if (stream.contentLeft + stream.paddingLeft === 0) endRecord(stream);
  }

  /** A record without content ends its stream: the variables, or the request's body. */
  function endOfStream(stream: FastcgiStream): void {
    if (stream.type === PARAMS && !stream.isTold) tell(stream, stream.pending.length);
  }

  function endRecord(stream: FastcgiStream): void {
    stream.phase = PHASE_HEADER;
    const { type, isAsking } = stream;
    const isOver = isAsking
      ? type === ABORT_REQUEST || (type === STDIN && contentSize(stream.header, 0) === 0)
      : type === END_REQUEST;
    if (isOver) finish(stream);
    else if (isManagement(stream) && !stream.isTold) stream.isOpen = false;
  }

  function tell(stream: FastcgiStream, headEnd: number): void {
    const { bytes } = stream.pending;
    stream.isTold = true;
    const read = stream.isAsking ? reader.request : reader.response;
    sink.head(stream, read(bytes, headEnd, stream.isCut));
    clearPending(stream.pending);
  }

  function finish(stream: FastcgiStream): void {
    if (stream.isOpen && !stream.isTold) tell(stream, stream.pending.length);
    stream.phase = PHASE_HEADER;
    stream.headerLength = 0;
    stream.isOpen = false;
    sink.end(stream);
  }

  function gap(stream: FastcgiStream, count: number): void {
    if (count <= 0 || stream.phase === PHASE_LOST) return;
    stream.size += count;
    if (stream.phase === PHASE_UNTIL_TURN) return;
    if (stream.phase === PHASE_CONTENT && count <= stream.contentLeft + stream.paddingLeft) {
      const ofContent = Math.min(count, stream.contentLeft);
      const isBody = stream.type === STDIN || (stream.type === STDOUT && stream.isTold);
      if (isBody) stream.bodySize += ofContent;
      else if (ofContent > 0) stream.isCut = true;
      passed(stream, count);
    } else if (isKnown(stream)) cut(stream);
    else give(stream, 'gap');
  }

  /** The rest of the open message is not seen: it lasts until the other side speaks. */
  function cut(stream: FastcgiStream): void {
    stream.isCut = true;
    stream.headerLength = 0;
    if (!stream.isTold) tell(stream, stream.pending.length);
    stream.phase = PHASE_UNTIL_TURN;
  }

  function give(stream: FastcgiStream, trouble: FastcgiTrouble): void {
    const isTold = stream.isOpen && stream.isTold;
    stream.phase = PHASE_LOST;
    stream.isOpen = false;
    stream.headerLength = 0;
    clearPending(stream.pending);
    if (isTold) sink.end(stream);
    sink.trouble(stream, trouble);
  }

  function settle(stream: FastcgiStream): void {
    if (isKnown(stream) && stream.phase !== PHASE_UNTIL_TURN) cut(stream);
    if (stream.phase === PHASE_UNTIL_TURN) finish(stream);
  }

  return { push, gap, ...outerEnds(finish, settle) };
}

/** Of the open message at least the first record's header was seen. */
function isKnown({ isOpen, captured }: FastcgiStream): boolean {
  return isOpen && captured >= HEADER_SIZE;
}

/** Records about the application, not about a request. Source: FastCGI 1.0 §3.3. */
function isManagement({ header }: FastcgiStream): boolean {
  return header[2] === 0 && header[3] === 0;
}

function seen(stream: FastcgiStream, count: number): void {
  stream.size += count;
  stream.captured += count;
}
