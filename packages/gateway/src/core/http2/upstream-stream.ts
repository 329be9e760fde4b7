import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { CHUNKED, type Framing, NO_BODY } from '../http/head.ts';
import type { HeaderFields } from '../http/header-fields.ts';
import type {
  ReplyTimeouts,
  UpstreamConnection,
  UpstreamFailure,
  UpstreamListener,
} from '../http/upstream-connection.ts';
import { fieldsOf, outgoingTrailers } from './fields.ts';
import type { UpstreamSession } from './upstream-sessions.ts';

const NEVER = Number.POSITIVE_INFINITY;
const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM } = constants;

/** One request to a node as a stream of its HTTP/2 connection. `over` is called when it ended. */
export function openUpstreamStream(
  kept: UpstreamSession,
  connectMs: number,
  now: () => number,
  over: () => void,
): UpstreamConnection {
  let listener: UpstreamListener | undefined;
  let timeouts: ReplyTimeouts | undefined;
  let stream: ClientHttp2Stream | undefined;
  let trailers: HeaderFields | undefined;
  let sentTrailers: HeaderFields | undefined;
  let hasHead = false;
  let isOver = false;
  let deadlineMs = now() + connectMs;

  function fail(why: UpstreamFailure): void {
    if (isOver) return;
    isOver = true;
    const waiting = listener;
    listener = undefined;
    if (stream?.closed === false) stream.close(NGHTTP2_CANCEL);
    over();
    waiting?.failed(why);
  }

  function active(): void {
    if (timeouts !== undefined) deadlineMs = now() + timeouts.readMs;
  }

  function takeHead(headers: IncomingHttpHeaders & { ':status'?: number }, flags: number): void {
    const fields = fieldsOf(headers);
    const status = headers[':status'];
    if (fields === undefined || status === undefined) {
      fail('malformed');
      return;
    }
    hasHead = true;
    active();
    const isEnd = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    const framing = isEnd ? NO_BODY : framingOf(fields);
    const rest = { isHttp10: false, isKeepAlive: true, size: 0 };
    listener?.head({ kind: 'response', status, fields, framing, ...rest });
    // An answer that ends with its head is sent on so: the head waits for the end that follows.
    if (!isEnd) listener?.flush();
  }

  function finish(): void {
    if (isOver || !hasHead) return;
    isOver = true;
    const waiting = listener;
    listener = undefined;
    over();
    waiting?.end(trailers);
    // The node has said all; what the client still sends is of no use to it.
    if (stream?.writableFinished === false) stream.close(NGHTTP2_CANCEL);
  }

  function follow(opened: ClientHttp2Stream): void {
    opened.on('response', takeHead);
    opened.on('data', (bytes: Buffer) => {
      active();
      listener?.data(bytes);
      listener?.flush();
    });
    opened.on('trailers', (headers) => {
      trailers = fieldsOf(headers);
    });
    opened.on('wantTrailers', () => {
      // A request that is given up must not look whole to the node.
      if (!opened.aborted) opened.sendTrailers(outgoingTrailers(sentTrailers));
    });
    opened.on('drain', () => {
      active();
      listener?.drained();
    });
    opened.on('end', () => {
      if (opened.rstCode === 0) finish();
    });
    opened.on('error', () => fail('reset'));
    opened.on('close', () => fail('reset'));
  }

  const connection: UpstreamConnection = {
    isReused: () => false,
    http2: {
      head(headers, isEnd) {
        if (kept.session.destroyed || kept.session.closed) {
          // Not at once: the caller has not finished with this try.
          setImmediate(() => fail('connect'));
          return;
        }
        stream = kept.session.request(headers, { endStream: isEnd, waitForTrailers: !isEnd });
        follow(stream);
      },
      end(given) {
        sentTrailers = given;
        stream?.end();
      },
    },
    begin(_method, next, nextListener) {
      timeouts = next;
      listener = nextListener;
      kept.whenReady((isUp) => {
        if (isOver) return;
        if (!isUp) {
          fail('connect');
          return;
        }
        deadlineMs = now() + next.sendMs;
        listener?.connected();
      });
    },
    // A copy: what is given is good during the call only, and a stream may keep it for later.
    write: (text, bytes) =>
      stream?.write(Buffer.concat([Buffer.from(text, 'latin1'), bytes])) ?? true,
    sent: active,
    pause() {
      stream?.pause();
      deadlineMs = NEVER;
    },
    resume() {
      active();
      stream?.resume();
    },
    takeOver() {
      throw new Error('BUG: no protocol is switched within HTTP/2');
    },
    destroy() {
      if (isOver) return;
      isOver = true;
      listener = undefined;
      stream?.close(NGHTTP2_CANCEL);
      over();
    },
    check(nowMs) {
      if (nowMs < deadlineMs) return;
      if (kept.isConnected()) fail('timeout');
      else {
        kept.session.destroy();
        fail('connect-timeout');
      }
    },
  };
  return connection;
}

function framingOf(fields: HeaderFields): Framing {
  const length = fields.get('content-length');
  return length !== undefined && /^\d{1,15}$/.test(length)
    ? { kind: 'length', bytes: Number(length) }
    : CHUNKED;
}
