import { isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Connection } from '../sockets/connection.ts';
import { nodeConnection } from '../sockets/node-connection.ts';
import {
  openUpstreamConnection,
  type UpstreamConnection,
  type UpstreamConnectionParts,
} from './upstream-connection.ts';

/** Where and how to connect; connections of equal `key` may stand for each other. */
export interface Destination {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Spoken with HTTP/2: schemes `grpc` and `grpcs`. */
  readonly isHttp2: boolean;
  readonly tls: TlsDestination | undefined;
  readonly connectMs: number;
  readonly idleMax: number;
  readonly idleMs: number;
  readonly requestsMax: number;
}

export interface TlsDestination {
  readonly serverName: string;
  readonly cert: string | undefined;
  readonly privateKey: string | undefined;
  readonly verify: boolean;
}

export interface UpstreamPool {
  take(destination: Destination): UpstreamConnection;
  /** Ends what is idle too long and fails what takes too long; called often. */
  sweep(nowMs: number): void;
  close(): void;
}

interface Idle {
  readonly connection: UpstreamConnection;
  readonly untilMs: number;
}

/** Idle connections are reused newest first, so that the rest can end by age. */
export function createUpstreamPool(
  now: () => number,
  connect: (address: string, port: number) => Connection,
): UpstreamPool {
  const all = new Set<UpstreamConnection>();
  const idle = new Map<string, Idle[]>();

  function forget(key: string, connection: UpstreamConnection): void {
    all.delete(connection);
    const list = idle.get(key);
    const at = list?.findIndex((one) => one.connection === connection) ?? -1;
    if (at >= 0) list?.splice(at, 1);
    if (list?.length === 0) idle.delete(key);
  }

  function keep(to: Destination, connection: UpstreamConnection, served: number): void {
    const list = idle.get(to.key);
    if (served >= to.requestsMax || (list?.length ?? 0) >= to.idleMax) {
      connection.destroy();
      return;
    }
    const kept = { connection, untilMs: now() + to.idleMs };
    if (list === undefined) idle.set(to.key, [kept]);
    else list.push(kept);
  }

  function open(to: Destination): UpstreamConnection {
    const parts: UpstreamConnectionParts = {
      connectMs: to.connectMs,
      now,
      idle: (one, served) => keep(to, one, served),
      gone: (one) => forget(to.key, one),
    };
    const socket = to.tls === undefined ? connect(to.address, to.port) : connectSecured(to, to.tls);
    const connection = openUpstreamConnection(socket, parts);
    all.add(connection);
    return connection;
  }

  return {
    take(to) {
      const list = idle.get(to.key);
      const newest = list?.pop();
      return newest?.connection ?? open(to);
    },
    sweep(nowMs) {
      for (const connection of all) connection.check(nowMs);
      for (const list of idle.values()) {
        for (const { connection, untilMs } of [...list]) if (untilMs <= nowMs) connection.destroy();
      }
    },
    close() {
      for (const connection of [...all]) connection.destroy();
    },
  };
}

function connectSecured({ address: host, port }: Destination, tls: TlsDestination): Connection {
  const socket = connectTls({ host, port, ALPNProtocols: ['http/1.1'], ...clientTls(tls) });
  return nodeConnection(socket, 'secureConnect');
}

/** What this side of a handshake says and asks for. */
export function clientTls({
  serverName,
  cert,
  privateKey,
  verify,
}: TlsDestination): ConnectionOptions {
  return {
    rejectUnauthorized: verify,
    // RFC 6066 §3: an address is no server name.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    ...(cert === undefined ? {} : { cert }),
    ...(privateKey === undefined ? {} : { key: privateKey }),
  };
}
