import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIP, type Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Accounts } from './accounts.ts';

export interface HttpListener {
  readonly url: string;
  readonly port: number;
  /** For connections from now on. Of a listener with TLS only. */
  setTls(pair: TlsPair): void;
  /** Ends open connections too. Idempotent. */
  close(): Promise<void>;
}

/** Certificate and key, PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

const CONNECTIONS_MAX = 4_096;
/**
 * Against senders that dawdle: to the end of the head, to the end of the body. Between requests the
 * sender is to be the one who closes, or it sends into a connection that is just being closed: many
 * send each 5 s, Node's default, and Go's clients keep a connection for 90 s.
 */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
} as const;

/** An HTTP server with limits on time, connections and heads. Nothing listens yet. */
export function createHttpServer(listener: RequestListener): Server {
  return limited(createServer(TIMEOUTS, listener));
}

function limited<Listening extends NetServer>(server: Listening): Listening {
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

/** HTTP, or HTTPS with `tls`. Rejects with `EADDRINUSE` and the like, as node:net gives them. */
export async function listenHttp(
  options: {
    readonly host: string;
    readonly port: number;
    readonly accounts?: Accounts;
    readonly tls?: TlsPair | undefined;
  },
  listener: RequestListener,
): Promise<HttpListener> {
  const { host, tls } = options;
  const secure =
    tls === undefined ? undefined : limited(createTlsServer({ ...TIMEOUTS, ...tls }, listener));
  const server = secure ?? createHttpServer(listener);
  server.on('clientError', badRequestHandler(options.accounts));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo; // A TCP server's address is one.
  let closing: Promise<void> | undefined;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    port,
    setTls: (pair) => secure?.setSecureContext(pair),
    close: () => {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closing;
    },
  };
}

/** For `clientError`: requests whose head is not one, is too long, or that never end. */
export function badRequestHandler(
  accounts: Accounts | undefined,
): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  return (error, socket) => {
    const [status, text, reason] =
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ([408, 'Request Timeout', 'request_timeout'] as const)
        : error.code === 'HPE_HEADER_OVERFLOW'
          ? ([431, 'Request Header Fields Too Large', 'head_too_large'] as const)
          : ([400, 'Bad Request', 'head_corrupt'] as const);
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const sender = 'remoteAddress' in socket ? String(socket.remoteAddress) : '';
    accounts?.add({
      receiver: 'none',
      sender,
      status,
      bytes: 0,
      rows: 0,
      rejected: 0,
      reason,
    });
    socket.end(`HTTP/1.1 ${status} ${text}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  };
}
