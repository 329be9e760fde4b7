import type { OutgoingHttpHeaders } from 'node:http2';
import { type Connection, type ConnectionListener, EMPTY } from '../sockets/connection.ts';
import { type BodyDecoder, createBodyDecoder } from './body-decoder.ts';
import { HEAD_LIMITS, parseResponseHead, type ResponseHead } from './head.ts';
import { HeadReading } from './head-reading.ts';
import type { HeaderFields } from './header-fields.ts';

export type UpstreamFailure = 'connect' | 'connect-timeout' | 'reset' | 'timeout' | 'malformed';

/** What happens to a request that was given to an upstream connection. */
export interface UpstreamListener {
  connected(): void;
  /** The final head; heads of 1xx other than 101 are passed over. */
  head(head: ResponseHead): void;
  /** `bytes` are good until the call returns: the next read overwrites them. */
  data(bytes: Buffer): void;
  end(trailers: HeaderFields | undefined): void;
  /** Nothing follows. `reset` covers every close before the end. */
  failed(why: UpstreamFailure): void;
  drained(): void;
  /** All that one read brought was handed over. */
  flush(): void;
}

/** One connection to a node: one request at a time, kept open between them. */
export interface UpstreamConnection {
  /** Served another request before this one: the node may have closed it meanwhile. */
  readonly isReused: () => boolean;
  /** Present on a stream of HTTP/2, whose head and trailers are no text. */
  readonly http2?: {
    head(headers: OutgoingHttpHeaders, isEnd: boolean): void;
    end(trailers: HeaderFields | undefined): void;
  };
  /** `method` says how the answer is framed. */
  begin(method: string, timeouts: ReplyTimeouts, listener: UpstreamListener): void;
  /** `text` as latin1, then `bytes`; both were copied or sent when the call returns. */
  write(text: string, bytes: Buffer): boolean;
  /** The request is sent: from now on it is reading that takes time. */
  sent(): void;
  pause(): void;
  resume(): void;
  /** The connection below, handed over for good after 101, and what came behind the head. */
  takeOver(): { readonly socket: Connection; readonly rest: Buffer };
  destroy(): void;
  /** Fails what is over its time. */
  check(nowMs: number): void;
}

export interface ReplyTimeouts {
  readonly sendMs: number;
  readonly readMs: number;
}

export interface UpstreamConnectionParts {
  readonly connectMs: number;
  now(): number;
  /** The answer is whole and the connection may serve again. */
  idle(connection: UpstreamConnection, requestsServed: number): void;
  gone(connection: UpstreamConnection): void;
}

/** nginx reads an upstream's head into one buffer of 4 or 8 KiB; lines here may be longer. */
const LIMITS = { ...HEAD_LIMITS, lineBytesMax: 32_768, headBytesMax: 131_072 };
const NEVER = Number.POSITIVE_INFINITY;

