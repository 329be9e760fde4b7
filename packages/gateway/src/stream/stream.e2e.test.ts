import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '../testing/certificates.ts';
import { type RunningGateway, runGateway } from '../testing/running-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'streams-'));
const logPath = join(folder, 'streams.log');
let gateway: RunningGateway;
let nodeA: Server;
let nodeB: Server;
let tcpPort = 0;
let tlsPort = 0;
let udpPort = 0;

/** Says its name, what it was sent and, once the client has ended, how much that was. */
function openNode(name: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let size = 0;
    socket.on('error', () => socket.destroy());
    socket.write(`${name}:`);
    socket.on('data', (bytes) => {
      size += bytes.length;
      if (bytes.length < 100) socket.write(bytes);
    });
    socket.on('end', () => socket.end(`|${size}`));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function nodes(...servers: readonly Server[]): Record<string, number> {
  return Object.fromEntries(
    servers.map((server) => [`127.0.0.1:${(server.address() as AddressInfo).port}`, 1]),
  );
}

/** All that comes on one connection that sends `text` and ends its side. */
async function said(socket: Socket, text: string): Promise<string> {
  let all = '';
  socket.on('data', (bytes) => (all += bytes.toString()));
  socket.on('error', () => socket.destroy());
  socket.end(text);
  // A client that is sent away may see a reset.
  await new Promise((resolve) => socket.once('close', resolve));
  return all;
}

const toTcp = (): Socket => connect({ port: tcpPort, host: '127.0.0.1', allowHalfOpen: true });

beforeAll(async () => {
  [nodeA, nodeB] = await Promise.all([openNode('a'), openNode('b')]);
  gateway = await runGateway(
    {
      node_listen: [{ ip: '127.0.0.1', port: 0 }],
      ssl: { enable: false },
      proxy_mode: 'http&stream',
      stream_proxy: { tcp: ['127.0.0.1:0', { addr: 0, tls: true }], udp: [0] },
    },
    { nginx_config: { stream: { enable_access_log: true, access_log: logPath } } },
  );
  [tcpPort = 0, tlsPort = 0, udpPort = 0] = gateway.gateway.streams.map((url) =>
    Number(new URL(url).port),
  );
});

afterAll(async () => {
  await gateway.close();
  nodeA.close();
  nodeB.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  for (const id of ['1', '2']) await gateway.admin(`DELETE stream_routes/${id}`);
});

test('octets pass both ways, and an end passes on while the other way goes on', async () => {
  await gateway.put('stream_routes/1', {
    server_port: tcpPort,
    upstream: { nodes: nodes(nodeA), scheme: 'tcp' },
  });
  expect(await said(toTcp(), 'hello')).toBe('a:hello|5');
  expect(await said(toTcp(), 'x'.repeat(8 << 20))).toMatch(/^a:x*\|8388608$/);
});

test('a node that does not answer is passed over, and without a route the client is sent away', async () => {
  expect(await said(toTcp(), 'x')).toBe('');
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const gone = nodes(closed);
  await new Promise((resolve) => closed.close(resolve));
  await gateway.put('upstreams/two', { nodes: { ...gone, ...nodes(nodeB) } });
  await gateway.put('stream_routes/1', { upstream_id: 'two' });
  expect(await Promise.all([1, 2, 3, 4].map(() => said(toTcp(), 'x')))).toEqual(
    Array.from({ length: 4 }, () => 'b:x|1'),
  );
  await gateway.put('stream_routes/1', { upstream: { nodes: gone } });
  expect(await said(toTcp(), 'x')).toBe('');
});

test('the first route that accepts the connection takes it', async () => {
  await gateway.put('stream_routes/1', {
    remote_addr: '10.0.0.0/8',
    upstream: { nodes: nodes(nodeA) },
  });
  await gateway.put('services/s', { upstream: { nodes: nodes(nodeB) } });
  await gateway.put('stream_routes/2', { server_addr: '127.0.0.1', service_id: 's' });
  expect(await said(toTcp(), 'x')).toBe('b:x|1');
});

test('plugins of streams refuse, bound and split', async () => {
  const upstream = { nodes: nodes(nodeA) };
  await gateway.put('stream_routes/1', {
    plugins: { 'ip-restriction': { blacklist: ['127.0.0.1'] } },
    upstream,
  });
  expect(await said(toTcp(), 'x')).toBe('');
  const limit = { conn: 1, burst: 0, default_conn_delay: 0.1, key: 'remote_addr' };
  await gateway.put('stream_routes/1', { plugins: { 'limit-conn': limit }, upstream });
  const held = toTcp();
  await once(held, 'data');
  expect(await said(toTcp(), 'x')).toBe('');
  expect(await said(held, 'y')).toContain('|1');
  const split = {
    rules: [
      { weighted_upstreams: [{ upstream: { nodes: nodes(nodeB) }, weight: 1 }, { weight: 1 }] },
    ],
  };
  await gateway.put('stream_routes/1', { plugins: { 'traffic-split': split }, upstream });
  const answers = await Promise.all([1, 2, 3, 4].map(() => said(toTcp(), 'x')));
  expect(answers.toSorted()).toEqual(['a:x|1', 'a:x|1', 'b:x|1', 'b:x|1']);
  const refused = { plugins: { cors: {} }, upstream };
  expect(await gateway.admin('PUT stream_routes/1', refused)).toBe(400);
});

/** An MQTT 3.1.1 CONNECT with a client id of less than 100 characters. */
function mqttConnect(clientId: string): string {
  const rest = `\0\x04MQTT\x04\x02\0\x3c\0${String.fromCharCode(clientId.length)}${clientId}`;
  return `\x10${String.fromCharCode(rest.length)}${rest}`;
}

test('MQTT clients stay with a node by their id, and others are sent away', async () => {
  await gateway.put('stream_routes/1', {
    plugins: { 'mqtt-proxy': { protocol_level: 4 } },
    upstream: { type: 'chash', key: 'mqtt_client_id', nodes: nodes(nodeA, nodeB) },
  });
  const ids = Array.from({ length: 12 }, (_, i) => `sensor-${i}`);
  const ask = async () =>
    Promise.all(ids.map(async (id) => (await said(toTcp(), mqttConnect(id))).slice(0, 2)));
  const first = await ask();
  expect(new Set(first)).toEqual(new Set(['a:', 'b:']));
  expect(await ask()).toEqual(first);
  expect(await said(toTcp(), 'GET / HTTP/1.1\r\n\r\n')).toBe('');
  const route = { uri: '/*', plugins: { 'mqtt-proxy': { protocol_level: 4 } } };
  expect(await gateway.admin('PUT routes/1', route)).toBe(400);
});

test('TLS: a port has the certificates of ssls and routes by server name, a node is asked by its own', async () => {
  const authority = makeAuthority('streams');
  const own = authority.issue('db.test');
  await gateway.put('ssls/db', { snis: ['db.test', '*.db.test'], ...own });
  await gateway.put('stream_routes/1', { sni: 'db.test', upstream: { nodes: nodes(nodeA) } });
  await gateway.put('stream_routes/2', { sni: '*.db.test', upstream: { nodes: nodes(nodeB) } });
  const first = async (servername: string): Promise<string> => {
    const socket = connectTls({
      port: tlsPort,
      host: '127.0.0.1',
      servername,
      rejectUnauthorized: false,
    });
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return bytes.toString();
  };
  expect(await Promise.all(['db.test', 'x.db.test'].map(first))).toEqual(['a:', 'b:']);
  expect(await said(toTcp(), 'x')).toBe('');
  const secured = createTlsServer({ ...own }, (socket) =>
    socket.resume().end(`hello ${nameOf(socket)}`),
  );
  await new Promise<void>((resolve) => secured.listen(0, '127.0.0.1', resolve));
  const at = [{ host: 'localhost', port: (secured.address() as AddressInfo).port, weight: 1 }];
  await gateway.put('stream_routes/2', { upstream: { nodes: at, scheme: 'tls' } });
  expect(await said(toTcp(), 'x')).toBe('hello localhost');
  secured.close();
});

/** Node has the name on the socket, and its types do not say so. */
function nameOf(socket: object): string {
  return 'servername' in socket ? String(socket.servername) : '';
}

test('datagrams reach one node for each client, and its answers come back', async () => {
  const echo = createSocket('udp4');
  echo.on('message', (bytes, from) => echo.send(`${from.port} ${bytes}`, from.port, from.address));
  await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve));
  await gateway.put('stream_routes/1', {
    server_port: udpPort,
    upstream: { nodes: { [`127.0.0.1:${echo.address().port}`]: 1 }, scheme: 'udp' },
  });
  const client = createSocket('udp4');
  const answers: string[] = [];
  client.on('message', (bytes) => answers.push(bytes.toString()));
  for (const text of ['one', 'two']) {
    client.send(text, udpPort, '127.0.0.1');
    await once(client, 'message');
  }
  const [[port, one], [again, two]] = answers.map((answer) => answer.split(' ')) as [
    [string, string],
    [string, string],
  ];
  expect([one, two, again]).toEqual(['one', 'two', port]);
  client.close();
  echo.close();
});

test('connections are counted, and leave a line in the access log', async () => {
  await gateway.put('stream_routes/1', { upstream: { nodes: nodes(nodeA) } });
  await said(toTcp(), 'hello');
  const metrics = await (await fetch(gateway.gateway.pluginUrls[0] ?? '')).text();
  expect(metrics).toMatch(/apisix_stream_connection_total\{route="1"\} [1-9]/);
  expect(metrics).toContain(
    `apisix_stream_active_connections{listen_addr="127.0.0.1:${tcpPort}"} 0`,
  );
  await expect
    .poll(() => readFileSync(logPath, 'utf8'), { timeout: 10_000 })
    .toMatch(/^127\.0\.0\.1 \[[^\]]+\] TCP 200 9 5 \d\.\d{3}$/m);
});

test('without streams in proxy_mode there are no stream routes', async () => {
  const other = await runGateway();
  expect(await other.admin('GET stream_routes')).toBe(400);
  expect(other.gateway.streams).toEqual([]);
  await other.close();
});
