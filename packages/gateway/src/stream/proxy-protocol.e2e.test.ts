// What proxies before stream ports say of a client, and what nodes are told of it.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { makeAuthority } from '../testing/certificates.ts';
import { type RunningGateway, runGateway } from '../testing/running-gateway.ts';

const FROM = 'PROXY TCP4 192.0.2.7 198.51.100.1 4242 25\r\n';
/** The same client in version 2: signature, PROXY over TCP/IPv4, 12 octets of addresses and ports. */
const FROM_BINARY = Buffer.from(
  '0d0a0d0a000d0a515549540a' + '2111000c' + 'c0000207c63364011092' + '0019',
  'hex',
);

let gateway: RunningGateway;
/** Says what it was sent, once the other side has ended. */
let node: Server;
let ports: readonly number[];

beforeAll(async () => {
  node = createServer({ allowHalfOpen: true }, repeat);
  await listening(node);
  gateway = await runGateway(
    {
      node_listen: [{ ip: '127.0.0.1', port: 0 }],
      ssl: { enable: false },
      proxy_mode: 'http&stream',
      proxy_protocol: { enable_tcp_pp: true, enable_tcp_pp_to_upstream: true },
      stream_proxy: {
        tcp: [
          '127.0.0.1:0',
          { addr: 0, proxy_protocol_to_upstream: false },
          { addr: 0, proxy_protocol: false },
          { addr: 0, tls: true },
        ],
      },
    },
    { nginx_config: { stream: { real_ip_from: ['127.0.0.0/8'] } } },
  );
  ports = gateway.gateway.streams.map((url) => Number(new URL(url).port));
  await gateway.put('stream_routes/1', { upstream: { nodes: nodeAt(node) } });
});

afterAll(async () => {
  await gateway.close();
  node.close();
});

function repeat(socket: Socket): void {
  const pieces: Buffer[] = [];
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => pieces.push(bytes));
  socket.on('end', () => socket.end(Buffer.concat(pieces)));
}

async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function nodeAt(server: Server): Readonly<Record<string, number>> {
  return { [`127.0.0.1:${(server.address() as AddressInfo).port}`]: 1 };
}

async function told(port: number, pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  onTestFinished(() => void socket.destroy());
  let all = '';
  socket.on('data', (bytes) => (all += bytes.toString()));
  socket.on('error', () => socket.destroy());
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  return all;
}

test.each([
  { name: 'version 1', pieces: [`${FROM}hello`] },
  { name: 'version 1 in pieces', pieces: [FROM.slice(0, 9), FROM.slice(9), 'hello'] },
  { name: 'version 2', pieces: [Buffer.concat([FROM_BINARY, Buffer.from('hello')])] },
])('a client named by a trusted proxy is named to the node: $name', async ({ pieces }) => {
  const [port = 0] = ports;
  expect(await told(port, pieces)).toBe(`PROXY TCP4 192.0.2.7 127.0.0.1 4242 ${port}\r\nhello`);
});

test('a port that tells nodes nothing takes the header away', async () => {
  expect(await told(ports[1] ?? 0, [`${FROM}hello`])).toBe('hello');
});

test('a port without proxy before it names the client that has connected', async () => {
  const port = ports[2] ?? 0;
  expect(await told(port, ['hello'])).toMatch(
    new RegExp(`^PROXY TCP4 127.0.0.1 127.0.0.1 \\d+ ${port}\r\nhello$`),
  );
});

test('a client without header is sent away', async () => {
  expect(await told(ports[0] ?? 0, ['hello'])).toBe('');
});

test('the client that is named is the one that routes and plugins see', async () => {
  const upstream = { nodes: nodeAt(node) };
  await gateway.put('stream_routes/1', { remote_addr: '192.0.2.0/24', upstream });
  onTestFinished(() => gateway.put('stream_routes/1', { upstream }));
  expect(await told(ports[1] ?? 0, [`${FROM}hello`])).toBe('hello');
  expect(await told(ports[2] ?? 0, ['hello'])).toBe('');
});

test('the header stands before a handshake, to this port and to a node', async () => {
  const authority = makeAuthority('proxy');
  const own = authority.issue('db.test');
  await gateway.put('ssls/db', { snis: ['db.test'], ...own });
  let header = '';
  const secured = createTlsServer({ ...own, allowHalfOpen: true }, repeat);
  const front = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      socket.pause();
      const end = bytes.indexOf('\r\n') + 2;
      header = bytes.toString('latin1', 0, end);
      if (end < bytes.length) socket.unshift(bytes.subarray(end));
      secured.emit('connection', socket);
    });
  });
  await listening(front);
  const upstream = { nodes: nodeAt(front), scheme: 'tls' };
  await gateway.put('stream_routes/1', { upstream });
  const raw = connect(ports[3] ?? 0, '127.0.0.1');
  raw.write(FROM);
  await once(raw, 'connect');
  const client = connectTls({ socket: raw, servername: 'db.test', rejectUnauthorized: false });
  onTestFinished(() => {
    client.destroy();
    front.close();
  });
  client.end('hello');
  const [bytes] = (await once(client, 'data')) as [Buffer];
  expect([header, bytes.toString()]).toEqual([
    `PROXY TCP4 192.0.2.7 127.0.0.1 4242 ${ports[3]}\r\n`,
    'hello',
  ]);
});
