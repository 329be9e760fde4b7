import { createTextDecoder } from '../text.ts';
import { gapInChunk, pushChunked, startChunks } from './chunked.ts';
import { createHttp1Head, type Http1Head } from './head.ts';
import { createKnownLines } from './known-lines.ts';
import { createHeadParser } from './parse-head.ts';
import {
  BODY_NONE,
  BODY_TUNNEL,
  type Http1Decoder,
  type Http1Options,
  type Http1Trouble,
} from './sink.ts';
import { HEAD_INCOMPLETE, HEAD_INVALID } from './start-line.ts';
import {
  findHeadEnd,
  forgetPending,
  gather,
  type Http1Stream,
  isBodyOpen,
  PHASE_CHUNK_DATA,
  PHASE_CHUNK_END,
  PHASE_CHUNK_SIZE,
  PHASE_HEAD,
  PHASE_LENGTH,
  PHASE_LOST,
  PHASE_START,
  PHASE_TRAILER,
  PHASE_TUNNEL,
  PHASE_UNTIL_CLOSE,
  PHASE_UNTIL_TURN,
} from './stream.ts';

export function createHttp1Decoder({
  headers,
  sink,
  headBytesMax = 65_536,
  headLinesMax = 1000,
  text = createTextDecoder(),
}: Http1Options): Http1Decoder {
  const parsing = { text, linesMax: headLinesMax, knownLines: createKnownLines() };
  const parser = createHeadParser(createHttp1Head(), headers, parsing);
  // Its own record: a head may be cut while the sink still looks at another one.
  const cutParser = createHeadParser(createHttp1Head(), headers, parsing);

  function push(stream: Http1Stream, bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      switch (stream.phase) {
        case PHASE_START:
          at = pushStart(stream, bytes, from, at, to);
          break;
        case PHASE_HEAD:
          at = pushHead(stream, bytes, at, to);
          break;
        case PHASE_LENGTH: {
          const taken = Math.min(to - at, stream.remaining);
          seen(stream, taken);
          stream.bodySize += taken;
          stream.remaining -= taken;
          at += taken;
          if (stream.remaining === 0) finish(stream);
          break;
        }
        case PHASE_CHUNK_SIZE:
        case PHASE_CHUNK_DATA:
        case PHASE_CHUNK_END:
        case PHASE_TRAILER:
          at = pushChunked(stream, bytes, at, to);
          afterChunked(stream);
          break;
        case PHASE_UNTIL_CLOSE:
        case PHASE_UNTIL_TURN:
          seen(stream, to - at);
          stream.bodySize += to - at;
          return;
        default:
          return;
      }
    }
  }

  function afterChunked(stream: Http1Stream): void {
    if (stream.phase === PHASE_START) finish(stream);
    else if (stream.phase === PHASE_UNTIL_TURN) sink.trouble(stream, 'chunk-framing');
  }

  function pushStart(
    stream: Http1Stream,
    bytes: Uint8Array,
    from: number,
    at: number,
    to: number,
  ): number {
    // A robust reader skips empty lines before a message. Source: RFC 9112 §2.2.
    let first = at;
    while (first < to && (bytes[first] === 0x0d || bytes[first] === 0x0a)) first += 1;
    if (first === to) return to;
    sink.start(stream, first - from);
    stream.size = 0;
    stream.captured = 0;
    stream.bodySize = 0;
    const end = parser.parse(bytes, first, Math.min(to, first + headBytesMax), false);
    if (end > 0) {
      seen(stream, end - first);
      begin(stream, parser.head);
      return end;
    }
    if (end === HEAD_INVALID) return give(stream, 'not-http1', to);
    stream.phase = PHASE_HEAD;
    return pushHead(stream, bytes, first, to);
  }

  function pushHead(stream: Http1Stream, bytes: Uint8Array, at: number, to: number): number {
    const before = stream.pendingLength;
    const taken = gather(stream, bytes, at, to, headBytesMax);
    const end = findHeadEnd(stream);
    if (end < 0) {
      seen(stream, taken);
      if (stream.pendingLength >= headBytesMax) {
        sink.trouble(stream, 'head-too-large');
        cut(stream);
      } else if (before > 0 && before < 64 && refuses(stream)) {
        return give(stream, 'not-http1', to);
      }
      return at + taken;
    }
    const used = end - before;
    seen(stream, used);
    const parsed = parser.parse(stream.pending, 0, end, false);
    forgetPending(stream);
    if (parsed < 0) return give(stream, 'not-http1', to);
    begin(stream, parser.head);
    return at + used;
  }

  /** A short beginning that cannot become HTTP: found before the head's limit is reached. */
  function refuses(stream: Http1Stream): boolean {
    return parser.parse(stream.pending, 0, stream.pendingLength, false) === HEAD_INVALID;
  }

  /** The head goes on where nothing is seen: what came of it must do. */
  function cut(stream: Http1Stream): void {
    const parsed = cutParser.parse(stream.pending, 0, stream.pendingLength, true);
    forgetPending(stream);
    if (parsed === HEAD_INVALID || parsed === HEAD_INCOMPLETE) {
      give(stream, 'not-http1', 0);
      return;
    }
    begin(stream, cutParser.head);
  }

  /** A head is complete: how long is the message? Source: RFC 9112 §6.3, in its order. */
  function begin(stream: Http1Stream, head: Http1Head): void {
    const rule = sink.head(stream, head);
    if (rule === BODY_TUNNEL) {
      sink.end(stream);
      stream.phase = PHASE_TUNNEL;
    } else if (head.isCut) stream.phase = PHASE_UNTIL_TURN;
    else if (rule === BODY_NONE || isBodiless(head)) finish(stream);
    else if (head.isChunked) startChunks(stream);
    else if (head.hasTransferEncoding) {
      stream.phase = head.isRequest ? PHASE_UNTIL_TURN : PHASE_UNTIL_CLOSE;
    } else if (head.isFramingBroken) stream.phase = PHASE_UNTIL_TURN;
    else if (head.contentLength === undefined) {
      if (head.isRequest) finish(stream);
      else stream.phase = PHASE_UNTIL_CLOSE;
    } else if (head.contentLength === 0) finish(stream);
    else {
      stream.phase = PHASE_LENGTH;
      stream.remaining = head.contentLength;
    }
  }

  function gap(stream: Http1Stream, count: number): void {
    if (count <= 0) return;
    stream.size += count;
    switch (stream.phase) {
      case PHASE_START:
        give(stream, 'gap', 0);
        break;
      case PHASE_HEAD:
        cut(stream);
        break;
      case PHASE_LENGTH:
        gapInLength(stream, count);
        break;
      case PHASE_CHUNK_DATA:
        if (gapInChunk(stream, count)) finish(stream);
        break;
      case PHASE_CHUNK_SIZE:
      case PHASE_CHUNK_END:
      case PHASE_TRAILER:
        stream.bodySize += count;
        stream.phase = PHASE_UNTIL_TURN;
        break;
      case PHASE_UNTIL_CLOSE:
      case PHASE_UNTIL_TURN:
        stream.bodySize += count;
        break;
      default:
        break;
    }
  }

  function gapInLength(stream: Http1Stream, count: number): void {
    const ofBody = Math.min(count, stream.remaining);
    const beyond = count - ofBody;
    stream.bodySize += ofBody;
    stream.remaining -= ofBody;
    if (stream.remaining > 0) return;
    stream.size -= beyond;
    finish(stream);
    if (beyond > 0) give(stream, 'gap', 0);
  }

  function finish(stream: Http1Stream): void {
    stream.phase = PHASE_START;
    sink.end(stream);
  }

  function give(stream: Http1Stream, trouble: Http1Trouble, to: number): number {
    forgetPending(stream);
    stream.phase = PHASE_LOST;
    sink.trouble(stream, trouble);
    return to;
  }

  return {
    push,
    gap,
    turn(stream) {
      if (stream.phase === PHASE_UNTIL_TURN) finish(stream);
      else if (stream.phase === PHASE_LOST) stream.phase = PHASE_START;
    },
    cut(stream) {
      if (stream.phase === PHASE_HEAD) cut(stream);
    },
    close(stream) {
      if (stream.phase === PHASE_HEAD) cut(stream);
      if (isBodyOpen(stream)) finish(stream);
    },
    tunnel(stream) {
      forgetPending(stream);
      stream.phase = PHASE_TUNNEL;
    },
    lose(stream) {
      if (stream.phase === PHASE_TUNNEL) return;
      if (stream.phase === PHASE_HEAD) cut(stream);
      if (isBodyOpen(stream)) finish(stream);
      forgetPending(stream);
      stream.phase = PHASE_LOST;
    },
  };
}

function seen(stream: Http1Stream, count: number): void {
  stream.size += count;
  stream.captured += count;
}

function isBodiless(head: Http1Head): boolean {
  if (head.isRequest) return false;
  return head.status < 200 || head.status === 204 || head.status === 304;
}
