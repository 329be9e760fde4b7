import { createServer as createHttp } from 'node:http';
import { createServer as createHttps, request } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, type KeyPair, makeAuthority } from './testing/certificates.ts';
import { type RunningGateway, runGateway } from './testing/running-gateway.ts';

let gateway: RunningGateway;
let authority: Authority;
let client: KeyPair;
let stranger: KeyPair;
const upstream = createHttp((seen, response) => response.end(JSON.stringify(seen.headers)));
let secured: Server;

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  [authority, client, stranger] = await (async () => {
    const own = makeAuthority('own CA');
    return [own, own.issue('client'), makeAuthority('other CA').issue('client')] as const;
  })();
  const node = authority.issue('node.test');
  const options = { ...node, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  secured = createHttps(options, (seen, response) => {
    response.end(`${(seen.socket as unknown as { authorized: boolean }).authorized}`);
  });
  gateway = await runGateway({
    node_listen: [{ port: 0 }],
    ssl: { listen: [{ port: 0 }] },
    proxy_protocol: { listen_http_port: 0, listen_https_port: 0 },
  });
  const nodes = { [`127.0.0.1:${await portOf(upstream)}`]: 1 };
  await gateway.put('routes/all', { uri: '/*', upstream: { nodes } });
  const ssl = (name: string, more: object = {}) =>
    gateway.put(`ssls/${name}`, {
      snis: [`${name}.test`],
      ...authority.issue(`${name}.test`),
      ...more,
    });
  await ssl('open');
  await ssl('locked', { client: { ca: authority.cert } });
  await ssl('partly', { client: { ca: authority.cert, skip_mtls_uri_regex: ['^/public'] } });
  await ssl('newest', { ssl_protocols: ['TLSv1.3'] });
  const at = [{ host: '127.0.0.1', port: await portOf(secured), weight: 1 }];
  const { cert: client_cert, key: client_key } = client;
  await gateway.put('routes/with', {
    uri: '/with',
    upstream: { nodes: at, scheme: 'https', tls: { client_cert, client_key } },
  });
  await gateway.put('routes/without', {
    uri: '/without',
    upstream: { nodes: at, scheme: 'https' },
  });
});

afterAll(async () => {
  await gateway.close();
  for (const server of [upstream, secured]) server.close();
});

/** The status, or `cut` when the connection did not come to an answer. */
function asked(
  servername: string,
  { path = '/', host = servername, ...options }: Record<string, string> = {},
): Promise<number | 'cut'> {
  return new Promise((resolve) => {
    const [port, headers] = [gateway.ports[2], { Host: host }];
    const given = { host: '127.0.0.1', port, servername, path, headers, agent: false };
    const sent = request({ ...given, ca: authority.cert, ...options }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', () => resolve('cut'));
    sent.end();
  });
}

test('only a client with a certificate of the CA is served where one is wanted', async () => {
  expect(await asked('locked.test', { ...client })).toBe(200);
  expect(await asked('locked.test')).toBe('cut');
  expect(await asked('locked.test', { ...stranger })).toBe('cut');
  expect(await asked('open.test')).toBe(200);
  expect(await asked('open.test', { ...stranger })).toBe(200);
});

test('the handshake of one name opens no other name', async () => {
  expect(await asked('open.test', { host: 'locked.test' })).toBe(400);
  expect(await asked('open.test', { host: 'locked.test', ...client })).toBe(400);
  expect(await asked('partly.test', { host: 'locked.test', ...client })).toBe(400);
  expect(await asked('locked.test', { host: 'LOCKED.test:9443', ...client })).toBe(200);
});

test('open paths need no certificate, the others do', async () => {
  expect(await asked('partly.test', { path: '/public/a' })).toBe(200);
  expect(await asked('partly.test', { path: '/private' })).toBe(400);
  expect(await asked('partly.test', { path: '/private/../public' })).toBe(200);
  expect(await asked('partly.test', { path: '/public/../private' })).toBe(400);
  expect(await asked('partly.test', { path: '/private', ...client })).toBe(200);
});

test('versions of TLS are those of the SSL object', async () => {
  expect(await asked('newest.test', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).toBe('cut');
  expect(await asked('newest.test', { minVersion: 'TLSv1.3' })).toBe(200);
  expect(await asked('open.test', { maxVersion: 'TLSv1.2' })).toBe(200);
});

test('what is no CA certificate is refused when it is written', async () => {
  const own = authority.issue('x.test');
  const bad = { sni: 'x.test', ...own, client: { ca: own.cert } };
  expect(await gateway.admin('PUT ssls/x', bad)).toBe(400);
});

test('a node that wants a certificate gets that of the upstream', async () => {
  const [with_, without] = await Promise.all(
    ['/with', '/without'].map((path) => fetch(`http://127.0.0.1:${gateway.ports[0]}${path}`)),
  );
  expect([with_?.status, await with_?.text()]).toEqual([200, 'true']);
  expect(without?.status).toBe(502);
});

/** Sends `first`, then a request; answers all that comes. */
function proxied(
  port: number | undefined,
  first: Buffer | string,
  isTls: boolean,
): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const raw = connect(Number(port), '127.0.0.1');
    raw.write(first);
    const servername = 'open.test';
    const socket = isTls ? connectTls({ socket: raw, servername, ca: authority.cert }) : raw;
    socket.write('GET / HTTP/1.1\r\nHost: open.test\r\nConnection: close\r\n\r\n');
    socket.on('data', (bytes) => (text += bytes.toString('latin1')));
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
}

test('behind a proxy that says so the client is whom the PROXY header names', async () => {
  const addresses = Buffer.from([...[192, 0, 2, 9], ...[127, 0, 0, 1], 0x1f, 0x90, 0, 80]);
  const second = Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'),
    addresses,
  ]);
  const first = 'PROXY TCP4 192.0.2.9 127.0.0.1 8080 80\r\n';
  const [, plain, , secure] = gateway.ports;
  for (const header of [first, second]) {
    expect(await proxied(plain, header, false)).toContain('"x-real-ip":"192.0.2.9"');
    expect(await proxied(secure, header, true)).toContain('"x-real-ip":"192.0.2.9"');
  }
  expect(await proxied(plain, '', false)).toBe('');
  expect(await proxied(gateway.ports[0], first, false)).toMatch(/^HTTP\/1\.1 400/);
});
