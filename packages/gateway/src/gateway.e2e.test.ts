import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { parseGatewayConfig } from './config/config.ts';
import { type Gateway, startGateway } from './main.ts';
import { chosenSockets } from './testing/running-gateway.ts';

const CLI = fileURLToPath(new URL('../../cli/dist/thalweg.js', import.meta.url));
const KEY = 'e2e-key';
const CONFIG = JSON.stringify({
  apisix: {
    node_listen: [{ ip: '127.0.0.1', port: 0 }],
    control: { port: 0 },
    ssl: { enable: false },
  },
  plugin_attr: { prometheus: { export_addr: { port: 0 } } },
  deployment: { admin: { admin_listen: { port: 0 }, admin_key: [{ key: KEY }] } },
});

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const folder = mkdtempSync(join(tmpdir(), 'gateway-e2e-'));
const seen: Seen[] = [];
let gateway: Gateway;
let upstreamPort = 0;

/** Answers what it was asked; `/slow` never does, `/large` 4 MiB, `/reset` half an answer. */
const upstream = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const body = Buffer.concat(pieces).toString();
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    if (request.url === '/slow') return;
    if (request.url === '/large') response.end(Buffer.alloc(4 << 20, 'x'));
    else if (request.url === '/reset') {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half', () => request.socket.destroy());
    } else response.end(`saw ${body}`);
  });
});
upstream.on('upgrade', (_request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
  socket.pipe(socket);
});

async function admin(line: string, body: unknown): Promise<number> {
  const [method = '', path = ''] = line.split(' ');
  const response = await fetch(`${gateway.adminUrl}/apisix/admin/${path}`, {
    method,
    headers: { 'X-API-KEY': KEY },
    body: JSON.stringify(body),
  });
  await response.text();
  return response.status;
}

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  upstreamPort = (upstream.address() as AddressInfo).port;
  gateway = await startGateway({
    config: parseGatewayConfig(CONFIG, {}).config,
    dataFolder: folder,
    environment: {},
    ...chosenSockets(),
  });
  const nodes = { [`127.0.0.1:${upstreamPort}`]: 1 };
  const timeout = { connect: 1, send: 1, read: 0.3 };
  await admin('PUT routes/all', {
    uri: '/*',
    enable_websocket: true,
    upstream: { nodes, timeout },
  });
});

afterAll(async () => {
  await gateway.close();
  upstream.closeAllConnections();
  upstream.close();
  rmSync(folder, { recursive: true });
});

/** Sends raw octets, in the given pieces, and answers everything that comes until the end. */
function raw(...pieces: readonly string[]): Promise<string> {
  const { port } = new URL(gateway.proxies[0] ?? '');
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), '127.0.0.1', () => {
      void (async () => {
        for (const piece of pieces) {
          socket.write(piece, 'latin1');
          await sleep(5);
        }
      })();
    });
    socket.on('data', (bytes) => (text += bytes.toString('latin1')));
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
    socket.setTimeout(3_000, () => socket.destroy());
  });
}

const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

test('a request reaches the upstream with its body and comes back', async () => {
  const response = await fetch(`${gateway.proxies[0]}/a?b=1`, { method: 'POST', body: 'hello' });
  expect(await response.text()).toBe('saw hello');
  expect(response.headers.get('server')).toMatch(/^APISIX/);
  expect(seen.at(-1)).toMatchObject({
    line: 'POST /a?b=1',
    headers: {
      'x-real-ip': '127.0.0.1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    },
  });
});

test('requests sent at once on one connection are answered in order', async () => {
  const one = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  const text = await raw(one('/1') + one('/2') + one('/3', 'Connection: close\r\n'));
  expect(statuses(text)).toEqual([200, 200, 200]);
  expect(seen.slice(-3).map(({ line }) => line)).toEqual(['GET /1', 'GET /2', 'GET /3']);
});

test('a chunked body in any pieces arrives whole, with 100-continue asked for', async () => {
  const head = 'POST /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n';
  const text = await raw(
    `${head}Transfer-Encoding: chunked\r\n\r\n`,
    '3\r\nab',
    'c\r\n0',
    '\r\n\r\n',
  );
  expect(statuses(text)).toEqual([100, 200]);
  expect(seen.at(-1)).toMatchObject({ line: 'POST /c', body: 'abc' });
});

test.each([
  {
    name: 'both framings',
    fields: 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
    body: '0\r\n\r\n',
  },
  { name: 'two lengths', fields: 'Content-Length: 0\r\nContent-Length: 30\r\n', body: '' },
  {
    name: 'a space before the colon',
    fields: 'Transfer-Encoding : chunked\r\n',
    body: '0\r\n\r\n',
  },
  { name: 'a coding in disguise', fields: 'Transfer-Encoding: xchunked\r\n', body: '0\r\n\r\n' },
  { name: 'a folded field', fields: 'Transfer-Encoding:\r\n chunked\r\n', body: '0\r\n\r\n' },
])('nothing of a request with $name reaches the upstream', async ({ fields, body }) => {
  const before = seen.length;
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  const text = await raw(`POST /outer HTTP/1.1\r\nHost: x\r\n${fields}\r\n${body}${smuggled}`);
  expect([400, 501]).toContain(statuses(text)[0]);
  expect(statuses(text).length).toBe(1);
  expect(seen.length).toBe(before);
});

test('a large answer arrives whole through a client that reads slowly', async () => {
  const response = await fetch(`${gateway.proxies[0]}/large`);
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes < 200_000) await sleep(1);
  }
  expect(bytes).toBe(4 << 20);
});

