import { type Answer, answerBytes, errorPage, statusLine } from '../answer.ts';
import { type BodySource, createRequestBody, type RequestBody } from '../request-body.ts';
import { type Peer, RequestContext } from '../request-context.ts';
import { type Connection, EMPTY } from '../sockets/connection.ts';
import { type BodyDecoder, createBodyDecoder } from './body-decoder.ts';
import { connectionOptions } from './connection-options.ts';
import { HEAD_LIMITS, parseRequestHead, type RequestHead } from './head.ts';
import { HeadReading } from './head-reading.ts';
import { HeaderFields } from './header-fields.ts';
import { fieldLines, trailerLines } from './message.ts';

/** What the handler of a request is told about its client. */
export interface ClientListener {
  /** The client left before the answer was whole. */
  gone(): void;
  /** The socket takes more after `writeBody` answered false. */
  drained(): void;
}

/** One client, one request at a time: later ones wait in the socket until the answer is whole. */
export interface ClientConnection {
  listen(listener: ClientListener | undefined): void;
  /** How the answer's body is framed; the fields must not say otherwise. */
  writeHead(status: number, fields: HeaderFields, framing: AnswerFraming): void;
  /** `bytes` are copied. False when the client is slower than the answer: stop until `drained`. */
  writeBody(bytes: Buffer): boolean;
  end(trailers: HeaderFields | undefined): void;
  /** Sends what is held back: the head for the first octets of the body, chunks for more of them. */
  flush(): void;
  /** The answer that follows is the last one on this octet stream. */
  last(): void;
  /** A whole answer made by the gateway. */
  answer(status: number, fields: HeaderFields, body: Buffer): void;
  /** The raw connection and what was read past the head, after `101` was sent with `fields`. */
  upgrade(fields: HeaderFields): { readonly socket: Connection; readonly rest: Buffer };
  destroy(): void;
}

export type AnswerFraming = 'none' | 'length' | 'chunked';
/** On the wire: HTTP/1.0 clients know no chunks, so the end of the connection ends the body. */
type WireFraming = AnswerFraming | 'close';

export interface ClientSettings {
  readonly headerTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly sendTimeoutMs: number;
}

export interface ClientCounters {
  accepted: number;
  active: number;
  requests: number;
  waiting: number;
  refused: number;
}

export interface ClientParts {
  readonly settings: ClientSettings;
  readonly counters: ClientCounters;
  now(): number;
  /** Unix ms with fractions, for latencies. */
  preciseNow(): number;
  date(nowMs: number): string;
  handle(context: RequestContext, connection: ClientConnection): void;
  isDraining(): boolean;
}

/** What the sweep of all connections looks at. */
export interface SweptConnection {
  /** Closes when its time is over. */
  check(nowMs: number): void;
  /** Closes now when idle, else after the answer. */
  drain(): void;
  destroy(): void;
}

/** Octets of a request body thrown away after an early answer, before the connection is cut. */
const DISCARD_BYTES_MAX = 1 << 20;
/** What a peer sends after its last answer is of no use; it gets so long to see the answer. */
const GOODBYE_MS = 1_000;
/** Octets of a pipelined request that are read before the answer to the one before it is whole. */
const PIPELINED_BYTES_MAX = 16_384;
const NONE: readonly string[] = [];
const CRLF = '\r\n';

