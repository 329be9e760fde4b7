import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync } from 'node:zlib';
import {
  Server as GrpcServer,
  Metadata,
  ServerCredentials,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../testing/running-gateway.ts';
import { frameOf } from './grpc-transcode/frames.ts';

let gateway: RunningGateway;
let upstream: Server;
let policies: Server;
let grpc: GrpcServer;
let url = '';
let nodes: Record<string, number> = {};

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Echoes bodies; `/events` says one thing and never ends. */
function openUpstream(): Server {
  return createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\n\n');
      return;
    }
    response.writeHead(request.url === '/gone' ? 404 : 200, {
      'Content-Type': request.headers['content-type'] ?? 'text/html',
    });
    request.pipe(response);
  });
}

/** OPA's data API with one policy: GET alone. */
function openPolicies(): Server {
  return createServer((request, response) => {
    let text = '';
    request.on('data', (bytes: Buffer) => (text += bytes.toString()));
    request.on('end', () => {
      const { input } = JSON.parse(text) as { input: { request: { method: string } } };
      const allow = input.request.method === 'GET';
      response.end(JSON.stringify({ result: { allow, reason: 'GET alone' } }));
    });
  });
}

/** `/a.Echo/Say` answers its message twice, then ends well. */
async function openGrpc(): Promise<number> {
  grpc = new GrpcServer();
  const raw = (bytes: Buffer): Buffer => bytes;
  const say = {
    path: '/a.Echo/Say',
    requestStream: false,
    responseStream: true,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  };
  grpc.addService(
    { say },
    {
      say(call: ServerWritableStream<Buffer, Buffer>) {
        call.sendMetadata(new Metadata());
        call.write(call.request);
        if (call.request.length === 0) {
          call.emit('error', { code: status.NOT_FOUND, details: 'nothing' });
          return;
        }
        call.write(call.request);
        call.end();
      },
    },
  );
  return new Promise<number>((resolve, reject) => {
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

beforeAll(async () => {
  upstream = openUpstream();
  policies = openPolicies();
  nodes = { [`127.0.0.1:${await listening(upstream)}`]: 1 };
  gateway = await runGateway();
  url = `http://127.0.0.1:${gateway.ports[0]}`;
});

afterAll(async () => {
  await gateway.close();
  upstream.closeAllConnections();
  upstream.close();
  policies.closeAllConnections();
  policies.close();
  grpc.forceShutdown();
});

async function route(uri: string, plugins: object, upstreamObject: object = { nodes }) {
  await gateway.put('routes/it', { uri, plugins, upstream: upstreamObject });
}

test('acl lets consumers in by their labels', async () => {
  for (const [username, team] of [
    ['alice', 'platform'],
    ['bob', 'sales'],
  ]) {
    await gateway.put('consumers', {
      username,
      labels: { team },
      plugins: { 'key-auth': { key: `${username}-key` } },
    });
  }
  await route('/*', { 'key-auth': {}, acl: { allow_labels: { team: ['platform'] } } });
  const answers = await Promise.all(
    ['alice-key', 'bob-key'].map(async (apikey) => {
      const answer = await fetch(url, { headers: { apikey } });
      return [answer.status, await answer.text()];
    }),
  );
  expect(answers).toEqual([
    [200, ''],
    [403, '{"message":"The consumer is forbidden."}\n'],
  ]);
});

test('opa asks a policy server for each request', async () => {
  const host = `http://127.0.0.1:${await listening(policies)}`;
  await route('/*', { opa: { host, policy: 'methods' } });
  const [read, written] = [await fetch(url), await fetch(url, { method: 'POST', body: 'x' })];
  expect([read.status, written.status, await written.text()]).toEqual([200, 403, 'GET alone']);
});

test("error-page stands for the gateway's own errors, not for the upstream's", async () => {
  await gateway.put('plugin_metadata/error-page', {
    enable: true,
    error_404: { body: '{"code":404}', content_type: 'application/json' },
  });
  await gateway.put('global_rules/pages', { plugins: { 'error-page': {} } });
  await route('/gone', {});
  const [unmatched, gone] = [await fetch(`${url}/nowhere`), await fetch(`${url}/gone`)];
  expect([unmatched.status, unmatched.headers.get('content-type')]).toEqual([
    404,
    'application/json',
  ]);
  expect([await unmatched.text(), gone.status, await gone.text()]).toEqual([
    '{"code":404}',
    404,
    '',
  ]);
  await gateway.admin('DELETE global_rules/pages');
});

test('an event is passed on while its stream goes on', async () => {
  await route('/events', {
    'proxy-buffering': { disable_proxy_buffering: true },
    brotli: { types: '*' },
  });
  const answer = await fetch(`${url}/events`, { headers: { 'Accept-Encoding': 'br' } });
  expect(answer.headers.get('content-encoding')).toBe('br');
  const reader = answer.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 1\n\n');
  await reader?.cancel();
});

test('brotli packs a whole answer', async () => {
  await route('/*', { brotli: {}, gzip: {} });
  const text = await gateway.send(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\nContent-Type: text/html\r\n' +
      `Accept-Encoding: gzip, br\r\n\r\n${'ab'.repeat(100)}`,
  );
  expect(text).toContain('Content-Encoding: br');
  let packed = Buffer.alloc(0);
  const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
  for (let at = 0, size = -1; size !== 0; ) {
    const line = body.indexOf('\r\n', at);
    size = Number.parseInt(body.toString('latin1', at, line), 16);
    packed = Buffer.concat([packed, body.subarray(line + 2, line + 2 + size)]);
    at = line + 4 + size;
  }
  expect(brotliDecompressSync(packed).toString()).toBe('ab'.repeat(100));
});

test('body-transformer makes XML of JSON, and JSON of the XML that comes back', async () => {
  await route('/*', {
    'body-transformer': {
      request: { input_format: 'json', template: '<a><n>{*_escape_xml(name)*}</n></a>' },
      response: {
        input_format: 'xml',
        template: '{"got":{*_escape_json(a.n)*},"as":{{_ctx.var.status}}}',
      },
    },
  });
  const answer = await fetch(url, { method: 'POST', body: '{"name":"x & y"}' });
  expect(await answer.json()).toEqual({ got: 'x & y', as: 200 });
  const refused = await gateway.admin('PUT routes/it', {
    uri: '/*',
    plugins: { 'body-transformer': { request: { template: "{% require('os') %}" } } },
  });
  expect(refused).toBe(400);
});

function grpcWebBody(trailers: string, ...messages: readonly string[]): Buffer {
  const frames = messages.map((message) => frameOf(Buffer.from(message)));
  const end = frameOf(Buffer.from(trailers));
  end[0] = 0x80;
  return Buffer.concat([...frames, end]);
}

test.each([
  { type: 'application/grpc-web+proto', isText: false },
  { type: 'application/grpc-web-text', isText: true },
])('grpc-web calls a gRPC service with $type', async ({ type, isText }) => {
  const port = await openGrpc();
  await route(
    '/web/*',
    { 'grpc-web': {} },
    { scheme: 'grpc', nodes: { [`127.0.0.1:${port}`]: 1 } },
  );
  const call = async (message: string): Promise<Buffer> => {
    const frame = frameOf(Buffer.from(message));
    const body = isText ? frame.toString('base64') : Uint8Array.from(frame);
    const answer = await fetch(`${url}/web/a.Echo/Say`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    });
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    const text = Buffer.from(await answer.arrayBuffer());
    if (!isText) return text;
    const pieces = text.toString().match(/[^=]+={0,2}/g) ?? [];
    return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
  };
  const twice = await call('hello');
  expect(twice.toString('latin1')).toBe(
    grpcWebBody('grpc-status:0\r\ngrpc-message:OK\r\n', 'hello', 'hello').toString('latin1'),
  );
  expect((await call('')).toString('latin1')).toContain('grpc-status:5\r\ngrpc-message:nothing');
  const statuses = await Promise.all(
    [
      { method: 'OPTIONS' },
      { method: 'GET' },
      { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain' } },
    ].map(async (init) => (await fetch(`${url}/web/a.Echo/Say`, init)).status),
  );
  expect(statuses).toEqual([204, 405, 400]);
  grpc.forceShutdown();
});
