import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { receiveHttp } from '../testing/http-receiver.ts';
import { answered, onBench, request, tryAt } from '../testing/plugin-bench.ts';
import { createBodyCopy } from './body-copy.ts';
import { clickhouseLogger } from './clickhouse-logger.ts';
import { fileLogger } from './file-logger.ts';
import { httpLogger } from './http-logger.ts';
import { lokiLogger } from './loki-logger.ts';
import { syslog } from './syslog.ts';
import { tcpLogger } from './tcp-logger.ts';
import { udpLogger } from './udp-logger.ts';

function finished() {
  const headers = { Authorization: 'Bearer secret', 'X-Tenant': 'acme' };
  const context = request({ target: '/o?tag=a&tag=b', headers, route: {} });
  tryAt(context, 8080, 200);
  context.endMs = context.startMs + 10;
  return answered(context, 200, 'upstream', { 'Content-Type': 'text/plain' });
}

async function posted(conf: object): Promise<string> {
  const receiver = await receiveHttp();
  const { handlers } = onBench(httpLogger, { uri: receiver.url, ...conf });
  handlers.log?.(finished());
  await handlers.close?.();
  return receiver.received[0]?.body.toString() ?? '';
}

test('the full entry says what was asked, answered and how long it took, without secrets', async () => {
  const text = await posted({});
  expect(JSON.parse(text)).toMatchObject([
    {
      request: { uri: '/o?tag=a&tag=b', querystring: { tag: ['a', 'b'] }, method: 'GET' },
      response: { status: 200, headers: { 'content-type': 'text/plain' } },
      upstream: '127.0.0.1:8080',
      route_id: 'r1',
      service_id: '',
      latency: 10,
      upstream_latency: 4,
      apisix_latency: 6,
    },
  ]);
  expect(text).toContain('"x-tenant":"acme"');
  expect(text).not.toContain('secret');
});

test.each([
  { conf: { batch_max_size: 1 }, want: /^\{.*\}$/ },
  { conf: { concat_method: 'new_line' }, want: /^\{.*\}$/ },
  {
    conf: { log_format: { a: { b: '$status' }, fixed: 'x', none: '$nope' } },
    want: /^\[\{"a":\{"b":200\},"fixed":"x","route_id":"r1"\}\]$/,
  },
  { conf: { log_format_extra: { tenant: '$http_x_tenant' } }, want: /"tenant":"acme"\}\]$/ },
])('http-logger with $conf posts its own shape', async ({ conf, want }) => {
  expect(await posted(conf)).toMatch(want);
});

test('loki gets one stream for each set of labels', async () => {
  const receiver = await receiveHttp(() => 204);
  const conf = { endpoint_addrs: [receiver.url], log_labels: { status: '$status' } };
  const { handlers, environment } = onBench(lokiLogger, conf);
  handlers.log?.(finished());
  handlers.log?.(finished());
  await handlers.close?.();
  const [post] = receiver.received;
  expect(post?.path).toBe('/loki/api/v1/push');
  const { streams } = JSON.parse(post?.body.toString() ?? '{}') as {
    streams: { stream: object; values: unknown[] }[];
  };
  expect(streams.map(({ stream, values }) => [stream, values.length])).toEqual([
    [{ status: '200' }, 2],
  ]);
  expect(environment.batches.list()).toMatchObject([{ sent: 2, dropped: 0, pending: 0 }]);
});

test('file-logger writes the requests that match, one line each', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'file-logger-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a.log');
  const match = [[['arg_tag', '==', 'a']], [['arg_tag', '==', 'z']]];
  const { handlers } = onBench(fileLogger, { path, match, log_format: { uri: '$request_uri' } });
  handlers.log?.(finished());
  handlers.log?.(answered(request({ target: '/other' }), 200));
  await handlers.close?.();
  expect(readFileSync(path, 'utf8')).toBe('{"uri":"/o?tag=a&tag=b","route_id":"r1"}\n');
});

test('a file that cannot be written is a counted loss', async () => {
  const { handlers, environment, warnings } = onBench(fileLogger, { path: '/no/such/folder/a' });
  handlers.log?.(finished());
  await handlers.close?.();
  expect(environment.batches.list()).toMatchObject([{ sent: 0, dropped: 1 }]);
  expect(warnings[0]).toContain('ENOENT');
});

