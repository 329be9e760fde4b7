import { createServer } from 'node:http';
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Authority, makeAuthority } from './testing/certificates.ts';
import { type RunningGateway, runGateway } from './testing/running-gateway.ts';

let gateway: RunningGateway;
let authority: Authority;
/** Answers the body it was sent; `/large` 4 MiB, `/reset` half an answer, `/early` before the end. */
const upstream = createServer((request, response) => {
  if (request.url === '/early') {
    response.end('early');
    return;
  }
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    if (request.url === '/large') response.end(Buffer.alloc(4 << 20, 'x'));
    else if (request.url === '/reset') {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half', () => request.socket.destroy());
    } else if (request.url === '/trailers') {
      response.writeHead(200, { Trailer: 'x-sum', 'Set-Cookie': ['a=1', 'b=2'] });
      response.addTrailers({ 'x-sum': '7' });
      response.end('body');
    } else if (request.url === '/seen') response.end(JSON.stringify(request.headers));
    else response.end(Buffer.concat(pieces));
  });
});

const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: bytes.serialize,
  requestDeserialize: bytes.deserialize,
  responseSerialize: bytes.serialize,
  responseDeserialize: bytes.deserialize,
});
const ECHO: ServiceDefinition = {
  unary: method('Unary', false, false),
  many: method('Many', false, true),
  both: method('Both', true, true),
};

function grpcServer(): Server {
  const server = new Server();
  server.addService(ECHO, {
    unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      const text = call.request.toString();
      if (text === 'never') return;
      if (text === 'fail') {
        done({ code: status.FAILED_PRECONDITION, details: 'not today, ünd never' });
        return;
      }
      const trailer = new Metadata();
      trailer.set('x-told', String(call.metadata.get('x-asked')[0]));
      done(null, Buffer.from(`${text}!`), trailer);
    },
    many(call: ServerWritableStream<Buffer, Buffer>) {
      for (let i = 0; i < 100; i++) call.write(Buffer.alloc(10_000, String(i % 10)));
      call.end();
    },
    both(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', (message: Buffer) => call.write(Buffer.from(`got ${message}`)));
      call.on('end', () => call.end());
    },
  });
  return server;
}

const servers: Server[] = [];

async function listen(given: ServerCredentials): Promise<number> {
  const server = grpcServer();
  servers.push(server);
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', given, (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
}

beforeAll(async () => {
  authority = makeAuthority('http2 CA');
  const { cert, key } = authority.issue('node.test');
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const plain = await listen(ServerCredentials.createInsecure());
  const secure = await listen(ServerCredentials.createSsl(null, [pair]));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  gateway = await runGateway({
    node_listen: [{ port: 0, enable_http2: true }],
    ssl: { listen: [{ port: 0 }] },
  });
  const { port } = upstream.address() as AddressInfo;
  await gateway.put('ssls/1', { sni: 'grpc.test', ...authority.issue('grpc.test') });
  await gateway.put('routes/all', { uri: '/*', upstream: { nodes: { [`127.0.0.1:${port}`]: 1 } } });
  const grpc = (host: string, scheme: string, node: number) =>
    gateway.put(`routes/${scheme}`, {
      host,
      uri: '/test.Echo/*',
      upstream: { scheme, nodes: { [`127.0.0.1:${node}`]: 1 } },
    });
  await grpc('plain.test', 'grpc', plain);
  await grpc('secure.test', 'grpcs', secure);
  await gateway.put('routes/nobody', {
    host: 'nobody.test',
    uri: '/test.Echo/*',
    upstream: { scheme: 'grpc', nodes: { '127.0.0.1:1': 1 } },
  });
});

afterAll(async () => {
  for (const server of servers) server.forceShutdown();
  await gateway.close();
  upstream.closeAllConnections();
  upstream.close();
});

function session(isTls: boolean): ClientHttp2Session {
  const [plain, secure] = gateway.ports;
  const made = isTls
    ? connect(`https://127.0.0.1:${secure}`, { servername: 'grpc.test', ca: authority.cert })
    : connect(`http://127.0.0.1:${plain}`);
  made.on('error', () => undefined);
  onTestFinished(() => made.destroy());
  return made;
}

interface Answer {
  readonly headers: IncomingHttpHeaders & { ':status'?: number };
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
  readonly rst: number;
}

function ask(on: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = on.request({ ':authority': 'grpc.test', ...headers });
    const pieces: Buffer[] = [];
    let [head, trailers]: IncomingHttpHeaders[] = [{}, {}];
    stream.on('response', (given) => (head = given));
    stream.on('trailers', (given) => (trailers = given));
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({
        headers: head ?? {},
        trailers: trailers ?? {},
        body: Buffer.concat(pieces).toString(),
        rst: stream.rstCode,
      }),
    );
    stream.end(body);
  });
}

test.each([
  { name: 'over TLS by ALPN', isTls: true },
  { name: 'without TLS from the first octet', isTls: false },
])('many requests at once on one HTTP/2 connection, $name', async ({ isTls }) => {
  const on = session(isTls);
  const bodies = Array.from({ length: 60 }, (_, i) => Buffer.alloc(i * 4_000, 'abc'));
  const answers = await Promise.all(
    bodies.map((body) => ask(on, { ':path': '/echo', ':method': 'POST' }, body)),
  );
  expect(answers.map(({ body }) => body)).toEqual(bodies.map(String));
  expect(new Set(answers.map(({ headers }) => headers[':status']))).toEqual(new Set([200]));
  expect(answers[0]?.headers['server']).toMatch(/^APISIX/);
  expect(Object.keys(answers[0]?.headers ?? {})).not.toContain('connection');
});

