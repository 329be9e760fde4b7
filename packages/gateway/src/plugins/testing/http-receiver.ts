import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface HttpReceiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** Resolves once so many requests have come. */
  until(count: number): Promise<readonly Received[]>;
}

/** A real receiver on loopback that answers `status`; ends with the test. */
export async function receiveHttp(status: () => number = () => 200): Promise<HttpReceiver> {
  const received: Received[] = [];
  let waiting: { readonly count: number; done(): void } | undefined;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { url = '', headers } = request;
      received.push({ path: url, headers, body: Buffer.concat(pieces) });
      response.writeHead(status()).end();
      if (waiting !== undefined && received.length >= waiting.count) waiting.done();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    until: (count) =>
      received.length >= count
        ? Promise.resolve(received)
        : new Promise((resolve) => {
            waiting = { count, done: () => resolve(received) };
          }),
  };
}
