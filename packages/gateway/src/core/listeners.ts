import { createServer, isIP, type Server, type Socket } from 'node:net';
import type { Listen, ProxyListen } from '../config/config.ts';
import type { CertificateBook } from './certificates.ts';
import { type ClientParts, type SweptConnection, serveClient } from './http/client-connection.ts';
import { serveSession } from './http2/client-session.ts';
import { plainAddress } from './match/ip-range.ts';
import { type ProxiedEnds, parseProxyHeader } from './proxy-header.ts';
import type { Peer } from './request-context.ts';
import type { Connection, Ends } from './sockets/connection.ts';
import type { NativeListening, NativeSockets } from './sockets/native-sockets.ts';
import { nodeConnection } from './sockets/node-connection.ts';
import { createTlsDoor, type TlsSettings } from './tls-door.ts';

/** The sockets that clients come to. */
export interface Listeners {
  /** In the order they were asked for, with the ports that were given. */
  readonly bound: readonly (Listen & { readonly isTls: boolean })[];
  sweep(nowMs: number): void;
  /** Takes no more; resolves when every request is answered, or `graceMs` are over. */
  close(graceMs: number): Promise<void>;
}

export interface ListenersParts {
  readonly plain: readonly ProxyListen[];
  readonly tls: readonly ProxyListen[];
  readonly certificates: CertificateBook;
  readonly tlsOptions: TlsSettings;
  readonly client: ClientParts;
  /** They take plain clients that speak HTTP/1.1 from the first octet; all others are Node's. */
  readonly native: NativeSockets | undefined;
}