test('HTTP/1 goes on on the same ports', async () => {
  const response = await fetch(`http://127.0.0.1:${gateway.ports[0]}/a`, {
    method: 'POST',
    body: 'x',
  });
  expect(await response.text()).toBe('x');
});

test('large answers, trailers, cookies, HEAD and early answers come as they are', async () => {
  const on = session(true);
  expect((await ask(on, { ':path': '/large' })).body.length).toBe(4 << 20);
  const trailed = await ask(on, { ':path': '/trailers' });
  expect(trailed.trailers['x-sum']).toBe('7');
  expect(trailed.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  const head = await ask(on, { ':path': '/seen', ':method': 'HEAD' });
  expect([head.headers[':status'], head.body]).toEqual([200, '']);
  const early = await ask(on, { ':path': '/early', ':method': 'POST' }, Buffer.alloc(1 << 20));
  expect([early.headers[':status'], early.body]).toEqual([200, 'early']);
  const cut = await ask(on, { ':path': '/reset' });
  expect(cut.rst).not.toBe(0);
  expect((await ask(on, { ':path': '/echo' })).headers[':status']).toBe(200);
});

test('fields arrive at the node as HTTP/1 has them', async () => {
  const headers = { ':path': '/seen', cookie: ['a=1', 'b=2'], 'x-two': ['1', '2'] };
  const seen = JSON.parse((await ask(session(true), headers)).body);
  expect(seen).toMatchObject({
    host: 'grpc.test',
    cookie: 'a=1; b=2',
    'x-forwarded-proto': 'https',
    'x-two': '1, 2',
  });
});

test('what HTTP/1 could not say in one way is answered 400 and never sent on', async () => {
  const on = session(false);
  for (const headers of [{ host: 'other.test' }, { ':path': '/a b' }, { ':authority': 'u@h' }]) {
    const answer = await ask(on, { ':path': '/echo', ...headers });
    expect(answer.headers[':status'] ?? 400).toBe(400);
    expect(answer.body).toBe('');
  }
});

function client(host: string, isTls = false): Client {
  const [plain, secure] = gateway.ports;
  const ca = Buffer.from(authority.cert);
  const made = isTls
    ? new Client(`127.0.0.1:${secure}`, credentials.createSsl(ca), {
        'grpc.ssl_target_name_override': 'grpc.test',
        'grpc.default_authority': host,
      })
    : new Client(`127.0.0.1:${plain}`, credentials.createInsecure(), {
        'grpc.default_authority': host,
      });
  onTestFinished(() => made.close());
  return made;
}

function unary(
  on: Client,
  text: string,
  deadlineMs = 10_000,
): Promise<{
  readonly answer: string;
  readonly code: number;
  readonly details: string;
  readonly told: unknown;
}> {
  const { serialize, deserialize } = bytes;
  const metadata = new Metadata();
  metadata.set('x-asked', 'this');
  const options = { deadline: Date.now() + deadlineMs };
  return new Promise((resolve) => {
    let answer = '';
    const call = on.makeUnaryRequest(
      '/test.Echo/Unary',
      serialize,
      deserialize,
      Buffer.from(text),
      metadata,
      options,
      (_error, value) => {
        answer = value?.toString() ?? '';
      },
    );
    call.on('status', ({ code, details, metadata: trailer }) =>
      setImmediate(() => resolve({ answer, code, details, told: trailer.get('x-told')[0] })),
    );
  });
}

test.each([
  { name: 'grpc', host: 'plain.test', isTls: false },
  { name: 'grpcs', host: 'secure.test', isTls: false },
  { name: 'grpc, the client over TLS', host: 'plain.test', isTls: true },
])('a call through the gateway by $name, with its trailers', async ({ host, isTls }) => {
  const on = client(host, isTls);
  expect(await unary(on, 'hello')).toMatchObject({ answer: 'hello!', code: 0, told: 'this' });
});

test('an error of the server, a deadline and a missing server are told apart', async () => {
  const on = client('plain.test');
  expect(await unary(on, 'fail')).toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: 'not today, ünd never',
  });
  expect(await unary(on, 'never', 300)).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  expect(await unary(client('nobody.test'), 'x')).toMatchObject({ code: status.UNAVAILABLE });
  expect(await unary(on, 'after')).toMatchObject({ answer: 'after!', code: 0 });
});

test('streams of a server come whole, and both sides can take turns', async () => {
  const on = client('plain.test');
  const { serialize, deserialize } = bytes;
  const many = on.makeServerStreamRequest(
    '/test.Echo/Many',
    serialize,
    deserialize,
    Buffer.alloc(0),
  );
  let total = 0;
  for await (const piece of many as AsyncIterable<Buffer>) total += piece.length;
  expect(total).toBe(1_000_000);
  const both = on.makeBidiStreamRequest('/test.Echo/Both', serialize, deserialize);
  const heard: string[] = [];
  both.write(Buffer.from('0'));
  for await (const message of both as AsyncIterable<Buffer>) {
    heard.push(message.toString());
    if (heard.length === 5) both.end();
    else both.write(Buffer.from(String(heard.length)));
  }
  expect(heard).toEqual(['got 0', 'got 1', 'got 2', 'got 3', 'got 4']);
});
