import { type ClientHttp2Session, connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { deepSpan } from './testing/endless-bodies.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

// What broken and hostile gRPC callers send is answered with a code, in bounded memory.

const PEAK_BYTES_MAX = 900e6;
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.close());

interface Call {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isOpen?: boolean;
  /** grpc-status; 'reset' when the stream ends without one. */
  readonly want: string;
}

function frame(bytes: Uint8Array, flag = 0, size = bytes.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(size, 1);
  return Buffer.concat([prefix, bytes]);
}

const gzip = { 'grpc-encoding': 'gzip' };
const CALLS: readonly Call[] = [
  { name: 'a message of 4 GB', bytes: frame(new Uint8Array(9), 0, 2 ** 32 - 1), want: '8' },
  { name: 'a message cut off', bytes: frame(new Uint8Array(9), 0, 99), want: '3' },
  { name: 'an unknown flag', bytes: frame(new Uint8Array(9), 7), want: '3' },
  { name: 'no message', bytes: new Uint8Array(0), want: '3' },
  {
    name: 'two messages',
    bytes: Buffer.concat([frame(new Uint8Array(0)), frame(new Uint8Array(0))]),
    want: '3',
  },
  { name: 'noise', bytes: frame(Buffer.from('f\u0000o\u0007o'.repeat(100))), want: '3' },
  { name: 'a value 20,000 deep', bytes: frame(deepSpan(Date.now(), 2e4)), want: '3' },
  { name: 'a bomb', bytes: frame(gzipSync(new Uint8Array(2 ** 27)), 1), headers: gzip, want: '8' },
  { name: 'no gzip', bytes: frame(Buffer.from('no'), 1), headers: gzip, want: '3' },
  {
    name: 'an unknown encoding',
    bytes: frame(new Uint8Array(9), 1),
    headers: { 'grpc-encoding': 'lz4' },
    want: '12',
  },
  { name: 'a packed message without an encoding', bytes: frame(new Uint8Array(9), 1), want: '3' },
  {
    name: 'a method of nobody',
    bytes: frame(new Uint8Array(0)),
    headers: { ':path': '/a.B/C' },
    want: '12',
  },
  {
    name: 'a call past its deadline',
    bytes: frame(new Uint8Array(9), 0, 99),
    headers: { 'grpc-timeout': '50m' },
    isOpen: true,
    want: '4',
  },
  {
    name: 'a flood of headers',
    bytes: frame(new Uint8Array(0)),
    headers: Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`x-${at}`, `${at}`])),
    want: 'reset',
  },
];

async function session(): Promise<ClientHttp2Session> {
  const client = connect(`http://${server.grpcAddress}`);
  client.on('error', () => undefined);
  onTestFinished(() => client.destroy());
  await new Promise((resolve) => client.once('remoteSettings', resolve));
  return client;
}

async function statusOf({ bytes, headers, isOpen }: Call): Promise<string> {
  const client = await session();
  const stream = client.request({
    ':method': 'POST',
    ':path': EXPORT,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  return new Promise((resolve) => {
    let status = 'reset';
    const look = (given: Readonly<Record<string, unknown>>): void => {
      if (given['grpc-status'] !== undefined) status = String(given['grpc-status']);
    };
    stream.on('response', look);
    stream.on('trailers', look);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(status));
    stream.resume();
    if (isOpen === true) stream.write(bytes);
    else stream.end(bytes);
  });
}

test.each(CALLS)('$name: $want', async (call) => {
  server.forgetPeak();
  expect(await statusOf(call)).toBe(call.want);
  expect(server.peakBytes()).toBeLessThan(PEAK_BYTES_MAX);
});

test('a thousand calls that are opened and reset cost nothing that lasts', async () => {
  const client = await session();
  for (let at = 0; at < 1_000 && !client.destroyed; at += 1) {
    const stream = client.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined);
    stream.close(8);
  }
  expect(await statusOf({ name: 'good', bytes: frame(new Uint8Array(0)), want: '0' })).toBe('0');
  const counters = await server.metrics();
  expect(counters.get('thalweg_receivers{counter="grpc_otlp_traces.reason.deadline"}')).toBe(1);
  expect(counters.get('thalweg_receivers{counter="grpc_otlp_traces.reason.body_too_large"}')).toBe(
    2,
  );
});
