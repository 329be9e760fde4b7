import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { Listen } from '../config/config.ts';
import type { CertificateBook } from './certificates.ts';
import { type ClientParts, type SweptConnection, serveClient } from './http/client-connection.ts';
import { plainAddress } from './match/ip-range.ts';
import type { Peer } from './request-context.ts';

/** The sockets that clients come to. */
export interface Listeners {
  /** In the order they were asked for, with the ports that were given. */
  readonly bound: readonly (Listen & { readonly isTls: boolean })[];
  sweep(nowMs: number): void;
  /** Takes no more; resolves when every request is answered, or `graceMs` are over. */
  close(graceMs: number): Promise<void>;
}

export interface ListenersParts {
  readonly plain: readonly Listen[];
  readonly tls: readonly Listen[];
  readonly certificates: CertificateBook;
  readonly fallbackName: string | undefined;
  readonly client: ClientParts;
}

export async function openListeners(parts: ListenersParts): Promise<Listeners> {
  const open = new Set<SweptConnection>();
  const servers: Server[] = [];
  const bound: (Listen & { readonly isTls: boolean })[] = [];

  function accept(socket: Socket): void {
    socket.setNoDelay(true);
    const swept = serveClient(socket, peerOf(socket), parts.client);
    open.add(swept);
    socket.once('close', () => open.delete(swept));
  }

  function tlsServer(): Server {
    return createTlsServer(
      {
        ALPNProtocols: ['http/1.1'],
        SNICallback: (name, done) => {
          const context = parts.certificates.contextFor(
            name === '' ? (parts.fallbackName ?? '') : name,
          );
          if (context === undefined) done(new Error(`no certificate for "${name}"`));
          else done(null, context);
        },
      },
      accept,
    ).on('tlsClientError', (_error, socket) => socket.destroy());
  }

  const wanted = [
    ...parts.plain.map((listen) => ({ listen, isTls: false })),
    ...parts.tls.map((listen) => ({ listen, isTls: true })),
  ];
  try {
    for (const { listen, isTls } of wanted) {
      const server = isTls ? tlsServer() : createServer({ allowHalfOpen: true }, accept);
      servers.push(server);
      bound.push({ ip: listen.ip, port: await listenOn(server, listen), isTls });
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }

  return {
    bound,
    sweep(nowMs) {
      for (const connection of open) connection.check(nowMs);
    },
    async close(graceMs) {
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      for (const connection of open) connection.drain();
      const timer = setTimeout(() => {
        for (const connection of open) connection.destroy();
      }, graceMs);
      await Promise.all(closed);
      clearTimeout(timer);
    },
  };
}

/** Resolves with the port; rejects when it is taken. */
export function listenOn(server: Server, { ip, port }: Listen): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: ip, port }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function peerOf(socket: Socket): Peer {
  const tls = socket instanceof TLSSocket ? socket : undefined;
  return {
    address: plainAddress(socket.remoteAddress ?? ''),
    port: socket.remotePort ?? 0,
    localAddress: plainAddress(socket.localAddress ?? ''),
    localPort: socket.localPort ?? 0,
    isTls: tls !== undefined,
    serverName: serverNameOf(tls),
    tlsVersion: tls?.getProtocol() ?? undefined,
  };
}

/** Node has the name on the socket, and its types do not say so. */
function serverNameOf(socket: TLSSocket | undefined): string | undefined {
  if (socket === undefined || !('servername' in socket)) return undefined;
  return typeof socket.servername === 'string' ? socket.servername : undefined;
}
