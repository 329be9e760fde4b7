import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import type { Accounts } from './accounts.ts';

export interface HttpListener {
  readonly url: string;
  readonly port: number;
  /** Ends open connections too. Idempotent. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const CHECK_MS = 1_000;
const CONNECTIONS_MAX = 4_096;
const HEADER_BYTES_MAX = 16_384;

/**
 * A plain HTTP server for `listener`, with time-outs against senders that dawdle. Rejects with
 * `EADDRINUSE` and the like, as node:net gives them.
 */
export async function listenHttp(
  options: { readonly host: string; readonly port: number; readonly accounts?: Accounts },
  listener: RequestListener,
): Promise<HttpListener> {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    listener,
  );
  server.maxConnections = CONNECTIONS_MAX;
  answerBadHeads(server, options.accounts);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo; // A TCP server's address is one.
  let closing: Promise<void> | undefined;
  return {
    url: `http://${isIP(options.host) === 6 ? `[${options.host}]` : options.host}:${port}`,
    port,
    close: () => {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closing;
    },
  };
}

/** Requests whose head is not one, is too long, or never ends. */
function answerBadHeads(server: Server, accounts: Accounts | undefined): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const [status, text, reason] =
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ([408, 'Request Timeout', 'head_timeout'] as const)
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
  });
}
