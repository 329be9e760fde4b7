import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { UpstreamConnection } from '../http/upstream-connection.ts';
import { clientTls, type Destination, type UpstreamPool } from '../http/upstream-pool.ts';
import { openUpstreamStream } from './upstream-stream.ts';

/** As many as the peers' usual limit; what a node allows itself is less or more, never unbounded. */
const STREAMS_MAX = 100;

/** One connection to a node, with what waits for it to be there. */
export interface UpstreamSession {
  readonly session: ClientHttp2Session;
  isConnected(): boolean;
  /** Calls back once connected, or when that has failed. */
  whenReady(ready: (isUp: boolean) => void): void;
}

interface Kept extends UpstreamSession {
  streams: number;
  served: number;
  untilMs: number;
}

/** Connections that speak HTTP/2 to nodes of scheme `grpc` and `grpcs`, each for many requests. */
export function createUpstreamSessions(now: () => number): UpstreamPool {
  const byKey = new Map<string, Kept[]>();
  const all = new Set<UpstreamConnection>();

  function open(to: Destination): Kept {
    const waiting: ((isUp: boolean) => void)[] = [];
    let state: 'connecting' | 'up' | 'down' = 'connecting';
    const settle = (next: 'up' | 'down'): void => {
      if (state === 'down') return;
      state = next;
      for (const ready of waiting.splice(0)) ready(next === 'up');
    };
    const socket = socketTo(to);
    const session = connect(to.tls === undefined ? 'http://node' : 'https://node', {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    const kept: Kept = {
      session,
      streams: 0,
      served: 0,
      untilMs: now() + to.idleMs,
      isConnected: () => state === 'up',
      whenReady(ready) {
        if (state === 'connecting') waiting.push(ready);
        else ready(state === 'up');
      },
    };
    const forget = (): void => {
      settle('down');
      const list = byKey.get(to.key)?.filter((one) => one !== kept) ?? [];
      if (list.length === 0) byKey.delete(to.key);
      else byKey.set(to.key, list);
    };
    session.once('connect', () => settle('up'));
    session.once('goaway', forget);
    session.once('close', forget);
    session.on('error', () => {
      forget();
      session.destroy();
    });
    byKey.set(to.key, [...(byKey.get(to.key) ?? []), kept]);
    return kept;
  }

  return {
    take(to) {
      const kept =
        byKey.get(to.key)?.find(({ streams, served, session }) => {
          const max = Math.min(STREAMS_MAX, session.remoteSettings.maxConcurrentStreams ?? 100);
          return streams < max && served < to.requestsMax && !session.closed;
        }) ?? open(to);
      kept.streams += 1;
      kept.served += 1;
      const connection = openUpstreamStream(kept, to.connectMs, now, () => {
        if (!all.delete(connection)) return;
        kept.streams -= 1;
        kept.untilMs = now() + to.idleMs;
      });
      all.add(connection);
      return connection;
    },
    sweep(nowMs) {
      for (const connection of all) connection.check(nowMs);
      for (const list of byKey.values()) {
        for (const { streams, untilMs, session } of list) {
          if (streams === 0 && untilMs <= nowMs) session.close();
        }
      }
    },
    close() {
      for (const list of [...byKey.values()]) for (const { session } of list) session.destroy();
    },
  };
}

function socketTo({ address: host, port, tls }: Destination): Socket {
  if (tls === undefined) return connectTcp({ host, port, noDelay: true });
  return connectTls({
    host,
    port,
    ALPNProtocols: ['h2'],
    ...clientTls(tls),
  });
}
