import {
  BODY_FRAMED,
  BODY_NONE,
  BODY_TUNNEL,
  createHeaderTable,
  createHttp1Decoder,
  type Http1Head,
  type Http1Sink,
  type Http1Trouble,
} from '@thalweg/wire';
import {
  createFlowConnection,
  type Direction,
  type FlowConnection,
  moveConnection,
  type Waiting,
} from './connection.ts';
import { createConnectionTable } from './connection-table.ts';
import { createFlowCounters } from './counters.ts';
import type { Exchange } from './exchange.ts';
import { createMessageReader, MEANT_HEADERS, measure } from './message.ts';
import { opaqueReason } from './opaque.ts';
import { DEFAULT_HEADERS, FLOW_LIMITS, type Flow, type FlowOptions } from './options.ts';
import { createFlowText } from './text.ts';
import {
  CAUSE_CONNECT,
  DIRECTION_OUT,
  TRANSFER_CLOSE,
  TRANSFER_CONNECT,
  TRANSFER_DATA,
  type Transfer,
} from './transfer.ts';

export type { FlowCounters } from './counters.ts';
export type { Flow, FlowLimits, FlowOptions } from './options.ts';

/** Turns of something else than HTTP/1 before a connection is no longer looked at. */
const TROUBLE_MAX = 16;
const NS_PER_MS = 1e6;
const FLUSH_EVERY_NS = 1e9;

