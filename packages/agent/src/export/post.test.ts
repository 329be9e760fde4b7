import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createPoster, type Post } from './post.ts';

async function listen(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // A TCP server's address is one.
  return new URL(`http://127.0.0.1:${port}/rows`);
}

const message = (body: Uint8Array, timeoutMs = 5_000): Post => ({
  headers: { 'x-batch': '7' },
  body,
  timeoutMs,
});

test('two posts go whole over one connection, and their answers come back', async () => {
  const seen: unknown[] = [];
  const url = await listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { url: path, method, headers, socket } = request;
      seen.push([method, path, headers['x-batch'], body.length, body.at(-1), socket.remotePort]);
      response.writeHead(seen.length === 1 ? 503 : 200, { 'retry-after': '3' });
      response.end('x'.repeat(9_000));
    });
  });
  const post = createPoster();
  const body = new Uint8Array(1_000_000).fill(9);
  const busy = await post(url, message(body));
  const done = await post(url, message(body));
  expect(busy).toEqual({ status: 503, retryAfter: '3', text: 'x'.repeat(busy.text.length) });
  expect(busy.text.length).toBeLessThan(9_000);
  expect(done.status).toBe(200);
  const [one, other] = seen;
  expect(one).toEqual(['POST', '/rows', '7', 1_000_000, 9, expect.any(Number)]);
  expect(other).toEqual(one);
});

test.each([
  { name: 'never comes', answer: () => undefined, why: /aborted/ },
  {
    name: 'is cut',
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half');
      setImmediate(() => response.destroy());
    },
    why: /aborted/,
  },
] satisfies { name: string; answer: RequestListener; why: RegExp }[])(
  'an answer that $name is an error',
  async ({ answer, why }) => {
    const url = await listen(answer);
    await expect(createPoster()(url, message(new Uint8Array(3), 500))).rejects.toThrow(why);
  },
);
