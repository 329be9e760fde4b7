import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createAccounts } from '../door/accounts.ts';
import { createFrameReader, timeoutMs } from './frames.ts';
import { GRPC, type GrpcMethod } from './grpc-method.ts';
import { type GrpcOptions, listenGrpc } from './grpc-server.ts';

const echo: GrpcMethod = {
  name: 'echo',
  path: '/test.Echo/Echo',
  kind: 'unary',
  handle: async (message) => ({ code: GRPC.ok, message, rows: message.length, rejected: 0 }),
};
const seen: string[] = [];
const collect: GrpcMethod = {
  name: 'collect',
  path: '/test.Echo/Collect',
  kind: 'client-stream',
  handle: async (message) => {
    seen.push(message.toString());
    return { code: GRPC.ok, message: Buffer.from(`${seen.length}`), rows: 1, rejected: 0 };
  },
};
const busy: GrpcMethod = {
  name: 'busy',
  path: '/test.Echo/Busy',
  kind: 'unary',
  handle: async () => {
    return { code: GRPC.unavailable, reason: 'busy', text: 'später 100%', retryAfterS: 3 };
  },
};
const never: GrpcMethod = {
  name: 'never',
  path: '/test.Echo/Never',
  kind: 'unary',
  handle: () => new Promise(() => undefined),
};

async function open(options: Partial<GrpcOptions> = {}) {
  const accounts = createAccounts(() => 0);
  const listener = await listenGrpc({
    host: '127.0.0.1',
    port: 0,
    methods: [echo, collect, busy, never],
    token: undefined,
    tls: undefined,
    accounts,
    limits: { messageBytesMax: 1_000 },
    ...options,
  });
  const session = connect(listener.url);
  session.on('error', () => undefined);
  onTestFinished(async () => {
    session.destroy();
    await listener.close();
  });
  return { session, accounts };
}

function frame(message: string | Buffer, flag = 0): Buffer {
  const body = Buffer.from(message);
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

interface Called {
  readonly http: number;
  readonly status: string;
  readonly text: string;
  readonly message: string;
  readonly details: string;
}

/** Calls with the frames given; resolves when the stream is over. */
function call(
  session: ClientHttp2Session,
  path: string,
  frames: readonly Buffer[],
  headers: Record<string, string> = {},
): Promise<Called> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let first: IncomingHttpHeaders = {};
    let last: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('response', (received) => {
      first = received;
    });
    stream.on('trailers', (received) => {
      last = received;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      const all = { ...first, ...last };
      resolve({
        http: Number(first[':status']),
        status: String(all['grpc-status']),
        text: decodeURIComponent(String(all['grpc-message'] ?? '')),
        message: Buffer.concat(chunks).subarray(5).toString(),
        details: String(all['grpc-status-details-bin'] ?? ''),
      });
    });
    for (const one of frames) stream.write(one);
    stream.end();
  });
}

const OK = { http: 200, status: '0', text: '', details: '' };

test.each([
  { name: 'a message', frames: [frame('hello')], headers: {}, want: { ...OK, message: 'hello' } },
  { name: 'an empty message', frames: [frame('')], headers: {}, want: { ...OK, message: '' } },
  {
    name: 'a packed message',
    frames: [frame(gzipSync('hello'), 1)],
    headers: { 'grpc-encoding': 'gzip' },
    want: { ...OK, message: 'hello' },
  },
  {
    name: 'a message packed by zstd',
    frames: [frame(Buffer.from('28b52ffd200529000068656c6c6f', 'hex'), 1)],
    headers: { 'grpc-encoding': 'zstd' },
    want: { ...OK, message: 'hello' },
  },
  {
    name: 'a message in pieces',
    frames: [frame('hello').subarray(0, 3), frame('hello').subarray(3)],
    headers: {},
    want: { ...OK, message: 'hello' },
  },
])('$name is handled and answered', async ({ frames, headers, want }) => {
  const { session, accounts } = await open();
  expect(await call(session, echo.path, frames, headers)).toEqual(want);
  expect(accounts.counters()['grpc_echo.status.0']).toBe(1);
});

