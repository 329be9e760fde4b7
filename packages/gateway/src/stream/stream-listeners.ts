import { createServer, type Server, type Socket } from 'node:net';
import type { Listen, StreamListen } from '../config/config.ts';
import type { CertificateBook } from '../core/certificates.ts';
import { listenOn, peerOf } from '../core/listeners.ts';
import type { IpRanges } from '../core/match/ip-range.ts';
import type { ProxiedEnds } from '../core/proxy-header.ts';
import { nodeConnection } from '../core/sockets/node-connection.ts';
import { createTlsDoor, type TlsSettings } from '../core/tls-door.ts';
import { takeProxyHeader } from './client-ends.ts';
import type { SessionParts } from './session.ts';
import { relayTcp } from './tcp-relay.ts';
import { listenUdp, type UdpListening } from './udp-relay.ts';

/** The ports of `stream_proxy`. */
export interface StreamListeners {
  /** `tcp://127.0.0.1:9100`, in the order of the configuration. */
  readonly urls: readonly string[];
  /** Takes no more; resolves when every connection has ended, or `graceMs` are over. */
  close(graceMs: number): Promise<void>;
}

export interface StreamListenersParts {
  readonly tcp: readonly StreamListen[];
  readonly udp: readonly Listen[];
  readonly certificates: CertificateBook;
  readonly tlsOptions: TlsSettings;
  /** Proxies whose word for a client is believed. */
  readonly trusted: IpRanges | undefined;
  readonly sessions: SessionParts;
}

/** Where an accepted socket goes in; `ends` are those that PROXY has told of. */
type Entrance = (socket: Socket, ends: ProxiedEnds | undefined, isTls: boolean) => void;

export async function openStreamListeners(parts: StreamListenersParts): Promise<StreamListeners> {
  const servers: Server[] = [];
  const datagrams: UdpListening[] = [];
  const open = new Set<Socket>();
  const urls: string[] = [];
  const silent = openEntrance(false);
  const announcing = openEntrance(true);

  /** `announces`: nodes are told of the client. */
  function openEntrance(announces: boolean): Entrance {
    const sessions = { ...parts.sessions, track, announces };
    const door = createTlsDoor(parts.certificates, parts.tlsOptions, (socket, ends, facts) => {
      const peer = peerOf(nodeConnection(socket).ends, ends, facts);
      if (parts.certificates.admitsPeer(peer)) void relayTcp(socket, peer, sessions);
      else socket.destroy();
    });
    return (socket, ends, isTls) => {
      if (isTls) door.take(socket, ends, []);
      else void relayTcp(socket, peerOf(nodeConnection(socket).ends, ends), sessions);
    };
  }

  function track(socket: Socket): void {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  }

  async function accept(socket: Socket, listen: StreamListen): Promise<void> {
    const { isTls, isBehindProxy } = listen;
    const enter = listen.announcesClient ? announcing : silent;
    socket.setNoDelay(true);
    // Its header and its handshake may never end.
    if (isTls || isBehindProxy) track(socket);
    if (!isBehindProxy) {
      enter(socket, undefined, isTls);
      return;
    }
    socket.on('error', () => socket.destroy());
    const header = await takeProxyHeader(socket, nodeConnection(socket).ends, parts.trusted);
    if (header === undefined) socket.destroy();
    else enter(socket, header.ends, isTls);
  }

  async function close(graceMs: number): Promise<void> {
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    const timer = setTimeout(() => {
      for (const socket of open) socket.destroy();
    }, graceMs);
    await Promise.all(closed);
    clearTimeout(timer);
    // Nodes of clients that have gone.
    for (const socket of open) socket.destroy();
    await Promise.all(datagrams.map((one) => one.close()));
  }

  try {
    for (const listen of parts.tcp) {
      const server = createServer(
        { allowHalfOpen: true, pauseOnConnect: !listen.isTls || listen.isBehindProxy },
        (socket) => void accept(socket, listen),
      );
      servers.push(server);
      urls.push(`tcp://${listen.ip}:${await listenOn(server, listen)}`);
    }
    for (const listen of parts.udp) {
      const listening = await listenUdp(listen, parts.sessions);
      datagrams.push(listening);
      urls.push(`udp://${listen.ip}:${listening.port}`);
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  return { urls, close };
}
