import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createDoor, type DoorOptions } from './door.ts';
import { listenHttp } from './listen.ts';
import type { Receiver } from './receiver.ts';

const echo: Receiver = {
  name: 'echo',
  paths: ['/v1/echo', '/api/echo'],
  mediaTypes: ['text/plain'],
  rawEncodings: ['snappy'],
  handle: ({ body, path, query, mediaType }) => ({
    status: 200,
    body: `${path} ${query.get('q') ?? ''} ${mediaType} ${body.toString()}`,
    rows: body.length,
  }),
};
const broken: Receiver = {
  name: 'broken',
  paths: ['/broken'],
  handle: () => {
    throw new Error('out of luck');
  },
};

async function open(options: Partial<DoorOptions> = {}) {
  const receivers = [echo, broken];
  const door = createDoor({ receivers, token: undefined, now: () => 5, ...options });
  const listener = await listenHttp(
    { host: '127.0.0.1', port: 0, accounts: door.accounts },
    (request, response) => void door.handle(request, response),
  );
  onTestFinished(() => listener.close());
  return { door, url: listener.url, port: listener.port };
}

interface Case {
  readonly name: string;
  readonly path: string;
  readonly init?: RequestInit;
  readonly want: { readonly status: number; readonly body?: string; readonly code?: string };
}

const post = (body: string | Buffer, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  // Node's fetch takes a Buffer; its type of the web does not name it.
  body: body as unknown as string,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
});
const packed = (encoding: string, body: Buffer): RequestInit =>
  post(body, { 'content-encoding': encoding });

const CASES: readonly Case[] = [
  {
    name: 'a body with its query',
    path: '/v1/echo?q=1',
    init: post('hi'),
    want: { status: 200, body: '/v1/echo 1 text/plain hi' },
  },
  {
    name: 'a path with slashes too many',
    path: '//v1//echo/',
    init: post('hi'),
    want: { status: 200, body: '/v1/echo  text/plain hi' },
  },
  {
    name: 'gzip',
    path: '/api/echo',
    init: packed('gzip', gzipSync('hi')),
    want: { status: 200, body: '/api/echo  text/plain hi' },
  },
  {
    name: 'deflate',
    path: '/v1/echo',
    init: packed('deflate', deflateSync('hi')),
    want: { status: 200, body: '/v1/echo  text/plain hi' },
  },
  {
    name: 'deflate without its envelope',
    path: '/v1/echo',
    init: packed('deflate', deflateRawSync('hi')),
    want: { status: 200, body: '/v1/echo  text/plain hi' },
  },
  {
    name: 'zstd',
    path: '/v1/echo',
    init: packed(
      'zstd',
      Buffer.concat([Buffer.from('28b52ffd2002110000', 'hex'), Buffer.from('hi')]),
    ),
    want: { status: 200, body: '/v1/echo  text/plain hi' },
  },
  {
    name: 'bytes that are not zstd',
    path: '/v1/echo',
    init: packed('zstd', Buffer.from('no')),
    want: { status: 400, code: 'body_corrupt' },
  },
  {
    name: 'an encoding that the receiver unpacks itself',
    path: '/v1/echo',
    init: packed('snappy', Buffer.from('raw')),
    want: { status: 200, body: '/v1/echo  text/plain raw' },
  },
  {
    name: 'bytes that are not gzip',
    path: '/v1/echo',
    init: packed('gzip', Buffer.from('no')),
    want: { status: 400, code: 'body_corrupt' },
  },
  {
    name: 'an unknown encoding',
    path: '/v1/echo',
    init: packed('br', Buffer.from('no')),
    want: { status: 415, code: 'encoding_unsupported' },
  },
  {
    name: 'an unknown type',
    path: '/v1/echo',
    init: post('<a>', { 'content-type': 'text/html' }),
    want: { status: 415, code: 'media_type_unsupported' },
  },
  { name: 'GET', path: '/v1/echo', want: { status: 405, code: 'method_not_allowed' } },
  {
    name: 'a path of nobody',
    path: '/v1/nothing',
    init: post('hi'),
    want: { status: 404, code: 'path_not_found' },
  },
  {
    name: 'a body over the limit',
    path: '/v1/echo',
    init: post('x'.repeat(1_001)),
    want: { status: 413, code: 'body_too_large' },
  },
  {
    name: 'a small body that unpacks to a large one',
    path: '/v1/echo',
    init: packed('gzip', gzipSync('x'.repeat(1_000_000))),
    want: { status: 413, code: 'body_too_large' },
  },
  {
    name: 'a receiver that fails',
    path: '/broken',
    init: post('hi'),
    want: { status: 500, code: 'internal' },
  },
];

