import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Node } from '../core/balance/balancer.ts';
import { clientTls, type TlsDestination } from '../core/http/upstream-pool.ts';
import { proxyHeaderOf } from '../core/proxy-header.ts';
import type { Peer } from '../core/request-context.ts';
import { createFirstOctets } from './first-octets.ts';
import { openSession, type Session, type SessionParts } from './session.ts';

/** A plugin that looks at what the client sends first waits so long for it. */
const FIRST_OCTETS_MS = 60_000;

export interface RelayParts extends SessionParts {
  track(socket: Socket): void;
  /** Nodes are told of the client by a header of the PROXY protocol. */
  readonly announces: boolean;
}

/**
 * Takes a connection that stands: finds its node, then passes octets both ways until both end.
 * `track` hears of the node's socket too, so that it can be destroyed at the end of all.
 */
export async function relayTcp(client: Socket, peer: Peer, parts: RelayParts): Promise<void> {
  parts.track(client);
  // What a proxy before us has said is none of the stream.
  const headerBytes = client.bytesRead - client.readableLength;
  client.on('error', () => client.destroy());
  client.pause();
  const first = createFirstOctets(client, FIRST_OCTETS_MS);
  const session = await openSession(peer, 'TCP', parts, first);
  let node: Socket | undefined;
  const done = (): void =>
    session?.close({ received: client.bytesRead - headerBytes, sent: node?.bytesRead ?? 0 });
  if (session === undefined || client.destroyed) {
    client.destroy();
    done();
    return;
  }
  client.once('close', done);
  node = await connectedNode(session, client, parts);
  if (node === undefined) client.destroy();
  else {
    parts.track(node);
    join(client, node, session.timeouts.readMs);
  }
}

/** Tries one node after the other; undefined when none answers or the client has left. */
async function connectedNode(
  session: Session,
  client: Socket,
  parts: RelayParts,
): Promise<Socket | undefined> {
  for (let node = session.nextNode(); node !== undefined; node = session.nextNode()) {
    const socket = await open(node, session, parts);
    if (socket !== undefined && client.destroyed) socket.destroy();
    if (client.destroyed) return undefined;
    if (socket !== undefined) {
      const last = session.context.tries.at(-1);
      if (last !== undefined) last.connectedMs = parts.now();
      return socket;
    }
  }
  return undefined;
}

function open(node: Node, session: Session, parts: RelayParts): Promise<Socket | undefined> {
  const { context, upstream, timeouts } = session;
  // The name for the handshake: there is no Host that it could be.
  context.upstreamHost = node.host;
  const { address, port, tls, connectMs } = parts.destination(context, upstream, node, timeouts);
  const header = parts.announces ? proxyHeaderOf(context.peer) : '';
  const socket = openSocket({ host: address, port }, tls, header);
  return new Promise((resolve) => {
    const timer = setTimeout(() => fail('connect-timeout'), connectMs);
    const fail = (why: 'connect' | 'connect-timeout'): void => {
      clearTimeout(timer);
      socket.destroy();
      session.failed(why);
      resolve(undefined);
    };
    const refused = (): void => fail('connect');
    socket.once('error', refused);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', refused);
      resolve(socket);
    });
  });
}

/** `header` goes first, in plain text also where TLS follows. */
function openSocket(
  address: { readonly host: string; readonly port: number },
  tls: TlsDestination | undefined,
  header: string,
): Socket {
  const to = { ...address, noDelay: true, allowHalfOpen: true };
  if (tls !== undefined && header === '') return connectTls({ ...to, ...clientTls(tls) });
  const plain = connect(to);
  if (header !== '') plain.write(header);
  return tls === undefined ? plain : connectTls({ socket: plain, ...clientTls(tls) });
}

/**
 * Octets both ways: a side that is slower than the other slows it down, and the end of one direction
 * leaves the other one open. Without an octet for `idleMs` both end.
 */
function join(client: Socket, node: Socket, idleMs: number): void {
  let openCount = 2;
  const idle = setTimeout(() => {
    client.destroy();
    node.destroy();
  }, idleMs);
  for (const [source, target] of [
    [client, node],
    [node, client],
  ] as const) {
    source.on('data', () => idle.refresh());
    source.on('error', () => source.destroy());
    source.on('close', () => {
      openCount -= 1;
      if (openCount === 0) clearTimeout(idle);
      // After its end the target has been told so, and may still have octets to send.
      if (!source.readableEnded) target.destroy();
    });
    source.pipe(target);
  }
}