test.each([
  { name: 'plain', coding: undefined, bytes: Buffer.from('hello world'), want: 'hello' },
  { name: 'gzip', coding: 'gzip', bytes: gzipSync('hi'), want: 'hi' },
  { name: 'broken gzip', coding: 'gzip', bytes: Buffer.from('no'), want: 'no' },
])('a copy of a $name body is text, and never more than its bound', ({ coding, bytes, want }) => {
  const copy = createBodyCopy(coding === undefined ? 5 : 100);
  copy.data(bytes);
  expect(copy.text(coding)).toBe(want);
});

const FORMAT = { status: '$status' };

/** All that comes on connections to a port on loopback, until one has ended. */
async function receiveTcp(): Promise<{ port: number; text: Promise<string> }> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const text = new Promise<string>((resolve) => {
    server.once('connection', (socket) => {
      let so = '';
      socket.on('data', (bytes) => (so += bytes.toString()));
      socket.on('end', () => resolve(so));
    });
  });
  return { port: (server.address() as AddressInfo).port, text };
}

test('tcp-logger writes a batch on a connection of its own', async () => {
  const { port, text } = await receiveTcp();
  const conf = { host: '127.0.0.1', port, log_format: FORMAT };
  const { handlers, environment } = onBench(tcpLogger, conf);
  handlers.log?.(finished());
  handlers.log?.(finished());
  await handlers.close?.();
  const entry = '{"status":200,"route_id":"r1"}';
  expect(await text).toBe(`[${entry},${entry}]`);
  expect(environment.batches.list()).toMatchObject([{ sent: 2, dropped: 0 }]);
});

test('syslog writes a line of RFC 5424 for each request', async () => {
  const { port, text } = await receiveTcp();
  const now = () => 0;
  const conf = { host: '127.0.0.1', port, log_format: FORMAT };
  const { handlers } = onBench(syslog, conf, { now });
  handlers.log?.(finished());
  await handlers.close?.();
  expect(await text).toBe(
    `<46>1 1970-01-01T00:00:00.000Z gw-1 apisix ${process.pid} - - {"status":200,"route_id":"r1"}\n`,
  );
});

test('udp-logger sends a batch that is too long for one datagram as several', async () => {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const lengths: number[] = [];
  const both = new Promise<void>((resolve) => {
    socket.on('message', (bytes: Buffer) => {
      lengths.push((JSON.parse(bytes.toString()) as unknown[]).length);
      if (lengths.length === 2) resolve();
    });
  });
  const log_format = { long: 'x'.repeat(30_000) };
  const conf = { host: '127.0.0.1', port: socket.address().port, log_format };
  const { handlers } = onBench(udpLogger, conf);
  for (let i = 0; i < 4; i++) handlers.log?.(finished());
  await handlers.close?.();
  await both;
  expect(lengths).toEqual([2, 2]);
});

test('a server that is not there is a counted loss', async () => {
  const conf = { host: '127.0.0.1', port: 1 };
  const { handlers, environment, warnings } = onBench(tcpLogger, conf);
  handlers.log?.(finished());
  await handlers.close?.();
  expect(environment.batches.list()).toMatchObject([{ sent: 0, dropped: 1 }]);
  expect(warnings[0]).toContain('127.0.0.1:1');
});

test('clickhouse-logger inserts rows as the user it is given', async () => {
  const receiver = await receiveHttp();
  const { handlers } = onBench(clickhouseLogger, {
    endpoint_addr: receiver.url,
    user: 'logger',
    password: 'secret',
    database: 'gateway',
    logtable: 'requests',
    log_format: FORMAT,
  });
  handlers.log?.(finished());
  handlers.log?.(finished());
  await handlers.close?.();
  const [post] = receiver.received;
  const row = '{"status":200,"route_id":"r1"}';
  expect(post?.body.toString()).toBe(`INSERT INTO requests FORMAT JSONEachRow ${row} ${row}`);
  expect(post?.headers).toMatchObject({
    'x-clickhouse-user': 'logger',
    'x-clickhouse-key': 'secret',
    'x-clickhouse-database': 'gateway',
  });
});
