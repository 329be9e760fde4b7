import {
  EVIDENCE_ANSWERED_IN_ORDER,
  EVIDENCE_ANSWERED_NEXT,
  EVIDENCE_THREAD_ORDER,
  LINK_SOLID,
} from '@thalweg/model';
import type { Connection, Exchange, RequestPart, ResponsePart } from '../flow/exchange.ts';
import { CAUSE_READ, CAUSE_THREAD, DIRECTION_OUT, type Transfer } from '../flow/transfer.ts';
import {
  addNamed,
  agrees,
  type Call,
  candidatesOf,
  compare,
  countRequest,
  decide,
  decided,
  forwardOf,
  isReuse,
  learnFrom,
  learnOrder,
  pendingFrom,
  settleDoubt,
  sharedBy,
} from './call.ts';
import type { Doubt, Link } from './link.ts';
import {
  abandonRequest,
  closeRequest,
  gather,
  isSingle,
  type OpenRequest,
  type OpenRequests,
  openRequest,
} from './open-request.ts';
import { connectionOf, createOpenTurns } from './open-turns.ts';
import { createProcessRequests } from './process-requests.ts';
import type { ResolverOptions } from './resolver-options.ts';
import { createThreadOrders, type Round } from './thread-order.ts';
import type { TracedExchange } from './traced-exchange.ts';
import { wireIdOf } from './wire-id.ts';

export type { TracedExchange } from './traced-exchange.ts';

export interface ResolverCounters {
  /** Calls whose parent was not known yet when the limit of waiting calls was reached. */
  readonly waitingDropped: number;
  /** Open requests forgotten because too many were open in one process. */
  readonly openDropped: number;
  readonly open: number;
  readonly waiting: number;
}

export interface Resolver {
  /** A request's head is complete: before its answer, and in the order of the transfers. */
  request(connection: Connection, request: RequestPart): void;
  exchange(exchange: Exchange): void;
  /** Any number of messages passed unseen. */
  hidden(connection: Connection, transfer: Transfer): void;
  /** Gives up waiting for evidence that did not come until now; `Infinity` at the end. */
  flush(nowNs: number): void;
  counters(): ResolverCounters;
}

/** Open requests held for one process; a process with more is counted, not guessed about. */
const OPEN_PER_PROCESS_MAX = 4096;
const WAITING_MAX = 65_536;
/** Connections whose last call is remembered; past it all are forgotten and learnt anew. */
const CONNECTIONS_MAX = 65_536;
/** An answer is usually passed on in the turn that read it; further calls may come before. */
const HOLD_NS = 1e9;
/** Calls one after the other for one request that backward evidence is carried over. */
const FOLLOWED_MAX = 64;
const NONE = [] as const;
const NOTHING = { supports: NONE, unnamedCount: 0 } as const;
const NO_LINK: Link<OpenRequest<Call>> = {
  parent: undefined,
  probability: 0,
  evidence: 0,
  alternatives: NONE,
};

/**
 * Finds the parent of each call: the open request of the same process that the evidence names. The
 * kernel stamps evidence, this room decides. There is evidence forwards, from what the thread did
 * before the call, and backwards, from the request that is answered right after the call's answer
 * was read. A call's row waits until its parent's identity is known, which is at the parent's answer.
 */
