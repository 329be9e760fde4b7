import {
  adoptProtocol,
  createFlowConnection,
  type Direction,
  type FlowConnection,
  moveConnection,
  NONE_EARLY,
} from './connection.ts';
import { createConnectionTable } from './connection-table.ts';
import { createFlowCounters } from './counters.ts';
import { heldTransfer, isEarlyAnswer } from './early-answer.ts';
import { createFastcgiProtocol } from './fastcgi.ts';
import { createHttp1Protocol } from './http1.ts';
import { DEFAULT_HEADERS, FLOW_LIMITS, type Flow, type FlowOptions } from './options.ts';
import { createPairing, otherDirection, type Place } from './pairing.ts';
import { createPostgresqlProtocol } from './postgresql.ts';
import type { Protocol, ProtocolName } from './protocol.ts';
import { recogniseRequest } from './recognise.ts';
import { createRedisProtocol } from './redis.ts';
import { createFlowText } from './text.ts';
import {
  DIRECTION_OUT,
  TRANSFER_CLOSE,
  TRANSFER_CONNECT,
  TRANSFER_DATA,
  type Transfer,
} from './transfer.ts';

export type { FlowCounters } from './counters.ts';
export type { Flow, FlowLimits, FlowOptions } from './options.ts';

const NS_PER_MS = 1e6;
const FLUSH_EVERY_NS = 1e9;
/** The kernel does not tell who closes a unix-domain stream: one that rests is taken to be over. */
const UNIX_IDLE_NS = 10e9;

