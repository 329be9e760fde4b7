// The gateway between a client and an upstream that misbehave.
import { Agent, request as httpRequest } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway, statusesOf } from './testing/running-gateway.ts';
import { openStrictServer, type StrictServer } from './testing/strict-server.ts';

let running: RunningGateway;
let upstream: StrictServer;

beforeAll(async () => {
  upstream = await openStrictServer((request, response) => {
    request.on('end', () => response.end('ok'));
  });
  running = await runGateway(undefined, {
    nginx_config: { http: { client_header_timeout: '300ms', client_body_timeout: '300ms' } },
  });
  const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
  await running.admin('PUT routes/all', { uri: '/*', upstream: { nodes } });
});

afterAll(async () => {
  await running.close();
  await upstream.close();
});

const get = (path: string, method = 'GET') =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

/** A node that sends `octets` to whoever connects, and then breaks off. */
async function nodeThatSends(octets: string): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(octets, 'latin1'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const HEADS = {
  'with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
};

test.each([
  { name: 'with a length', body: '0123456789' },
  { name: 'chunked', body: '4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n' },
] as const)('an answer $name that breaks off anywhere is 502 or visibly cut', async (given) => {
  const head = HEADS[given.name];
  const whole = head + given.body;
  for (let size = 0; size < whole.length; size++) {
    const node = await nodeThatSends(whole.slice(0, size));
    await running.admin('PUT routes/broken', {
      uri: '/broken',
      upstream: { nodes: { [`127.0.0.1:${node.port}`]: 1 } },
    });
    const text = await running.send(get('/broken', 'POST'));
    node.close();
    const isCut = given.name === 'chunked' ? !text.endsWith('0\r\n\r\n') : !text.endsWith('9');
    if (size < head.length) expect([size, statusesOf(text)]).toEqual([size, [502]]);
    else expect([size, statusesOf(text), isCut]).toEqual([size, [200], true]);
  }
});

test.each([
  { name: 'is no HTTP', octets: 'hello\r\n\r\n' },
  { name: 'has two framings', octets: `${HEADS.chunked.slice(0, -2)}Content-Length: 1\r\n\r\n` },
  {
    name: 'has two lengths',
    octets: `${HEADS['with a length'].slice(0, -2)}Content-Length: 2\r\n\r\n`,
  },
  { name: 'switches protocols unasked', octets: 'HTTP/1.1 101 Switching Protocols\r\n\r\nhello' },
  { name: 'has a return in a field', octets: 'HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\n\r\n' },
  { name: 'never ends its head', octets: `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(200_000)}` },
])('an answer that $name is 502', async ({ octets }) => {
  const node = await nodeThatSends(octets);
  await running.admin('PUT routes/odd', {
    uri: '/odd',
    upstream: { nodes: { [`127.0.0.1:${node.port}`]: 1 } },
  });
  expect(statusesOf(await running.send(get('/odd')))).toEqual([502]);
  node.close();
});

test('a head that takes for ever is 408, a body that does ends the connection', async () => {
  const head = await running.send('GET / HTTP/1.1\r\nHos');
  expect(statusesOf(head)).toEqual([408]);
  const before = upstream.requests.length;
  const body = await running.send('POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc');
  expect(statusesOf(body)).toEqual([]);
  expect(upstream.requests.slice(before).filter(({ isWhole }) => isWhole)).toEqual([]);
});

test('a body that comes octet by octet arrives', async () => {
  const head = 'POST /drip HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20\r\n\r\n';
  const text = await running.send(head, ...'01234567890123456789');
  expect(statusesOf(text)).toEqual([200]);
  expect(upstream.requests.at(-1)).toMatchObject({ body: '01234567890123456789' });
});

test('while routes, upstreams and plugins change no request fails', async () => {
  const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const counts: Record<string, number> = {};
  let isChanging = true;
  const url = new URL('/reload', running.gateway.proxies[0]);
  const ask = () =>
    new Promise<string>((resolve) => {
      const sent = httpRequest(url, { agent }, (response) => {
        response.resume();
        response.on('end', () => resolve(String(response.statusCode)));
      });
      sent.on('error', (error) => resolve(error.message));
      sent.end();
    });
  const clients = Array.from({ length: 8 }, async () => {
    while (isChanging) {
      const got = await ask();
      counts[got] = (counts[got] ?? 0) + 1;
    }
  });
  await running.admin('PUT upstreams/u', { nodes });
  for (let i = 0; i < 40; i++) {
    const plugins = i % 2 === 0 ? { 'request-id': {} } : { 'proxy-rewrite': { uri: `/r${i}` } };
    await running.admin('PUT routes/reload', { uri: '/reload', plugins, upstream_id: 'u' });
    await running.admin('PUT upstreams/u', { nodes, type: i % 3 === 0 ? 'roundrobin' : 'ewma' });
    if (i % 5 === 4) await running.admin('DELETE routes/reload');
  }
  isChanging = false;
  await Promise.all(clients);
  agent.destroy();
  expect(Object.keys(counts)).toEqual(['200']);
});
