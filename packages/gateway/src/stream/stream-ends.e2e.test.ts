// How sessions of streams end, and what ends with them.
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { startProgram } from '../testing/gateway-program.ts';
import { runGateway } from '../testing/running-gateway.ts';

const PLAIN = { node_listen: [{ ip: '127.0.0.1', port: 0 }], ssl: { enable: false } };
const PORTS = { proxy_mode: 'http&stream', stream_proxy: { tcp: ['127.0.0.1:0'], udp: [0] } };
const UNTIL_IDLE_S = 0.3;
let echo: Server;
let echoNode: Readonly<Record<string, number>>;
/** Answers a datagram with the port that it came from. */
let portEcho: Datagrams;

beforeAll(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  echoNode = { [`127.0.0.1:${(echo.address() as AddressInfo).port}`]: 1 };
  portEcho = createSocket('udp4');
  portEcho.on('message', (_, from) => portEcho.send(String(from.port), from.port, from.address));
  portEcho.bind(0, '127.0.0.1');
  await once(portEcho, 'listening');
  return () => {
    echo.close();
    portEcho.close();
  };
});

async function started() {
  const running = await runGateway({ ...PLAIN, ...PORTS });
  const [tcp = 0, udp = 0] = running.gateway.streams.map((url) => Number(new URL(url).port));
  return { ...running, tcp, udp };
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function openClient(): Datagrams {
  const client = createSocket('udp4');
  onTestFinished(() => void client.close());
  return client;
}

/** The first answer to a datagram, which is sent again until there is one. */
async function answered(client: Datagrams, port: number): Promise<string> {
  const answer = once(client, 'message');
  const again = setInterval(() => client.send('x', port, '127.0.0.1'), 50);
  const [bytes] = (await answer) as [Buffer];
  clearInterval(again);
  return bytes.toString();
}

test('a connection without an octet for the read timeout ends on both sides', async () => {
  const gateway = await started();
  onTestFinished(gateway.close);
  await gateway.put('stream_routes/1', {
    upstream: { nodes: echoNode, timeout: { connect: 1, send: 1, read: UNTIL_IDLE_S } },
  });
  const atNode = once(echo, 'connection') as Promise<[Socket]>;
  const client = await connected(gateway.tcp);
  const [node] = await atNode;
  client.write('x');
  await once(client, 'data');
  await Promise.all([once(client, 'end'), once(node, 'close')]);
});

test('a timeout that is longer than a timer can wait ends nothing early', async () => {
  const gateway = await started();
  onTestFinished(gateway.close);
  const forever = 30 * 86_400;
  const timeout = { connect: forever, send: forever, read: forever };
  await gateway.put('stream_routes/1', { upstream: { nodes: echoNode, timeout } });
  const client = await connected(gateway.tcp);
  for (const text of ['one', 'two']) {
    client.write(text);
    const [bytes] = (await once(client, 'data')) as [Buffer];
    expect(bytes.toString()).toBe(text);
    await sleep(20);
  }
});

test('datagrams of a client that was quiet for the read timeout are a new session', async () => {
  const gateway = await started();
  onTestFinished(gateway.close);
  const timeout = { connect: 1, send: 1, read: UNTIL_IDLE_S };
  const nodes = { [`127.0.0.1:${portEcho.address().port}`]: 1 };
  await gateway.put('stream_routes/1', { upstream: { nodes, timeout } });
  const client = openClient();
  const first = await answered(client, gateway.udp);
  expect(await answered(client, gateway.udp)).toBe(first);
  await expect
    .poll(async () => {
      const metrics = await (await fetch(gateway.gateway.pluginUrls[0] ?? '')).text();
      return /stream_active_connections\{[^}]*\} (\d+)/.exec(metrics)?.[1];
    })
    .toBe('0');
  expect(await answered(client, gateway.udp)).not.toBe(first);
});

test('a node that no datagram can be sent to is passed over, or the session ends', async () => {
  const gateway = await started();
  onTestFinished(gateway.close);
  // The kernel refuses to connect a socket to the address of all without being asked for it (EACCES).
  const unreachable = { '255.255.255.255:9': 1 };
  await gateway.put('stream_routes/1', { upstream: { nodes: unreachable } });
  const client = openClient();
  for (let i = 0; i < 3; i++) {
    client.send('lost', gateway.udp, '127.0.0.1');
    await sleep(20);
  }
  const nodes = { ...unreachable, [`127.0.0.1:${portEcho.address().port}`]: 1 };
  await gateway.put('stream_routes/1', { upstream: { nodes } });
  for (let i = 0; i < 3; i++) {
    expect(await answered(openClient(), gateway.udp)).toMatch(/^\d+$/);
  }
});

test('at the end what is under way goes on, and nothing new is taken', async () => {
  const gateway = await started();
  await gateway.put('stream_routes/1', { upstream: { nodes: echoNode } });
  const client = await connected(gateway.tcp);
  client.write('before ');
  await once(client, 'data');
  const closed = gateway.close();
  const refused = connect({ port: gateway.tcp, host: '127.0.0.1' });
  await once(refused, 'error');
  let rest = '';
  client.on('data', (bytes) => (rest += bytes.toString()));
  client.end('after');
  await once(client, 'close');
  await closed;
  expect(rest).toBe('after');
});

test('of several processes one serves all streams', async () => {
  const gateway = await startProgram({
    apisix: { ...PLAIN, ...PORTS, control: { port: 0 } },
    nginx_config: { worker_processes: 2 },
  });
  const [, tcp, udp] = /streams tcp:\/\/127.0.0.1:(\d+), udp:\/\/127.0.0.1:(\d+)/.exec(
    gateway.notes(),
  ) ?? ['', '', ''];
  const nodes = { [`127.0.0.1:${portEcho.address().port}`]: 1 };
  await gateway.put('stream_routes/1', { server_port: Number(tcp), upstream: { nodes: echoNode } });
  await gateway.put('stream_routes/2', { server_port: Number(udp), upstream: { nodes } });
  const clients = Array.from({ length: 6 }, openClient);
  for (const client of clients) {
    const first = await answered(client, Number(udp));
    expect(await answered(client, Number(udp))).toBe(first);
  }
  const connection = await connected(Number(tcp));
  connection.write('hello');
  const [bytes] = (await once(connection, 'data')) as [Buffer];
  expect(bytes.toString()).toBe('hello');
});