export function createFlow(options: FlowOptions): Flow {
  const limits = { ...FLOW_LIMITS, ...options.limits };
  const { onRequest, onExchange } = options;
  const names = (options.headers ?? DEFAULT_HEADERS).map(normalName);
  const reader = createMessageReader(new Set(names));
  const counters = createFlowCounters();
  const table = createConnectionTable(limits.connectionsMax, (dropped) => {
    counters.connectionsDropped += 1;
    finish(dropped);
  });
  const sink: Http1Sink = { start, head, end, trouble };
  const decoder = createHttp1Decoder({
    headers: createHeaderTable([...names, ...MEANT_HEADERS], options.headersRedacted),
    sink,
    text: createFlowText(),
    headBytesMax: limits.headBytesMax,
  });
  // What the sink's calls are about: set before each call of the decoder.
  let connection: FlowConnection | undefined;
  let direction: Direction | undefined;
  let transferSequence = 0;
  let transferNow: Transfer | undefined;
  let flushedNs = -Infinity;

  function transfer(now: Transfer): void {
    counters.transfers += 1;
    const found = table.get(now.connection);
    if (now.kind !== TRANSFER_DATA) {
      lifecycle(found, now);
      return;
    }
    const of = found ?? table.add(createFlowConnection(now));
    of.wasUsed = true;
    of.lastNs = now.atNs;
    if (now.pid !== of.shown.pid && now.pid !== 0) moveConnection(of, now);
    if (of.isOpaque) return;
    const isOut = now.direction === DIRECTION_OUT;
    const to = isOut ? of.outgoing : of.incoming;
    if (to.nextSequence !== now.sequence || now.lostBefore > 0) mind(of, to, now);
    if (of.lastDirection !== now.direction) {
      of.lastDirection = now.direction;
      turn(of, isOut ? of.incoming : of.outgoing);
    }
    to.nextSequence = now.sequence === 0 ? -1 : (now.sequence + now.length) >>> 0;
    to.lastNs = now.atNs;
    connection = of;
    direction = to;
    transferNow = now;
    transferSequence = now.sequence;
    const captured = Math.min(now.captured, now.length);
    decoder.push(to.http, now.bytes, now.bytesAt, now.bytesAt + captured);
    if (now.length > captured) decoder.gap(to.http, now.length - captured);
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
    const other = to === of.incoming ? of.outgoing : of.incoming;
    if (missing > 0) aim(of, to, now, () => decoder.gap(to.http, missing));
    else if (missing < 0) aim(of, to, now, () => decoder.lose(to.http));
    else if (!isKnown && to.nextSequence < 0 && now.sequence === 0) {
      aim(of, to, now, () => decoder.lose(to.http));
      aim(of, other, now, () => decoder.lose(other.http));
    }
    // The other side may have spoken unseen, so this may be the beginning of a message.
    if (of.lastDirection !== now.direction || now.lostBefore > 0) turn(of, to);
  }

  function aim(of: FlowConnection, to: Direction, now: Transfer, act: () => void): void {
    connection = of;
    direction = to;
    transferNow = now;
    transferSequence = now.sequence;
    act();
  }

  function turn(of: FlowConnection, to: Direction): void {
    connection = of;
    direction = to;
    decoder.turn(to.http);
  }

  function lifecycle(found: FlowConnection | undefined, now: Transfer): void {
    if (now.kind === TRANSFER_CONNECT) {
      if (found !== undefined) drop(found);
      const of = table.add(createFlowConnection(now));
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
    if (of.shown.role === 'client') giveUpAll(of);
  }

  function giveUpAll(of: FlowConnection): void {
    for (const waiting of of.waiting) giveUp(of, waiting);
    of.waiting.length = 0;
  }

  function drop(of: FlowConnection): void {
    table.remove(of.shown.id);
    finish(of);
  }

  function finish(of: FlowConnection): void {
    closeDirection(of, of.incoming);
    closeDirection(of, of.outgoing);
    giveUpAll(of);
    if (!of.hasHttp && of.troubleCount > 0) counters.connectionsUnknown += 1;
  }

  function closeDirection(of: FlowConnection, to: Direction): void {
    connection = of;
    direction = to;
    decoder.close(to.http);
  }

  function start(_stream: unknown, offset: number): void {
    if (direction === undefined || transferNow === undefined) return;
    direction.startNs = transferNow.atNs;
    direction.startSequence = (transferSequence + offset) >>> 0;
    direction.startTid = transferNow.tid;
    direction.startTurnId = transferNow.turnId;
    direction.startCauseId = transferNow.causeId;
    direction.startCauseKind = transferNow.causeKind;
  }

  function head(_stream: unknown, message: Http1Head): number {
    if (connection === undefined || direction === undefined) return BODY_FRAMED;
    const isOut = direction === connection.outgoing;
    connection.hasHttp = true;
    if (connection.shown.role === 'unknown') {
      const role = message.isRequest === isOut ? 'client' : 'server';
      connection.shown = { ...connection.shown, role };
    }
    if (message.isCut) counters.headsCut += 1;
    if (message.isRequest) return request(connection, direction, message);
    return response(connection, direction, message);
  }

  function request(of: FlowConnection, from: Direction, message: Http1Head): number {
    counters.requests += 1;
    if (of.isLossFresh) {
      // Answers may be among what was lost: pairing starts anew with this request.
      of.isLossFresh = false;
      giveUpAll(of);
    }
    const part = reader.request(message, from, of.answeredNs);
    if (of.connectCauseId !== 0) {
      if (part.causeId === 0 && from === of.outgoing) {
        part.causeId = of.connectCauseId;
        part.causeKind = CAUSE_CONNECT;
      }
      of.connectCauseId = 0;
    }
    from.request = part;
    of.waiting.push({ request: part, isGivenUp: false });
    if (of.waiting.length > limits.pipelinedMax) {
      counters.pipelinedDropped += 1;
      const oldest = of.waiting.shift();
      if (oldest !== undefined) giveUp(of, oldest);
    }
    onRequest?.(of.shown, part);
    return BODY_FRAMED;
  }

  function response(of: FlowConnection, from: Direction, message: Http1Head): number {
    // An interim answer is not the answer. Source: RFC 9110 §15.2.
    if (message.status < 200 && message.status !== 101) return BODY_NONE;
    counters.responses += 1;
    from.response = reader.response(message, from);
    if (of.waiting.length === 0) askedInPart(of, from);
    const answered = of.waiting.shift();
    from.answered = answered;
    const method = answered?.request.method;
    const isAgreed = message.status >= 200 && message.status < 300;
    if (message.status === 101 || (method === 'CONNECT' && isAgreed)) {
      counters.tunnels += 1;
      decoder.tunnel((from === of.outgoing ? of.incoming : of.outgoing).http);
      return BODY_TUNNEL;
    }
    return method === 'HEAD' ? BODY_NONE : BODY_FRAMED;
  }

  /** An answer to a request whose head did not end before: its rest was not captured. */
  function askedInPart(of: FlowConnection, from: Direction): void {
    direction = from === of.outgoing ? of.incoming : of.outgoing;
    decoder.cut(direction.http);
    direction = from;
  }

  function end(): void {
    if (connection === undefined || direction === undefined) return;
    if (direction.request !== undefined) {
      measure(direction.request, direction);
      direction.request = undefined;
    }
    if (direction.response === undefined) return;
    measure(direction.response, direction);
    const asked = direction.answered?.isGivenUp === true ? undefined : direction.answered?.request;
    const answer = direction.response;
    direction.response = undefined;
    direction.answered = undefined;
    connection.answeredNs = answer.endNs;
    emit(connection, {
      connection: connection.shown,
      kind: asked === undefined ? 'response' : 'session',
      request: asked,
      response: answer,
      isLossy: connection.isLossy,
    });
  }

  function giveUp(of: FlowConnection, waiting: Waiting): void {
    if (waiting.isGivenUp) return;
    waiting.isGivenUp = true;
    for (const from of [of.incoming, of.outgoing]) {
      if (from.request === waiting.request) measure(waiting.request, from);
    }
    emit(of, {
      connection: of.shown,
      kind: 'request',
      request: waiting.request,
      response: undefined,
      isLossy: of.isLossy,
    });
  }

  function emit(of: FlowConnection, exchange: Exchange): void {
    counters.exchanges += 1;
    if (exchange.kind !== 'session') counters.unpaired += 1;
    if (of.isLossy && (exchange.request?.startNs ?? -Infinity) >= of.lossNs) of.isLossy = false;
    onExchange(exchange);
  }

  function trouble(_stream: unknown, reason: Http1Trouble): void {
    counters.troubles[reason] += 1;
    if (connection === undefined) return;
    connection.troubleCount += 1;
    if (reason === 'not-http1') countOpaque(connection);
    if (reason === 'gap' && connection.hasHttp) connection.isLossy = true;
    if (!connection.hasHttp && connection.troubleCount >= TROUBLE_MAX) connection.isOpaque = true;
  }

  /** Once for each connection: by its first bytes, as long as nothing of it was HTTP/1. */
  function countOpaque(of: FlowConnection): void {
    if (of.hasHttp || of.troubleCount > 1 || transferNow === undefined) return;
    const { bytes, bytesAt, captured, length } = transferNow;
    counters.opaque[opaqueReason(bytes, bytesAt, bytesAt + Math.min(captured, length))] += 1;
  }

  function flush(nowNs: number): void {
    if (nowNs - flushedNs < FLUSH_EVERY_NS) return;
    flushedNs = nowNs;
    for (const of of table.all()) {
      for (const waiting of of.waiting) {
        if (nowNs - waiting.request.startNs < limits.requestTimeoutMs * NS_PER_MS) break;
        giveUp(of, waiting);
      }
      if (nowNs - of.lastNs < limits.settleMs * NS_PER_MS) continue;
      turn(of, of.incoming);
      turn(of, of.outgoing);
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