test.each([
  { name: 'an unknown method', path: '/no.Such/Method', frames: [frame('')], want: '12' },
  { name: 'no message', path: echo.path, frames: [], want: '3' },
  { name: 'two messages', path: echo.path, frames: [frame('a'), frame('b')], want: '3' },
  { name: 'half a message', path: echo.path, frames: [frame('ab').subarray(0, 6)], want: '3' },
  { name: 'an odd flag', path: echo.path, frames: [frame('a', 7)], want: '3' },
  {
    name: 'packed without saying how',
    path: echo.path,
    frames: [frame(gzipSync('a'), 1)],
    want: '3',
  },
  { name: 'too long', path: echo.path, frames: [frame('x'.repeat(1_001))], want: '8' },
  {
    name: 'a message that unpacks to a long one',
    path: echo.path,
    frames: [frame(gzipSync('x'.repeat(100_000)), 1)],
    headers: { 'grpc-encoding': 'gzip' },
    want: '8',
  },
  {
    name: 'an unknown encoding',
    path: echo.path,
    frames: [frame('a')],
    headers: { 'grpc-encoding': 'snappy' },
    want: '12',
  },
  {
    name: 'a deadline that passes',
    path: never.path,
    frames: [frame('a')],
    headers: { 'grpc-timeout': '30m' },
    want: '4',
  },
])('$name is answered with status $want', async ({ path, frames, headers, want }) => {
  const { session } = await open();
  expect(await call(session, path, frames, headers ?? {})).toMatchObject({
    http: 200,
    status: want,
  });
});

test('busy says when to come back, in the words of google.rpc.RetryInfo', async () => {
  const { session } = await open();
  const { details, ...answer } = await call(session, busy.path, [frame('a')]);
  expect(answer).toEqual({ http: 200, status: '14', text: 'später 100%', message: '' });
  const bytes = Buffer.from(details, 'base64');
  expect(bytes.toString('latin1')).toContain('type.googleapis.com/google.rpc.RetryInfo');
  // RetryInfo { retry_delay { seconds: 3 } } at the end.
  expect([...bytes.subarray(-4)]).toEqual([10, 2, 8, 3]);
});

test('a stream of a client is handled message by message', async () => {
  const { session } = await open();
  seen.length = 0;
  const frames = ['a', 'b', 'c'].map((text) => frame(text));
  expect(await call(session, collect.path, frames)).toEqual({ ...OK, message: '3' });
  expect(seen).toEqual(['a', 'b', 'c']);
});

test('with a token set, calls without it are refused', async () => {
  const { session } = await open({ token: '0123456789abcdef' });
  const given = { authorization: 'Bearer 0123456789abcdef' };
  const statuses = [
    await call(session, echo.path, [frame('a')]),
    await call(session, echo.path, [frame('a')], given),
  ].map(({ status }) => status);
  expect(statuses).toEqual(['16', '0']);
});

test('what is not gRPC is told what this port speaks', async () => {
  const { session } = await open();
  const answer = await call(session, echo.path, [], { 'content-type': 'application/json' });
  expect([answer.http, answer.status]).toEqual([415, 'undefined']);
});

test('any split of a stream of frames gives the same messages', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 });
  const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, cuts, (parts, at) => {
      const stream = Buffer.concat(parts.map((part) => frame(Buffer.from(part))));
      const places = [0, ...at.map((cut) => cut % (stream.length + 1)), stream.length];
      places.sort((a, b) => a - b);
      const reader = createFrameReader(1_000);
      const read = places
        .slice(1)
        .flatMap((to, index) => reader.push(stream.subarray(places[index], to)))
        .map((one) => (one.kind === 'frame' ? Uint8Array.from(one.bytes) : one.kind));
      expect(read).toEqual(parts);
      expect(reader.held).toBe(0);
    }),
    { seed: 9 },
  );
});

test.each([
  { header: '10S', want: 10_000 },
  { header: '250m', want: 250 },
  { header: '1H', want: 3_600_000 },
  { header: '5u', want: 1 },
  { header: '123456789S', want: undefined },
  { header: 'soon', want: undefined },
  { header: undefined, want: undefined },
])('grpc-timeout $header is $want ms', ({ header, want }) => {
  expect(timeoutMs(header)).toBe(want);
});
