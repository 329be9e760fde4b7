import { createServer, type Server, type Socket } from 'node:net';
import type { Listen, StreamListen } from '../config/config.ts';
import type { CertificateBook } from '../core/certificates.ts';
import { listenOn, peerOf } from '../core/listeners.ts';
import { nodeConnection } from '../core/sockets/node-connection.ts';
import { createTlsDoor, type TlsSettings } from '../core/tls-door.ts';
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
  readonly sessions: SessionParts;
}

export async function openStreamListeners(parts: StreamListenersParts): Promise<StreamListeners> {
  const servers: Server[] = [];
  const datagrams: UdpListening[] = [];
  const open = new Set<Socket>();
  const urls: string[] = [];
  const door = createTlsDoor(parts.certificates, parts.tlsOptions, (socket, ends, facts) => {
    const peer = peerOf(nodeConnection(socket).ends, ends, facts);
    if (parts.certificates.admitsPeer(peer)) void relayTcp(socket, peer, sessions);
    else socket.destroy();
  });

  const sessions = { ...parts.sessions, track };

  function track(socket: Socket): void {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  }

  function accept(socket: Socket, { isTls }: StreamListen): void {
    socket.setNoDelay(true);
    if (isTls) {
      // Its handshake may never end.
      track(socket);
      door.take(socket, undefined, []);
      return;
    }
    const peer = peerOf(nodeConnection(socket).ends, undefined);
    void relayTcp(socket, peer, sessions);
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
        { allowHalfOpen: true, pauseOnConnect: !listen.isTls },
        (socket) => accept(socket, listen),
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
