import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Listen } from '../config/config.ts';
import type { Peer } from '../core/request-context.ts';
import { openSession, type Session, type SessionParts } from './session.ts';

/** A port for datagrams; a session is what one address and port of a client sends and gets. */
export interface UdpListening {
  readonly port: number;
  close(): Promise<void>;
}

/** Clients at the same time; datagrams of others are dropped and counted. */
const SESSIONS_MAX = 10_000;
/** Datagrams held while a session is opened. */
const HELD_MAX = 16;

interface Flow {
  readonly held: Buffer[];
  node: Socket | undefined;
  session: Session | undefined;
  idle: NodeJS.Timeout | undefined;
  received: number;
  sent: number;
  isOver: boolean;
}

export async function listenUdp({ ip, port }: Listen, parts: SessionParts): Promise<UdpListening> {
  const server = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
  const flows = new Map<string, Flow>();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.bind(port, ip, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound, address } = server.address();
  server.on('error', (error) => parts.warn(`udp ${ip}:${bound}: ${error.message}`));

  function end(key: string, flow: Flow): void {
    if (flow.isOver) return;
    flow.isOver = true;
    flows.delete(key);
    clearTimeout(flow.idle);
    flow.node?.close();
    flow.session?.close({ received: flow.received, sent: flow.sent });
  }

  function send(flow: Flow, bytes: Buffer): void {
    flow.idle?.refresh();
    // What the node refuses is lost, as datagrams are; its answer or the idle time ends the session.
    flow.node?.send(bytes, () => undefined);
  }

  async function begin(key: string, flow: Flow, from: RemoteInfo): Promise<void> {
    const session = await openSession(peerOf(from, address, bound), 'UDP', parts);
    flow.session = session;
    if (flow.isOver) {
      session?.close({ received: flow.received, sent: 0 });
      return;
    }
    const socket = session === undefined ? undefined : await connectedSocket(session);
    if (session === undefined || socket === undefined || flow.isOver) {
      socket?.close();
      end(key, flow);
      return;
    }
    flow.idle = setTimeout(() => end(key, flow), session.timeouts.readMs);
    flow.node = socket;
    socket.on('error', () => {
      session.failed('connect');
      end(key, flow);
    });
    socket.on('message', (bytes) => {
      flow.sent += bytes.length;
      flow.idle?.refresh();
      server.send(bytes, from.port, from.address, () => undefined);
    });
    for (const bytes of flow.held.splice(0)) send(flow, bytes);
  }

  server.on('message', (bytes, from) => {
    const key = `${from.address} ${from.port}`;
    const known = flows.get(key);
    if (known === undefined && flows.size >= SESSIONS_MAX) {
      parts.counters.dropped();
      return;
    }
    const flow = known ?? newFlow();
    flow.received += bytes.length;
    if (known === undefined) {
      flows.set(key, flow);
      flow.held.push(bytes);
      void begin(key, flow, from);
    } else if (flow.node !== undefined && flow.held.length === 0) send(flow, bytes);
    else if (flow.held.length < HELD_MAX) flow.held.push(bytes);
    else parts.counters.dropped();
  });

  return {
    port: bound,
    close() {
      for (const [key, flow] of flows) end(key, flow);
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** To the first node that the kernel knows a way to; undefined when there is none. */
async function connectedSocket(session: Session): Promise<Socket | undefined> {
  for (let node = session.nextNode(); node !== undefined; node = session.nextNode()) {
    const socket = createSocket(isIPv6(node.address) ? 'udp6' : 'udp4');
    socket.connect(node.port, node.address);
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      socket.close();
      session.failed('connect');
    }
  }
  return undefined;
}

function newFlow(): Flow {
  return {
    held: [],
    node: undefined,
    session: undefined,
    idle: undefined,
    received: 0,
    sent: 0,
    isOver: false,
  };
}

function peerOf(from: RemoteInfo, localAddress: string, localPort: number): Peer {
  return {
    address: from.address,
    port: from.port,
    localAddress,
    localPort,
    isTls: false,
    serverName: undefined,
    tlsVersion: undefined,
    clientChain: undefined,
  };
}