export function createResolver(
  onTraced: (traced: TracedExchange) => void,
  { hasLoopTurns = () => true, programOf, onCompared }: ResolverOptions = {},
): Resolver {
  const callByConnection = new Map<number, Call>();
  let held: Call[] = [];
  const processes = createProcessRequests<Call>(programOf, forgetTurn);
  const openTurns = createOpenTurns<OpenRequest<Call>>();
  const orders = createThreadOrders<OpenRequest<Call>, Call>({
    onCall: nameInOrder,
    onAnswer: claimInOrder,
    onNext: credit,
    isRequestOpen: ({ wireId: id }) => id === 0n,
    isCallOpen: ({ isEmitted }) => !isEmitted,
  });
  let openCount = 0;
  let waitingCount = 0;
  let waitingDropped = 0;
  let openDropped = 0;

  function request(connection: Connection, part: RequestPart): void {
    if (connection.role === 'server') open(connection, part);
    else if (connection.role === 'client') part.note = call(connection, part);
  }

  function forgetTurn(one: OpenRequest<Call>): void {
    openTurns.remove(one.request.turnId, one);
  }

  function open(connection: Connection, part: RequestPart): void {
    const of = processes.of(connection, part.startNs);
    if (of.count >= OPEN_PER_PROCESS_MAX) {
      openDropped += 1;
      return;
    }
    const one = openRequest(of, part);
    openCount += 1;
    part.note = one;
    orders.readRequest(part.tid, one);
    openTurns.add(part.turnId, one);
  }

  function call(connection: Connection, part: RequestPart): Call {
    const of = processes.of(connection, part.startNs);
    const opened = part.causeId === 0 ? undefined : openTurns.get(part.causeId);
    const follows = opened === undefined ? answeredCall(part.causeId, of) : undefined;
    const caused = opened ?? follows?.link.parent;
    const { supports, unnamedCount } =
      of.count === 0 ? NOTHING : gather(of, part, caused, threadDoubt(part));
    const truth = sharedBy(supports);
    const blind = truth === undefined ? undefined : blindOf(of, part, caused, truth);
    const named = forwardOf(blind === undefined ? supports : blind.supports);
    const forward = named?.candidate;
    if (named !== undefined) {
      named.candidate.namedCount += 1;
      if (!isReuse(named)) named.candidate.forwardCount += 1;
    }
    if (forward === undefined && isSingle(of) && of.oldest !== undefined) {
      of.oldest.singleCount += 1;
    }
    const made: Call = {
      kind: 'call',
      of,
      startNs: part.startNs,
      follows: pendingFrom(follows),
      unnamedCount,
      supports,
      blind,
      forward,
      backward: undefined,
      ordered: undefined,
      isOrderWhole: false,
      link: NO_LINK,
      decidedOn: undefined,
      decidedBy: undefined,
      exchange: undefined,
      wireId: 0n,
      isAnswerShared: false,
      unknownCount: 0,
      heldUntilNs: 0,
      isEmitted: false,
    };
    if (of.count > 0) decide(made);
    for (const { candidate } of supports) if (candidate.wireId === 0n) wait(made, candidate);
    orders.sendCall(part.tid, made);
    return made;
  }

  function threadDoubt({ causeKind, tid }: RequestPart): Doubt {
    if (causeKind === CAUSE_THREAD && orders.hasReadSeveral(tid)) return 'read-several';
    return hasLoopTurns() ? 'none' : 'loop-unseen';
  }

  function blindOf(
    of: OpenRequests<Call>,
    part: RequestPart,
    caused: OpenRequest<Call> | undefined,
    truth: OpenRequest<Call>,
  ): Call['blind'] {
    const { supports, unnamedCount } = gather(of, part, caused, threadDoubt(part), false);
    return { truth, supports, unnamedCount };
  }

  /** The one call whose answer was read in that turn, if it is its connection's last one. */
  function answeredCall(turnId: number, of: OpenRequests<Call>): Call | undefined {
    if (turnId === 0) return undefined;
    const found = callByConnection.get(connectionOf(turnId));
    if (found?.of !== of || found.isAnswerShared) return undefined;
    return found.exchange?.response?.turnId === turnId ? found : undefined;
  }

  function wait(made: Call, named: OpenRequest<Call>): void {
    if (waitingCount >= WAITING_MAX) {
      waitingDropped += 1;
      return;
    }
    made.unknownCount += 1;
    waitingCount += 1;
    named.waiting.push(made);
  }

  function exchange(done: Exchange): void {
    const id = wireIdOf(done);
    // Only this room sets it.
    const note = done.request?.note as OpenRequest<Call> | Call | undefined;
    if (done.request !== undefined) done.request.note = undefined;
    if (note?.kind === 'call') {
      answer(note, done, id);
      return;
    }
    if (note?.kind === 'open') close(note, id, done.response);
    else if (done.request === undefined) answeredUnseen(done);
    onTraced({
      exchange: done,
      wireId: id,
      parentWireId: 0n,
      probability: 0,
      evidence: 0,
      candidates: NONE,
    });
  }

  /** An answer whose request was not seen has its place in its thread's order all the same. */
  function answeredUnseen({ connection: { role }, response }: Exchange): void {
    if (response === undefined) return;
    if (role === 'server') orders.sendAnswer(response.tid, undefined);
    else if (role === 'client') orders.readAnswer(response.tid, undefined);
  }

  function hidden({ role }: Connection, { direction, tid }: Transfer): void {
    if (role !== 'client') return;
    if (direction === DIRECTION_OUT) orders.hideCalls(tid);
    else orders.readAnswer(tid, undefined);
  }

  function answer(made: Call, done: Exchange, id: bigint): void {
    made.exchange = done;
    made.wireId = id;
    const { response, connection } = done;
    if (response !== undefined) orders.readAnswer(response.tid, made);
    if (response !== undefined && made.supports.length > 0) made.of.trustCounts.answeredCalls += 1;
    if (response !== undefined && response.turnId !== 0) {
      if (callByConnection.size >= CONNECTIONS_MAX) callByConnection.clear();
      const before = callByConnection.get(connection.id);
      made.isAnswerShared = before?.exchange?.response?.turnId === response.turnId;
      callByConnection.set(connection.id, made);
      const isOpen = made.link.probability < LINK_SOLID && made.of.count > 0;
      if (isOpen && held.length < WAITING_MAX) {
        made.heldUntilNs = response.endNs + HOLD_NS;
        held.push(made);
      }
    }
    emitWhenDue(made);
  }

  function close(opened: OpenRequest<Call>, id: bigint, response: Exchange['response']): void {
    opened.wireId = id;
    openCount -= 1;
    if (response === undefined) {
      abandonRequest(opened);
      orders.abandonRequest(opened.request.tid);
    } else {
      closeRequest(opened);
      forgetTurn(opened);
      const last = lastRead(response, opened);
      orders.sendAnswer(response.tid, opened, last);
      if (last !== undefined && agrees(last, opened)) credit(last, opened);
      countRequest(opened);
    }
    for (const made of opened.waiting) {
      waitingCount -= 1;
      made.unknownCount -= 1;
      if (response !== undefined || made.exchange !== undefined) settleReuse(made, opened);
      emitWhenDue(made);
    }
    opened.waiting.length = 0;
  }

  /** Whether a call on a socket that was just freed was the request's own: is it answered first? */
  function settleReuse(made: Call, opened: OpenRequest<Call>): void {
    const doubted = made.supports.find(({ candidate }) => candidate === opened);
    if (made.isEmitted || doubted?.doubt !== 'pool-reuse') return;
    const doubt = made.exchange === undefined ? 'answered-early' : 'none';
    settleDoubt(made, opened, doubt);
    decide(made);
  }

  /** The call whose answer its thread had read last when it answered the request. */
  function lastRead(
    { causeId, causeKind }: ResponsePart,
    opened: OpenRequest<Call>,
  ): Call | undefined {
    if (causeKind !== CAUSE_READ) return undefined;
    const last = answeredCall(causeId, opened.of);
    return last === undefined || isBefore(last, opened) ? undefined : last;
  }

  /** The request was answered right after the call's answer was read: so it made the call. */
  function credit(last: Call, opened: OpenRequest<Call>): void {
    let made: Call | undefined = last;
    for (let count = 0; made !== undefined && count < FOLLOWED_MAX; count += 1) {
      if (isBefore(made, opened)) return;
      addClaim(made, opened, EVIDENCE_ANSWERED_NEXT);
      made = made.follows;
    }
  }

  /** In its thread's order the call was made for the request. Across rounds that says nothing alone. */
  function nameInOrder(made: Call, opened: OpenRequest<Call>, { isWhole }: Round): void {
    if (made.isEmitted || made.of !== opened.of) return;
    const isNew = !made.supports.some(({ candidate }) => candidate === opened);
    if (isNew && made.unnamedCount === 0) return; // Its ids rule it out.
    made.ordered = opened;
    made.isOrderWhole = isWhole;
    if (isWhole) addNamed(made, opened, EVIDENCE_THREAD_ORDER);
    if (isNew && opened.wireId === 0n) wait(made, opened);
  }

  /** In its thread's order the request was answered after the call's answer. */
  function claimInOrder(made: Call, opened: OpenRequest<Call>, round: Round): void {
    if (made.of !== opened.of || isBefore(made, opened)) return;
    learnOrder(made, opened, round);
    const isAcross = !round.isWhole || !made.isOrderWhole;
    if (made.ordered === opened) {
      addClaim(made, opened, EVIDENCE_THREAD_ORDER | EVIDENCE_ANSWERED_IN_ORDER, isAcross);
    } else if (round.isWhole) addClaim(made, opened, EVIDENCE_ANSWERED_IN_ORDER);
  }

  function addClaim(
    made: Call,
    opened: OpenRequest<Call>,
    kind: number,
    isAcrossRounds = false,
  ): void {
    if (made.isEmitted) return;
    addNamed(made, opened, kind, isAcrossRounds);
    decide(made);
    if (made.link.probability >= LINK_SOLID) made.heldUntilNs = 0;
    emitWhenDue(made);
  }

  function flush(nowNs: number): void {
    let due = 0;
    for (const made of held) {
      if (made.heldUntilNs > nowNs) break;
      due += 1;
      if (made.heldUntilNs > 0 && made.exchange?.response !== undefined) {
        orders.rest(made.exchange.response.tid);
      }
      made.heldUntilNs = 0;
      emitWhenDue(made);
    }
    if (due > 0) held = held.slice(due);
  }

  function emitWhenDue(made: Call): void {
    const { exchange: done } = made;
    if (done === undefined || made.isEmitted || made.heldUntilNs > 0) return;
    let { link } = made;
    const isKnown = link.probability >= LINK_SOLID && link.parent?.wireId !== 0n;
    if (!isKnown && made.unknownCount > 0) return;
    made.isEmitted = true;
    made.follows = pendingFrom(made.follows);
    learnFrom(made);
    if (made.blind !== undefined) onCompared?.(done.connection, compare(made.blind, made.of));
    link = decided(made);
    const parentWireId = link.parent?.wireId ?? 0n;
    onTraced({
      exchange: done,
      wireId: made.wireId,
      parentWireId,
      probability: parentWireId === 0n ? 0 : link.probability,
      evidence: parentWireId === 0n ? 0 : link.evidence,
      candidates: link.alternatives.length === 0 ? NONE : candidatesOf(link),
    });
  }

  return {
    request,
    exchange,
    hidden,
    flush,
    counters: () => ({ waitingDropped, openDropped, open: openCount, waiting: waitingCount }),
  };
}

/** A call that left before the request came was made for another one. */
function isBefore(made: Call, { request }: OpenRequest<Call>): boolean {
  return made.startNs < request.startNs;
}