/** What a client that knows HTTP/2 sends first. Source: RFC 9113 §3.4. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export async function openListeners(parts: ListenersParts): Promise<Listeners> {
  const open = new Set<SweptConnection>();
  /** Those whose handshake may not be over. */
  const secured = new Set<Socket>();
  const servers: Server[] = [];
  const natives: NativeListening[] = [];
  const bound: (Listen & { readonly isTls: boolean })[] = [];
  const { settings, now } = parts.client;
  const door = createTlsDoor(parts.certificates, parts.tlsOptions, (socket, ends, facts) => {
    const peer = peerOf(nodeConnection(socket).ends, ends, facts);
    if (!parts.certificates.admitsPeer(peer)) socket.destroy();
    else serve(socket, peer, facts.isHttp2);
  });

  function keep(socket: Socket, swept: SweptConnection): void {
    open.add(swept);
    socket.once('close', () => open.delete(swept));
  }

  function serve(socket: Socket, peer: Peer, isHttp2: boolean): void {
    if (isHttp2) keep(socket, serveSession(socket, peer, parts.client));
    else serveConnection(nodeConnection(socket), peer);
  }

  function serveConnection(connection: Connection, peer: Peer): void {
    const swept = serveClient(connection, peer, parts.client);
    open.add(swept);
    connection.onClosed(() => open.delete(swept));
  }

  /** `then` once enough of the first octets is there for `look` to say so; they stay to be read. */
  function peek(socket: Socket, look: (first: Buffer) => boolean): void {
    let first: Buffer = Buffer.alloc(0);
    const deadlineMs = now() + settings.headerTimeoutMs;
    const waiting: SweptConnection = {
      check: (nowMs) => void (nowMs >= deadlineMs && socket.destroy()),
      drain: () => void socket.destroy(),
      destroy: () => void socket.destroy(),
    };
    const end = (): void => void socket.destroy();
    const take = (bytes: Buffer): void => {
      first = first.length === 0 ? bytes : Buffer.concat([first, bytes]);
      socket.pause();
      socket.removeListener('data', take);
      open.delete(waiting);
      if (look(first)) return;
      open.add(waiting);
      socket.on('data', take);
      socket.resume();
    };
    socket.on('data', take);
    socket.on('error', end);
    keep(socket, waiting);
  }

  function acceptPlain(socket: Socket, ends: ProxiedEnds | undefined, isHttp2: boolean): void {
    const peer = peerOf(nodeConnection(socket).ends, ends);
    if (!isHttp2) {
      serve(socket, peer, false);
      return;
    }
    peek(socket, (first) => {
      const text = first.toString('latin1', 0, PREFACE.length);
      const isPreface = text === PREFACE;
      if (!isPreface && PREFACE.startsWith(text)) return false;
      socket.unshift(first);
      serve(socket, peer, isPreface);
      if (!isPreface) socket.resume();
      return true;
    });
  }

  function accept(socket: Socket, listen: ProxyListen, isTls: boolean): void {
    socket.setNoDelay(true);
    if (isTls) {
      secured.add(socket);
      socket.once('close', () => secured.delete(socket));
    }
    const next = (ends: ProxiedEnds | undefined): void => {
      if (isTls) door.take(socket, ends, listen.isHttp2 ? ['h2', 'http/1.1'] : ['http/1.1']);
      else acceptPlain(socket, ends, listen.isHttp2);
    };
    if (!listen.isBehindProxy) {
      next(undefined);
      return;
    }
    peek(socket, (first) => {
      const header = parseProxyHeader(first);
      if (header.kind === 'need-more') return false;
      if (header.kind === 'invalid') socket.destroy();
      else {
        if (header.size < first.length) socket.unshift(first.subarray(header.size));
        next(header.ends);
        if (!isTls) socket.resume();
      }
      return true;
    });
  }

  const wanted = [
    ...parts.plain.map((listen) => ({ listen, isTls: false })),
    ...parts.tls.map((listen) => ({ listen, isTls: true })),
  ];
  try {
    for (const { listen, isTls } of wanted) {
      const { ip } = listen;
      const port = isTls || !isPlain(listen) ? await openServer(listen, isTls) : openNative(listen);
      bound.push({ ip, port: port ?? (await openServer(listen, isTls)), isTls });
    }
  } catch (error) {
    for (const server of servers) server.close();
    for (const listening of natives) void listening.close();
    throw error;
  }

  function openServer(listen: ProxyListen, isTls: boolean): Promise<number> {
    const server = createServer({ allowHalfOpen: !isTls }, (socket) =>
      accept(socket, listen, isTls),
    );
    servers.push(server);
    return listenOn(server, listen);
  }

  function openNative({ ip, port }: ProxyListen): number | undefined {
    const listening = parts.native?.listen(ip, port, (connection) =>
      serveConnection(connection, peerOf(connection.ends, undefined)),
    );
    if (listening !== undefined) natives.push(listening);
    return listening?.port;
  }

  return {
    bound,
    sweep(nowMs) {
      for (const connection of open) connection.check(nowMs);
    },
    async close(graceMs) {
      const closed: Promise<unknown>[] = servers.map(
        (server) => new Promise((resolve) => server.close(resolve)),
      );
      closed.push(...natives.map((listening) => listening.close()));
      for (const connection of open) connection.drain();
      const timer = setTimeout(() => {
        for (const connection of open) connection.destroy();
        for (const socket of secured) socket.destroy();
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

/** Where clients come to, for people. */
export function proxyUrl({ ip, port }: Listen, isTls: boolean): string {
  return `${isTls ? 'https' : 'http'}://${ip}:${port}`;
}

type TlsFacts = Pick<Peer, 'serverName' | 'tlsVersion' | 'clientChain'>;

function isPlain({ ip, isHttp2, isBehindProxy }: ProxyListen): boolean {
  return !isHttp2 && !isBehindProxy && isIP(ip) !== 0;
}

/** A client as its socket and the handshake show it; `ends` are those that PROXY has told of. */
export function peerOf(own: Ends, ends: ProxiedEnds | undefined, tls?: TlsFacts): Peer {
  return {
    address: plainAddress(ends?.address ?? own.remoteAddress),
    port: ends?.port ?? own.remotePort,
    localAddress: plainAddress(ends?.localAddress ?? own.localAddress),
    localPort: ends?.localPort ?? own.localPort,
    isTls: tls !== undefined,
    serverName: tls?.serverName,
    tlsVersion: tls?.tlsVersion,
    clientChain: tls?.clientChain,
  };
}
