import type { Direction, FlowConnection, Mutable, Waiting } from './connection.ts';
import type { CountingFlow } from './counters.ts';
import type { Exchange, RequestPart, ResponsePart } from './exchange.ts';
import { measure } from './message.ts';
import { opaqueReason } from './opaque.ts';
import type { FlowLimits, FlowOptions } from './options.ts';
import type { Trouble } from './protocol.ts';
import { CAUSE_CONNECT, type Transfer } from './transfer.ts';

/** What the calls of a protocol are about: set before each call of it. */
export interface Place {
  connection: FlowConnection;
  direction: Direction;
  /** What is being pushed; absent at the end of a connection. */
  transfer: Transfer | undefined;
}

/** Hears of messages and pairs requests with answers, first in first out on each connection. */
export interface Pairing {
  /** A message's first byte is `offset` bytes into what is being pushed. */
  start(offset: number): void;
  /** The request that began is known; more of it may follow. */
  asked(part: Mutable<RequestPart>): void;
  /** The answer that began is known. Answers the place of its request, if one waited. */
  answered(part: Mutable<ResponsePart>): Waiting | undefined;
  /** What was asked or answered in this direction is over. */
  end(): void;
  trouble(reason: Trouble): void;
}

/** Turns of what is not understood before a connection is no longer looked at. */
const TROUBLE_MAX = 16;

/** Pairs messages, and gives up what waits in vain. */
export interface FlowPairing extends Pairing {
  /** The request's row goes out without an answer. */
  giveUp(of: FlowConnection, waiting: Waiting): void;
  giveUpAll(of: FlowConnection): void;
}

export function createPairing(
  place: Place,
  counters: CountingFlow,
  { onRequest, onExchange, limits }: FlowOptions & { readonly limits: FlowLimits },
): FlowPairing {
  function start(offset: number): void {
    const { direction, transfer } = place;
    if (transfer === undefined) return;
    direction.startNs = transfer.atNs;
    direction.startSequence = (transfer.sequence + offset) >>> 0;
    direction.startAnswerSequence = transfer.answerSequence;
    direction.startTid = transfer.tid;
    direction.startTurnId = transfer.turnId;
    direction.startCauseId = transfer.causeId;
    direction.startCauseKind = transfer.causeKind;
  }

  /** The traffic itself tells the role where the kernel does not. */
  function understood(of: FlowConnection, isClient: boolean): void {
    of.hasMessages = true;
    if (of.shown.role !== 'unknown') return;
    of.shown = { ...of.shown, role: isClient ? 'client' : 'server' };
  }

  function asked(part: Mutable<RequestPart>): void {
    const { connection: of, direction: from } = place;
    understood(of, from === of.outgoing);
    counters.requests += 1;
    if (of.isLossFresh) {
      // Answers may be among what was lost: pairing starts anew with this request.
      of.isLossFresh = false;
      giveUpAll(of);
    }
    if (of.connectCauseId !== 0) {
      if (part.causeId === 0 && from === of.outgoing) {
        part.causeId = of.connectCauseId;
        part.causeKind = CAUSE_CONNECT;
      }
      of.connectCauseId = 0;
    }
    // The answers before this one's come first.
    if (of.waiting.length > 0) part.answerSequence = 0;
    from.request = part;
    of.waiting.push({ request: part, isGivenUp: false });
    if (of.waiting.length > limits.pipelinedMax) {
      counters.pipelinedDropped += 1;
      const oldest = of.waiting.shift();
      if (oldest !== undefined) giveUp(of, oldest);
    }
    onRequest?.(of.shown, part);
  }

  function answered(part: Mutable<ResponsePart>): Waiting | undefined {
    const { connection: of, direction: from } = place;
    understood(of, from === of.incoming);
    counters.responses += 1;
    from.response = part;
    from.answered = of.waiting.shift();
    return from.answered;
  }

  function end(): void {
    const { connection, direction } = place;
    if (direction.request !== undefined) {
      measure(direction.request, direction);
      direction.request = undefined;
    }
    if (direction.response === undefined) return;
    measure(direction.response, direction);
    const isLate = direction.answered?.isGivenUp === true;
    const request = isLate ? undefined : direction.answered?.request;
    const answer = direction.response;
    direction.response = undefined;
    direction.answered = undefined;
    connection.answeredNs = answer.endNs;
    emit(connection, {
      connection: connection.shown,
      kind: request === undefined ? 'response' : 'session',
      request,
      response: answer,
      isLossy: connection.isLossy,
    });
  }

  function giveUpAll(of: FlowConnection): void {
    for (const waiting of of.waiting) giveUp(of, waiting);
    of.waiting.length = 0;
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

  function trouble(reason: Trouble): void {
    counters.troubles[reason] += 1;
    const { connection } = place;
    connection.troubleCount += 1;
    if (reason.startsWith('not-')) countOpaque(connection);
    if (reason === 'gap' && connection.hasMessages) connection.isLossy = true;
    if (!connection.hasMessages && connection.troubleCount >= TROUBLE_MAX) {
      connection.isOpaque = true;
    }
  }

  /** Once for each connection: by its first bytes, as long as nothing of it was understood. */
  function countOpaque(of: FlowConnection): void {
    const { transfer } = place;
    if (of.hasMessages || of.troubleCount > 1 || transfer === undefined) return;
    const { bytes, bytesAt, captured, length } = transfer;
    of.opaque = opaqueReason(bytes, bytesAt, bytesAt + Math.min(captured, length));
    counters.opaque[of.opaque] += 1;
  }

  return { start, asked, answered, end, trouble, giveUp, giveUpAll };
}

/** The direction of `of` that is not `one`. */
export function otherDirection(of: FlowConnection, one: Direction): Direction {
  return one === of.outgoing ? of.incoming : of.outgoing;
}