test('an upstream that is late is 504, one that breaks off cuts the answer', async () => {
  const late = await fetch(`${gateway.proxies[0]}/slow`, { method: 'POST' });
  expect(late.status).toBe(504);
  const broken = await raw('GET /reset HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(broken).toContain('Content-Length: 100');
  expect(broken.endsWith('half')).toBe(true);
});

test('after an upgrade octets go both ways', async () => {
  const head = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
  const { port } = new URL(gateway.proxies[0] ?? '');
  const text = await new Promise<string>((resolve) => {
    let got = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(head));
    socket.on('data', (bytes) => {
      got += bytes.toString();
      if (got.endsWith('\r\n\r\n')) socket.write('ping');
      if (got.endsWith('ping')) socket.destroy();
    });
    socket.on('close', () => resolve(got));
  });
  expect(text).toMatch(/^HTTP\/1\.1 101[\s\S]*ping$/);
});

test('a change of a route takes effect for the next request', async () => {
  await admin('PUT routes/blue', {
    uri: '/colour',
    plugins: { 'proxy-rewrite': { uri: '/blue' } },
    upstream: { nodes: { [`127.0.0.1:${upstreamPort}`]: 1 } },
  });
  await (await fetch(`${gateway.proxies[0]}/colour`)).text();
  await admin('PATCH routes/blue/plugins/proxy-rewrite/uri', '/green');
  await (await fetch(`${gateway.proxies[0]}/colour`)).text();
  expect(seen.slice(-2).map(({ line }) => line)).toEqual(['GET /blue', 'GET /green']);
});

test('kill -9 in the middle of writes loses nothing that was acknowledged', async () => {
  const data = mkdtempSync(join(tmpdir(), 'gateway-kill-'));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const config = join(data, 'config.yaml');
  writeFileSync(config, CONFIG);
  const first = await command(config, data);
  const acknowledged: number[] = [];
  const writing = (async () => {
    for (let i = 1; ; i++) {
      const response = await put(first.adminUrl, i).catch(() => undefined);
      if (response === undefined) return;
      acknowledged.push(i);
    }
  })();
  await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(30);
  first.child.kill('SIGKILL');
  await writing;
  const second = await command(config, data);
  const answer = await fetch(`${second.adminUrl}/apisix/admin/routes`, {
    headers: { 'X-API-KEY': KEY },
  });
  const { list } = (await answer.json()) as { list: { value: { id: string } }[] };
  const kept = new Set(list.map(({ value }) => Number(value.id)));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  second.child.kill('SIGTERM');
  expect(await new Promise((resolve) => second.child.once('exit', resolve))).toBe(0);
});

async function put(adminUrl: string, id: number): Promise<Response> {
  const response = await fetch(`${adminUrl}/apisix/admin/routes/${id}`, {
    method: 'PUT',
    headers: { 'X-API-KEY': KEY },
    body: JSON.stringify({ uri: `/r${id}`, upstream: { nodes: { '127.0.0.1:1': 1 } } }),
  });
  await response.text();
  return response;
}

/** The command itself, as a person starts it. */
async function command(
  config: string,
  data: string,
): Promise<{ readonly child: ChildProcess; readonly adminUrl: string }> {
  const words = [CLI, 'gateway', '--config', config, '--data', data];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let notes = '';
  child.stderr?.on('data', (bytes: Buffer) => (notes += bytes.toString()));
  const adminUrl = () => /admin (http\S+)/.exec(notes)?.[1];
  await expect.poll(adminUrl, { timeout: 20_000 }).toBeDefined();
  return { child, adminUrl: adminUrl() ?? '' };
}