export function createFlow(options: FlowOptions): Flow {
  const limits = { ...FLOW_LIMITS, ...options.limits };
  const counters = createFlowCounters();
  const table = createConnectionTable(limits.connectionsMax, (dropped) => {
    counters.connectionsDropped += 1;
    finish(dropped);
  });
  const place = {} as Place; // Set before each call of a protocol.
  const pairing = createPairing(place, counters, { ...options, limits });
  const text = createFlowText();
  const heads = {
    headers: (options.headers ?? DEFAULT_HEADERS).map(normalName),
    headersRedacted: options.headersRedacted ?? [],
    headBytesMax: limits.headBytesMax,
    text,
  };
  const protocols: Readonly<Record<ProtocolName, Protocol>> = {
    http1: createHttp1Protocol(place, pairing, counters, heads),
    fastcgi: createFastcgiProtocol(place, pairing, heads),
    redis: createRedisProtocol(place, pairing, text),
    postgresql: createPostgresqlProtocol(place, pairing, text),
  };
  let flushedNs = -Infinity;

  function transfer(now: Transfer): void {
    counters.transfers += 1;
    const found = table.get(now.connection);
    if (now.kind !== TRANSFER_DATA) {
      lifecycle(found, now);
      return;
    }
    const of = found ?? table.add(createFlowConnection(now, protocols.http1));
    of.wasUsed = true;
    of.lastNs = now.atNs;
    if (now.pid !== of.shown.pid && now.pid !== 0) moveConnection(of, now);
    if (of.isOpaque) return;
    if (isEarlyAnswer(of, now)) of.early = [...of.early, heldTransfer(now)];
    else if (of.early.length > 0) settle(of, now);
    else take(of, now);
  }

  /** Puts an answer that was told of early behind the request that `now` is, if it is one. */
  function settle(of: FlowConnection, now: Transfer): void {
    const isAsked =
      now.direction === DIRECTION_OUT &&
      now.sequence === of.outgoing.nextSequence &&
      now.lostBefore === 0;
    if (isAsked) {
      now.atNs = Math.min(now.atNs, of.early[0]?.atNs ?? Infinity);
      take(of, now);
    }
    release(of);
    if (!isAsked) take(of, now);
  }

  /** What was held goes its way. */
  function release(of: FlowConnection): void {
    const { early } = of;
    of.early = NONE_EARLY;
    for (const held of early) take(of, held);
  }

  function take(of: FlowConnection, now: Transfer): void {
    const isOut = now.direction === DIRECTION_OUT;
    if (!of.hasMessages) recognise(of, now);
    const to = isOut ? of.outgoing : of.incoming;
    if (to.nextSequence !== now.sequence || now.lostBefore > 0) mind(of, to, now);
    if (of.lastDirection !== now.direction) {
      of.lastDirection = now.direction;
      turn(of, isOut ? of.incoming : of.outgoing);
    }
    to.nextSequence = now.sequence === 0 ? -1 : (now.sequence + now.length) >>> 0;
    to.lastNs = now.atNs;
    place.connection = of;
    place.direction = to;
    place.transfer = now;
    const captured = Math.min(now.captured, now.length);
    of.protocol.push(to.stream, now.bytes, now.bytesAt, now.bytesAt + captured);
    if (now.length > captured) of.protocol.gap(to.stream, now.length - captured);
    if (of.protocol.isHidden?.(to.stream) === true) options.onHidden?.(of.shown, now);
  }

  /** As long as nothing was understood, a connection may turn out to speak another protocol. */
  function recognise(of: FlowConnection, now: Transfer): void {
    const name = recogniseRequest(now);
    if (name === undefined || name === of.protocol.name) return;
    const { role } = of.shown;
    const isOut = now.direction === DIRECTION_OUT;
    adoptProtocol(of, protocols[name], role === 'unknown' ? isOut : role === 'client');
    if (of.opaque === undefined) return;
    counters.opaque[of.opaque] -= 1;
    of.opaque = undefined;
  }

  /** Bytes are missing: counted as a gap where the sequence tells how many, else the place is lost. */
  function mind(of: FlowConnection, to: Direction, now: Transfer): void {
    const isKnown = to.nextSequence >= 0 && now.sequence !== 0;
    const missing = isKnown ? (now.sequence - to.nextSequence) | 0 : 0;
    if (missing === 0 && now.lostBefore === 0) return;
    counters.losses += 1;
    of.isLossy = true;
    of.isLossFresh = true;
    of.lossNs = now.atNs;
    if (of.protocol.isHidden !== undefined) options.onHidden?.(of.shown, now);
    const other = otherDirection(of, to);
    const { protocol } = of;
    if (missing > 0) aim(of, to, now, () => protocol.gap(to.stream, missing));
    else if (missing < 0) aim(of, to, now, () => protocol.lose(to.stream));
    else if (!isKnown && to.nextSequence < 0 && now.sequence === 0) {
      aim(of, to, now, () => protocol.lose(to.stream));
      aim(of, other, now, () => protocol.lose(other.stream));
    }
    // The other side may have spoken unseen, so this may be the beginning of a message.
    if (of.lastDirection !== now.direction || now.lostBefore > 0) turn(of, to);
  }

  function aim(of: FlowConnection, to: Direction, now: Transfer, act: () => void): void {
    place.connection = of;
    place.direction = to;
    place.transfer = now;
    act();
  }

  function turn(of: FlowConnection, to: Direction): void {
    place.connection = of;
    place.direction = to;
    of.protocol.turn(to.stream);
  }

  function lifecycle(found: FlowConnection | undefined, now: Transfer): void {
    if (now.kind === TRANSFER_CONNECT) {
      if (found !== undefined) drop(found);
      const of = table.add(createFlowConnection(now, protocols.http1));
      of.connectCauseId = now.causeId;
    } else if (found !== undefined) {
      if (now.kind === TRANSFER_CLOSE) drop(found);
      else if (now.direction === DIRECTION_OUT) closeDirection(found, found.outgoing);
      else peerEnded(found);
    }
  }

  /** A server that has sent its last byte answers nothing more; a client may still wait. */
  function peerEnded(of: FlowConnection): void {
    closeDirection(of, of.incoming);
    if (of.shown.role === 'client') pairing.giveUpAll(of);
  }

  function drop(of: FlowConnection): void {
    table.remove(of);
    finish(of);
  }

  function finish(of: FlowConnection): void {
    closeDirection(of, of.incoming);
    closeDirection(of, of.outgoing);
    pairing.giveUpAll(of);
    if (!of.hasMessages && of.troubleCount > 0) counters.connectionsUnknown += 1;
  }

  function closeDirection(of: FlowConnection, to: Direction): void {
    release(of);
    place.connection = of;
    place.direction = to;
    of.protocol.close(to.stream);
  }

  function flush(nowNs: number): void {
    if (nowNs - flushedNs < FLUSH_EVERY_NS) return;
    flushedNs = nowNs;
    for (const of of table.all()) {
      for (const waiting of of.waiting) {
        if (nowNs - waiting.request.startNs < limits.requestTimeoutMs * NS_PER_MS) break;
        pairing.giveUp(of, waiting);
      }
      if (nowNs - of.lastNs < limits.settleMs * NS_PER_MS) continue;
      release(of);
      turn(of, of.incoming);
      turn(of, of.outgoing);
      if (of.shown.isUnix && of.waiting.length === 0 && nowNs - of.lastNs > UNIX_IDLE_NS) drop(of);
    }
  }

  return {
    transfer,
    flush,
    counters: () => ({
      ...counters,
      opaque: { ...counters.opaque },
      troubles: { ...counters.troubles },
      open: table.size(),
    }),
    interrupt() {
      for (const of of [...table.all()]) {
        of.isLossy = true;
        of.lossNs = Infinity;
        drop(of);
      }
    },
    close() {
      for (const of of [...table.all()]) drop(of);
    },
  };
}

function normalName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
