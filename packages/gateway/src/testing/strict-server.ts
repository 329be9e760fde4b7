import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a reader of somebody else's make has understood it: Node's, in its strict mode. */
export interface SeenRequest {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  /** Names of the fields as they were spelled, repeated ones too. */
  readonly names: readonly string[];
  body: string;
  readonly trailers: () => IncomingMessage['trailers'];
  /** The whole body came. */
  isWhole: boolean;
}

/** An upstream that remembers what it was sent. */
export interface StrictServer {
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Codes of what it could not read, but for connections that ended early. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

/** What an end in the middle of a message is called. */
const EARLY_ENDS = ['ECONNRESET', 'HPE_INVALID_EOF_STATE'];

/** `answer` is called when a request's head is there. */
export async function openStrictServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<StrictServer> {
  const requests: SeenRequest[] = [];
  const faults: string[] = [];
  const server = createServer({ insecureHTTPParser: false }, (request, response) => {
    const seen: SeenRequest = {
      line: `${request.method} ${request.url}`,
      headers: request.headers,
      names: request.rawHeaders.filter((_, at) => at % 2 === 0),
      body: '',
      trailers: () => request.trailers,
      isWhole: false,
    };
    requests.push(seen);
    request.on('data', (bytes: Buffer) => (seen.body += bytes.toString('latin1')));
    request.on('end', () => (seen.isWhole = true));
    request.on('error', () => undefined);
    answer(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!EARLY_ENDS.includes(error.code ?? '')) faults.push(error.code ?? error.message);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    faults,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
