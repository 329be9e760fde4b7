import { timingSafeEqual } from 'node:crypto';
import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, isIP } from 'node:net';
import type { Accounts } from '../door/accounts.ts';
import { createByteBudget } from '../door/body.ts';
import type { HttpListener, TlsPair } from '../door/listen.ts';
import { type CallLimits, fault, runCall } from './grpc-call.ts';
import { GRPC, type GrpcAnswer, type GrpcMethod } from './grpc-method.ts';
import { sendAnswer } from './trailers.ts';

export interface GrpcOptions {
  readonly host: string;
  readonly port: number;
  readonly methods: readonly GrpcMethod[];
  /** Bearer token that every call must carry; undefined: none. */
  readonly token: string | undefined;
  /** PEM; undefined: plain HTTP/2, as the exporters' `insecure` wants it. */
  readonly tls: TlsPair | undefined;
  readonly accounts: Accounts;
  readonly limits?: Partial<GrpcLimits>;
}

export interface GrpcLimits extends CallLimits {
  /** Of all messages held at one time. */
  readonly bodiesBytesMax: number;
}
export const GRPC_DEFAULTS: GrpcLimits = {
  messageBytesMax: 64e6,
  callTimeoutMs: 60_000,
  bodiesBytesMax: 256e6,
};

const STREAMS_MAX = 128;
const CONNECTIONS_MAX = 4_096;
/** With the default of 64 KiB a sender of megabytes waits for the window again and again. */
const STREAM_WINDOW_BYTES = 2 ** 20;
const SESSION_WINDOW_BYTES = 8 * 2 ** 20;
const IDLE_MS = 600_000;
/** A connection without a call by then is closed; a client that is in earnest comes again. */
const FIRST_CALL_MS = 60_000;

/** gRPC on node:http2. Rejects with `EADDRINUSE` and the like, as node:net gives them. */
export async function listenGrpc(options: GrpcOptions): Promise<HttpListener> {
  const { host, methods, token, tls, accounts } = options;
  const limits = { ...GRPC_DEFAULTS, ...options.limits };
  const budget = createByteBudget(limits.bodiesBytesMax);
  const byPath = new Map(methods.map((method) => [method.path, method]));
  const wanted = token === undefined ? undefined : Buffer.from(`Bearer ${token}`);

  async function take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const sender = stream.session?.socket.remoteAddress ?? '';
    const path = String(headers[':path'] ?? '');
    const method = byPath.get(path);
    const refusal = refusalOf(headers, method, path);
    const result =
      refusal !== undefined || method === undefined
        ? { answer: refusal ?? unknown(path), bytes: 0 }
        : await runCall(stream, headers, method, limits, budget);
    const receiver = method === undefined ? 'none' : method.name;
    if (result === undefined) {
      book(accounts, receiver, sender, 0, fault(GRPC.deadlineExceeded, 'aborted', ''));
      return;
    }
    book(accounts, receiver, sender, result.bytes, result.answer);
    sendAnswer(stream, result.answer);
    // What still comes is not read: the caller is told so, without an error.
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  }

  function refusalOf(
    headers: IncomingHttpHeaders,
    method: GrpcMethod | undefined,
    path: string,
  ): GrpcAnswer | undefined {
    if (method === undefined) return unknown(path);
    if (wanted === undefined) return undefined;
    const given = Buffer.from(headers.authorization ?? '');
    if (given.length === wanted.length && timingSafeEqual(given, wanted)) return undefined;
    const text = 'a token is asked for: send authorization: Bearer TOKEN';
    return fault(GRPC.unauthenticated, 'unauthorized', text);
  }

  function unknown(path: string): GrpcAnswer {
    const known = methods.map((method) => method.path).join(', ');
    const text = `no method ${path.slice(0, 200)}; there are ${known}`;
    return fault(GRPC.unimplemented, 'path_not_found', text);
  }

  const settings = {
    maxConcurrentStreams: STREAMS_MAX,
    initialWindowSize: STREAM_WINDOW_BYTES,
    enablePush: false,
  };
  const secure = tls === undefined ? undefined : createSecureServer({ settings, ...tls });
  const server: Http2Server = secure ?? createServer({ settings });
  const sessions = new Set<ServerHttp2Session>();
  server.maxConnections = CONNECTIONS_MAX;
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.setTimeout(FIRST_CALL_MS, () => session.close());
    session.once('stream', () => session.setTimeout(IDLE_MS));
    session.on('error', () => session.destroy());
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined); // Resets by the caller; what they mean is booked above.
    if (!isGrpc(headers)) {
      stream.respond({ ':status': 415, 'content-type': 'text/plain' });
      stream.end('this port speaks gRPC: POST with content-type application/grpc\n');
      return;
    }
    void take(stream, headers);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo; // A TCP server's address is one.
  const scheme = tls === undefined ? 'http' : 'https';
  let closing: Promise<void> | undefined;
  return {
    url: `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    port,
    setTls: (pair) => secure?.setSecureContext(pair),
    close: () => {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      });
      return closing;
    },
  };
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type'] ?? '';
  return headers[':method'] === 'POST' && /^application\/grpc(\+proto)?(;|$)/.test(type);
}

function book(
  accounts: Accounts,
  name: string,
  sender: string,
  bytes: number,
  answer: GrpcAnswer,
): void {
  const isOk = answer.code === GRPC.ok;
  accounts.add({
    receiver: `grpc_${name}`,
    sender,
    status: answer.code,
    bytes,
    rows: isOk ? answer.rows : 0,
    rejected: isOk ? answer.rejected : 0,
    reason: isOk ? '' : answer.reason,
  });
}