test.each(CASES)('$name: $want.status', async ({ path, init, want }) => {
  const { url } = await open({ limits: { bodyBytesMax: 1_000 } });
  const response = await fetch(url + path, init ?? {});
  const body = await response.text();
  expect(response.status).toBe(want.status);
  if (want.body !== undefined) expect(body).toBe(want.body);
  if (want.code !== undefined)
    expect(JSON.parse(body)).toMatchObject({ error: { code: want.code } });
});

test('a 404 names the paths that there are', async () => {
  const { url } = await open();
  const body = await (await fetch(`${url}/x`, post(''))).text();
  expect(body).toContain('try /v1/echo, /api/echo, /broken');
});

test.each([
  { name: 'no token', headers: {}, want: 401 },
  { name: 'a wrong token', headers: { authorization: 'Bearer 0123456789abcdeX' }, want: 401 },
  { name: 'the token', headers: { authorization: 'Bearer 0123456789abcdef' }, want: 200 },
])('with a token set, $name is answered with $want', async ({ headers, want }) => {
  const { url } = await open({ token: '0123456789abcdef' });
  expect((await fetch(`${url}/v1/echo`, post('hi', headers))).status).toBe(want);
});

test('a body that never ends is answered with 408 and the connection is closed', async () => {
  const { port, door } = await open({ limits: { bodyTimeoutMs: 50 } });
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.on('close', () => resolve(text));
    socket.write('POST /v1/echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf');
  });
  expect(answer).toMatch(/^HTTP\/1.1 408 .*body_timeout/s);
  expect(door.counters()).toEqual({
    'echo.requests': 1,
    'echo.status.408': 1,
    'echo.reason.body_timeout': 1,
    'bodies.bytes': 0,
  });
});

test('a sender that goes away in the middle of a body is counted, and its bytes given back', async () => {
  const { port, door } = await open();
  const request = httpRequest({ port, path: '/v1/echo', method: 'POST' });
  request.on('error', () => undefined);
  request.setHeader('content-length', 100);
  await new Promise((resolve) => request.write('half', resolve));
  await expect.poll(() => door.counters()['bodies.bytes']).toBe(4);
  request.destroy();
  await expect.poll(() => door.counters()['echo.reason.aborted']).toBe(1);
  expect(door.counters()['bodies.bytes']).toBe(0);
});

test('bodies of all senders together have a limit', async () => {
  const { port, url, door } = await open({ limits: { bodiesBytesMax: 10 } });
  const slow = httpRequest({ port, path: '/v1/echo', method: 'POST' });
  slow.on('error', () => undefined);
  slow.setHeader('content-length', 100);
  slow.write('12345678');
  await expect.poll(() => door.counters()['bodies.bytes']).toBe(8);
  const response = await fetch(`${url}/v1/echo`, post('12345'));
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  slow.destroy();
});

test('a request that is none is answered and counted', async () => {
  const { port, door } = await open();
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (bytes) => resolve(bytes.toString()));
    socket.write('\u0016\u0003\u0001 hello\r\n\r\n');
  });
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(door.counters()['none.reason.head_corrupt']).toBe(1);
});

test('each sender has an account', async () => {
  const { url, door } = await open();
  for (const text of ['a', 'bcd']) await fetch(`${url}/v1/echo`, post(text));
  expect(door.senders()).toEqual([
    {
      sender: '127.0.0.1',
      receiver: 'echo',
      requests: 2,
      failed: 0,
      bytes: 4,
      rows: 4,
      rejected: 0,
      lastSeenMs: 5,
    },
  ]);
});

test('two receivers of one path are a mistake of ours', () => {
  expect(() => createDoor({ receivers: [echo, echo], token: undefined, now: () => 0 })).toThrow(
    'BUG: /v1/echo of echo is echo',
  );
});

test.each([429, 503])('%i names a time to come back at, whoever says it', async (status) => {
  const silent: Receiver = { name: 'silent', paths: ['/silent'], handle: () => ({ status }) };
  const precise: Receiver = {
    name: 'precise',
    paths: ['/precise'],
    handle: () => ({ status, headers: { 'retry-after': '7' } }),
  };
  const { url } = await open({ receivers: [silent, precise] });
  const times = await Promise.all(
    ['/silent', '/precise'].map(async (path) => {
      const response = await fetch(url + path, post('x'));
      return response.headers.get('retry-after');
    }),
  );
  expect(times).toEqual(['1', '7']);
});

test('a connection is kept longer than clients keep an idle one', async () => {
  const { url } = await open();
  const answer = await fetch(`${url}/v1/echo`, post('hi'));
  expect(answer.headers.get('keep-alive')).toBe('timeout=120');
});