export function openUpstreamConnection(
  socket: Connection,
  parts: UpstreamConnectionParts,
): UpstreamConnection {
  const { now } = parts;
  const reading = new HeadReading(LIMITS);
  let isConnected = false;
  let isDead = false;
  let listener: UpstreamListener | undefined;
  let request: ReplyTimeouts | undefined;
  let method = 'GET';
  let response: ResponseHead | undefined;
  let decoder: BodyDecoder | undefined;
  let held: Buffer = EMPTY;
  /** Octets of `held` that are used up. */
  let used = 0;
  let served = 0;
  let hasBegunReply = false;
  /** The request is out whole: else the node would take the next one for the rest of this. */
  let isSent = false;
  let deadlineMs = now() + parts.connectMs;

  function fail(why: UpstreamFailure): void {
    if (isDead) return;
    isDead = true;
    socket.destroy();
    parts.gone(connection);
    const waiting = listener;
    listener = undefined;
    waiting?.failed(why);
  }

  function start(): void {
    if (request === undefined) return;
    deadlineMs = now() + request.sendMs;
    listener?.connected();
  }

  function finish(trailers: HeaderFields | undefined): void {
    const waiting = listener;
    // An answer before the end of the request: the rest would be read as the next request.
    const isKept = isSent && response?.isKeepAlive === true && held.length === used;
    listener = undefined;
    request = undefined;
    response = undefined;
    decoder = undefined;
    served += 1;
    hasBegunReply = false;
    deadlineMs = NEVER;
    waiting?.end(trailers);
    if (isDead) return;
    // The last octets may have found the client slow: whoever is served next would wait for ever.
    socket.resume();
    if (isKept) parts.idle(connection, served);
    else connection.destroy();
  }

  const sink = {
    data: (bytes: Buffer) => listener?.data(bytes),
    end: (trailers: HeaderFields | undefined) => {
      ended = true;
      endTrailers = trailers;
    },
  };
  let ended = false;
  let endTrailers: HeaderFields | undefined;

  function readHead(): boolean {
    const head = parseResponseHead(held, used, method, reading);
    if (head.kind === 'need-more') return false;
    if (head.kind === 'refused') {
      fail('malformed');
      return false;
    }
    used += head.size;
    // Interim answers; 101 is final, since what follows is no longer HTTP.
    if (head.status < 200 && head.status !== 101) return true;
    response = head;
    ended = false;
    listener?.head(head);
    if (head.status === 101 || isDead) return false;
    decoder = createBodyDecoder(head.framing, sink);
    return true;
  }

  function pump(): void {
    while (listener !== undefined && !isDead) {
      if (response === undefined) {
        if (held.length === used || !readHead()) break;
        continue;
      }
      if (decoder === undefined) break;
      if (!ended) {
        if (held.length === used) break;
        const next = decoder.take(held, used);
        if (next < 0) {
          fail('malformed');
          return;
        }
        used = next;
      }
      if (ended) finish(endTrailers);
    }
    listener?.flush();
  }

  const listening: ConnectionListener = {
    connected() {
      isConnected = true;
      start();
    },
    data(chunk) {
      // Octets that nobody asked for: the next answer on this connection could not be trusted.
      if (listener === undefined) {
        fail('reset');
        return;
      }
      hasBegunReply = true;
      if (request !== undefined) deadlineMs = now() + request.readMs;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      pump();
      // The next read overwrites what is left of this one.
      held = held.length === used ? EMPTY : Buffer.from(held.subarray(used));
      used = 0;
    },
    drained: () => listener?.drained(),
    ended() {
      if (decoder?.finish() === true && !isDead) {
        if (response !== undefined) response = { ...response, isKeepAlive: false };
        finish(endTrailers);
      }
      fail('reset');
    },
    closed: () => fail(isConnected ? 'reset' : 'connect'),
  };

  const connection: UpstreamConnection = {
    isReused: () => served > 0 && !hasBegunReply,
    begin(nextMethod, timeouts, nextListener) {
      isSent = false;
      method = nextMethod;
      request = timeouts;
      listener = nextListener;
      if (isConnected) start();
    },
    write: (text, bytes) => socket.write(text, bytes),
    sent() {
      isSent = true;
      if (request !== undefined) deadlineMs = now() + request.readMs;
    },
    pause() {
      socket.pause();
      deadlineMs = NEVER;
    },
    resume() {
      if (request !== undefined) deadlineMs = now() + request.readMs;
      socket.resume();
    },
    takeOver() {
      const rest = Buffer.from(held.subarray(used));
      held = EMPTY;
      used = 0;
      isDead = true;
      listener = undefined;
      deadlineMs = NEVER;
      parts.gone(connection);
      return { socket, rest };
    },
    destroy() {
      if (isDead) return;
      isDead = true;
      listener = undefined;
      socket.destroy();
      parts.gone(connection);
    },
    check(nowMs) {
      if (nowMs >= deadlineMs) fail(isConnected ? 'timeout' : 'connect-timeout');
    },
  };
  socket.listen(listening);
  return connection;
}