export function serveClient(socket: Connection, peer: Peer, parts: ClientParts): SweptConnection {
  const { settings, counters, now } = parts;
  const reading = new HeadReading(HEAD_LIMITS);
  let held: Buffer = EMPTY;
  let context: RequestContext | undefined;
  let body: RequestBody | undefined;
  let decoder: BodyDecoder | undefined;
  let listener: ClientListener | undefined;
  let isAnswered = false;
  let isKept = true;
  let isUpgraded = false;
  let isClosing = false;
  let pendingHead = '';
  let framing: WireFraming = 'none';
  let discarded = 0;
  let isPaused = false;
  let isPumping = false;
  let isCorked = false;
  let deadlineMs = now() + settings.headerTimeoutMs;

  const bodySource: BodySource = {
    pause,
    resume,
    want() {
      const isWaiting = context?.head.expectsContinue === true && held.length === 0;
      if (isWaiting) socket.write('HTTP/1.1 100 Continue\r\n\r\n', EMPTY);
    },
  };

  counters.accepted += 1;
  counters.active += 1;
  counters.waiting += 1;

  function pause(): void {
    if (isPaused) return;
    isPaused = true;
    socket.pause();
  }

  function resume(): void {
    if (!isPaused || isUpgraded) return;
    isPaused = false;
    socket.resume();
  }

  function close(): void {
    isClosing = true;
    socket.end();
    lingerUntil(GOODBYE_MS);
  }

  /** What has not left yet gets the time that sending gets; after that `ms`. */
  function lingerUntil(ms: number): void {
    deadlineMs = now() + (socket.isBehind() ? settings.sendTimeoutMs : ms);
  }

  function refuse(answer: Answer): void {
    counters.refused += 1;
    const fields = new HeaderFields();
    fields.push('Content-Type', 'content-type', 'text/html; charset=utf-8');
    isKept = false;
    connection.answer(answer.status, fields, answerBytes(answer.body));
    if (!isClosing) close();
  }

  function beginRequest(head: RequestHead): void {
    isAnswered = false;
    isKept = head.isKeepAlive;
    discarded = 0;
    counters.requests += 1;
    counters.waiting -= 1;
    body = createRequestBody(head.framing, bodySource);
    context = new RequestContext(peer, head, body, parts.preciseNow());
    context.receivedBytes = head.size;
    decoder = head.framing.kind === 'none' ? undefined : createBodyDecoder(head.framing, body);
    deadlineMs = decoder === undefined ? Number.POSITIVE_INFINITY : now() + settings.bodyTimeoutMs;
  }

  /** Takes from `held` what can be taken now. */
  function pump(): void {
    if (isPumping) return;
    isPumping = true;
    try {
      while (held.length > 0 && !isUpgraded && !isClosing && step());
    } finally {
      isPumping = false;
    }
  }

  /** False when more octets, or the end of the answer, must come first. */
  function step(): boolean {
    if (context === undefined) return stepHead();
    if (decoder === undefined || decoder.isDone()) {
      // A pipelined request waits; the socket is read no further meanwhile.
      if (held.length > PIPELINED_BYTES_MAX) pause();
      return false;
    }
    return stepBody(decoder);
  }

  function stepHead(): boolean {
    const head = parseRequestHead(held, 0, reading);
    if (head.kind === 'need-more') return false;
    if (head.kind === 'refused') {
      held = EMPTY;
      refuse(errorPage(head.status));
      return false;
    }
    beginRequest(head);
    held = head.size === held.length ? EMPTY : held.subarray(head.size);
    if (context !== undefined) parts.handle(context, connection);
    return true;
  }

  function stepBody(current: BodyDecoder): boolean {
    const bytes = held;
    held = EMPTY;
    const next = current.take(bytes, 0);
    if (next < 0) {
      body?.fail();
      if (isAnswered) socket.destroy();
      else {
        const waiting = listener;
        listener = undefined;
        refuse(errorPage(400));
        waiting?.gone();
      }
      return false;
    }
    if (context !== undefined) context.receivedBytes += next;
    if (isAnswered) discarded += next;
    if (discarded > DISCARD_BYTES_MAX) {
      socket.destroy();
      return false;
    }
    held = next === bytes.length ? EMPTY : bytes.subarray(next);
    deadlineMs =
      current.isDone() && !isAnswered ? Number.POSITIVE_INFINITY : now() + settings.bodyTimeoutMs;
    if (current.isDone() && isAnswered) finish();
    return true;
  }

  /** The answer is whole: on to the next request, once the body of this one is through. */
  function finish(): void {
    isAnswered = true;
    listener = undefined;
    // Who still waits for `100 Continue` may send the body or not: no telling what comes next.
    const isUnsure = context?.head.expectsContinue === true && decoder?.isDone() === false;
    if (!isKept || parts.isDraining() || isUnsure) {
      close();
      return;
    }
    if (decoder !== undefined && !decoder.isDone()) {
      body?.attach({ data: () => undefined, end: () => undefined });
      deadlineMs = now() + settings.bodyTimeoutMs;
      return;
    }
    context = undefined;
    body = undefined;
    decoder = undefined;
    counters.waiting += 1;
    lingerUntil(settings.keepAliveTimeoutMs);
    resume();
    pump();
  }

  /** A client that takes nothing for too long is cut: it holds an upstream's connection. */
  function waitUnless(isReady: boolean): boolean {
    if (!isReady) deadlineMs = now() + settings.sendTimeoutMs;
    return isReady;
  }

  /** The head goes in the same write as the first octets. */
  function send(bytes: Buffer): boolean {
    const head = pendingHead;
    pendingHead = '';
    if (context !== undefined) context.sentBytes += bytes.length + head.length;
    return waitUnless(socket.write(head, bytes));
  }

  /** Chunks of one read leave together, at `flush` or with the end. */
  function writeChunk(bytes: Buffer): boolean {
    if (!isCorked) socket.cork();
    isCorked = true;
    pendingHead += `${bytes.length.toString(16)}\r\n`;
    send(bytes);
    pendingHead = CRLF;
    return send(EMPTY);
  }

  function uncork(): void {
    if (!isCorked) return;
    isCorked = false;
    socket.uncork();
  }

  const connection: ClientConnection = {
    listen(next) {
      listener = next;
    },
    writeHead(status, fields, given) {
      const isHttp10 = context?.head.isHttp10 ?? false;
      framing = given === 'chunked' && isHttp10 ? 'close' : given;
      if (framing === 'close' || parts.isDraining()) isKept = false;
      pendingHead =
        statusLine(status) +
        (fields.has('date') ? '' : `Date: ${parts.date(now())}\r\n`) +
        fieldLines(fields, 0, connectionOptions(fields).fields) +
        (framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : '') +
        (isKept ? 'Connection: keep-alive\r\n\r\n' : 'Connection: close\r\n\r\n');
    },
    writeBody(bytes) {
      if (bytes.length === 0 || framing === 'none') return true;
      if (context !== undefined) context.sentBodyBytes += bytes.length;
      return framing === 'chunked' ? writeChunk(bytes) : send(bytes);
    },
    flush() {
      if (pendingHead !== '') send(EMPTY);
      uncork();
    },
    last() {
      isKept = false;
    },
    end(trailers) {
      if (framing === 'chunked') pendingHead += `0\r\n${trailerLines(trailers)}\r\n`;
      if (pendingHead !== '') send(EMPTY);
      uncork();
      finish();
    },
    answer(status, fields, bytes) {
      const isBodyless = status === 204 || status === 304 || status < 200;
      if (!isBodyless && !fields.has('content-length')) {
        fields.push('Content-Length', 'content-length', String(bytes.length));
      }
      connection.writeHead(status, fields, 'length');
      if (context?.head.method !== 'HEAD' && !isBodyless && bytes.length > 0) {
        if (context !== undefined) context.sentBodyBytes += bytes.length;
        send(bytes);
      }
      connection.end(undefined);
    },
    upgrade(fields) {
      const upgradeTo = fields.get('upgrade') ?? '';
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\n${fieldLines(fields, 0, NONE)}` +
          `Connection: upgrade\r\nUpgrade: ${upgradeTo}\r\n\r\n`,
        EMPTY,
      );
      isUpgraded = true;
      deadlineMs = Number.POSITIVE_INFINITY;
      const rest = held;
      held = EMPTY;
      socket.resume();
      return { socket, rest };
    },
    destroy() {
      socket.destroy();
    },
  };

  socket.listen({
    connected: () => undefined,
    data(chunk) {
      if (isClosing) return;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      pump();
      // The next read overwrites what is left of this one.
      if (held.length > 0) held = Buffer.from(held);
    },
    drained() {
      if (isClosing || context === undefined)
        lingerUntil(isClosing ? GOODBYE_MS : settings.keepAliveTimeoutMs);
      else if (!isAnswered) {
        const isReading = decoder !== undefined && !decoder.isDone();
        deadlineMs = isReading ? now() + settings.bodyTimeoutMs : Number.POSITIVE_INFINITY;
      }
      listener?.drained();
    },
    ended() {
      // A half-closed client may still read its answer; without a request there is nothing to read.
      if (context === undefined || isAnswered) socket.end();
      else isKept = false;
    },
    closed: () => undefined,
  });
  socket.onClosed(() => {
    counters.active -= 1;
    if (context === undefined) counters.waiting -= 1;
    body?.fail();
    const waiting = listener;
    listener = undefined;
    waiting?.gone();
  });

  return {
    check(nowMs) {
      if (nowMs < deadlineMs) return;
      if (context === undefined && held.length > 0 && !isClosing) refuse(errorPage(408));
      else socket.destroy();
    },
    drain() {
      if (context === undefined && !isClosing) close();
      isKept = false;
    },
    destroy: () => void socket.destroy(),
  };
}
