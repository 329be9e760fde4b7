import { constants, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ClientParts, SweptConnection } from '../http/client-connection.ts';
import { HEAD_LIMITS } from '../http/head.ts';
import type { Peer } from '../request-context.ts';
import { type ServedStream, serveStream } from './client-stream.ts';
import { requestHeadOf } from './request-head.ts';

/** As nginx's http2_max_concurrent_streams. */
const STREAMS_MAX = 128;

/** A client that speaks HTTP/2, by ALPN or from the first octet. Framing and flow are Node's. */
export function serveSession(socket: Socket, peer: Peer, parts: ClientParts): SweptConnection {
  const { settings, counters, now } = parts;
  const streams = new Set<ServedStream>();
  let idleUntilMs = now() + settings.headerTimeoutMs;
  const session = performServerHandshake(socket, {
    maxHeaderListPairs: HEAD_LIMITS.fieldsMax,
    settings: {
      maxConcurrentStreams: STREAMS_MAX,
      maxHeaderListSize: HEAD_LIMITS.headBytesMax,
      enablePush: false,
    },
  });
  counters.accepted += 1;
  counters.active += 1;
  counters.waiting += 1;

  function serve(
    stream: ServerHttp2Stream,
    _headers: unknown,
    flags: number,
    raw: readonly string[],
  ): void {
    stream.on('error', () => undefined);
    const isBodyless = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const head = requestHeadOf(raw, isBodyless);
    if (head === undefined) {
      counters.refused += 1;
      stream.respond({ ':status': 400 }, { endStream: true });
      stream.close(constants.NGHTTP2_NO_ERROR);
      return;
    }
    counters.requests += 1;
    if (streams.size === 0) counters.waiting -= 1;
    const served = serveStream(stream, head, peer, parts);
    streams.add(served);
    stream.once('close', () => {
      streams.delete(served);
      if (streams.size > 0 || session.destroyed) return;
      counters.waiting += 1;
      idleUntilMs = now() + settings.keepAliveTimeoutMs;
    });
  }

  session.on('stream', serve);
  session.on('error', () => session.destroy());
  socket.on('error', () => session.destroy());
  session.once('close', () => {
    counters.active -= 1;
    if (streams.size === 0) counters.waiting -= 1;
    socket.destroy();
  });

  return {
    check(nowMs) {
      for (const stream of streams) stream.check(nowMs);
      if (streams.size === 0 && nowMs >= idleUntilMs) session.destroy();
    },
    // GOAWAY; streams under way are answered.
    drain: () => session.close(),
    destroy: () => session.destroy(),
  };
}
