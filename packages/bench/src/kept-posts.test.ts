import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createKeptPosts } from './kept-posts.ts';

test.each([
  { name: 'is used again', closes: false, connections: 1 },
  {
    name: 'that the server closes behind its answer is not used again',
    closes: true,
    connections: 3,
  },
])('a connection $name', async ({ closes, connections }) => {
  let opened = 0;
  const server = createServer((request, response) => {
    if (closes) response.setHeader('connection', 'close');
    request.resume().on('end', () => response.end('kept'));
  });
  server.on('connection', () => {
    opened += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const posts = createKeptPosts((server.address() as AddressInfo).port, '/', {});
  onTestFinished(() => {
    posts.close();
    server.close();
  });
  for (let at = 0; at < 3; at += 1) {
    expect(await posts.post(Buffer.from('body'))).toMatchObject({ status: 200, text: 'kept' });
  }
  expect(opened).toBe(connections);
});

test('an answer in chunks that come one after the other is read whole, and the next one too', async () => {
  const long = 'ü'.repeat(100_000);
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.write('first,');
      setImmediate(() => response.end(long));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const posts = createKeptPosts((server.address() as AddressInfo).port, '/', {});
  onTestFinished(() => {
    posts.close();
    server.close();
  });
  for (let at = 0; at < 2; at += 1) {
    expect(await posts.post(Buffer.from('body'))).toMatchObject({ text: `first,${long}` });
  }
});
