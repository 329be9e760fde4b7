import {
  EVIDENCE_CONNECT,
  EVIDENCE_SHARED_ID,
  EVIDENCE_SINGLE_OPEN,
  EVIDENCE_THREAD,
  EVIDENCE_THREAD_RESTORED,
} from '@thalweg/model';
import type { Connection, Exchange, RequestPart } from '../flow/exchange.ts';
import { CAUSE_CONNECT, CAUSE_RESTORED, CAUSE_THREAD } from '../flow/transfer.ts';
import { decideLink, type Link, type Support } from './link.ts';
import { wireId } from './wire-id.ts';

/** An exchange with its identity and its parent, ready to become a row. */
export interface TracedExchange {
  readonly exchange: Exchange;
  readonly wireId: bigint;
  /** 0n when unknown. */
  readonly parentWireId: bigint;
  readonly probability: number;
  readonly evidence: number;
  readonly candidates: readonly { readonly wireId: bigint; readonly probability: number }[];
}

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
  counters(): ResolverCounters;
}

/** A request that a process received and has not answered: what its calls may be caused by. */
interface OpenRequest {
  readonly request: RequestPart;
  readonly pid: number;
  /** 0n until the answer's first byte fixed it. */
  wireId: bigint;
  readonly waiting: Call[];
}

/** A call that a process made, with the link that was decided when it left. */
interface Call {
  readonly link: Link<OpenRequest>;
  exchange: Exchange | undefined;
  /** Requests named by the link whose wire id is not known yet. */
  unknownCount: number;
}

/** What may have caused a call: the named ones, and how many open requests are not named. */
interface Gathered {
  readonly supports: readonly Support<OpenRequest>[];
  readonly unnamedCount: number;
}

/** Open requests held for one process; a process with more is counted, not guessed about. */
const OPEN_PER_PROCESS_MAX = 4096;
const WAITING_MAX = 65_536;
const UNBACKED_MAX = 3;
/** A request that follows an answer on one socket so soon was waiting for that socket. */
const POOL_REUSE_NS = 1e6;

/**
 * Finds the parent of each call: the open request of the same process that the evidence names. The
 * kernel stamps evidence, this room decides. A call's row waits until its parent's identity is
 * known, which is at the parent's answer.
 */
export function createResolver(onTraced: (traced: TracedExchange) => void): Resolver {
  const openByPid = new Map<number, Set<OpenRequest>>();
  const openByTurn = new Map<number, OpenRequest>();
  const openByRequest = new Map<RequestPart, OpenRequest>();
  const callByRequest = new Map<RequestPart, Call>();
  const lastAnswer = new WeakMap<Connection, number>();
  let waitingCount = 0;
  let waitingDropped = 0;
  let openDropped = 0;

  function request(connection: Connection, part: RequestPart): void {
    if (connection.role === 'server') open(connection, part);
    else if (connection.role === 'client') callByRequest.set(part, call(connection, part));
  }

  function open(connection: Connection, part: RequestPart): void {
    let ofProcess = openByPid.get(connection.pid);
    if (ofProcess === undefined) {
      ofProcess = new Set();
      openByPid.set(connection.pid, ofProcess);
    }
    if (ofProcess.size >= OPEN_PER_PROCESS_MAX) {
      openDropped += 1;
      return;
    }
    const one: OpenRequest = { request: part, pid: connection.pid, wireId: 0n, waiting: [] };
    ofProcess.add(one);
    openByRequest.set(part, one);
    // Pipelined requests share a turn: the first is the one that is being worked on.
    if (!openByTurn.has(part.turnId)) openByTurn.set(part.turnId, one);
  }

  function call(connection: Connection, part: RequestPart): Call {
    const { supports, unnamedCount } = gather(connection, part);
    const link = decideLink(supports, unnamedCount);
    const made: Call = { link, exchange: undefined, unknownCount: 0 };
    for (const named of namedBy(link)) {
      if (waitingCount >= WAITING_MAX) {
        waitingDropped += 1;
        continue;
      }
      made.unknownCount += 1;
      waitingCount += 1;
      named.waiting.push(made);
    }
    return made;
  }

  function gather(connection: Connection, part: RequestPart): Gathered {
    const ofProcess = openByPid.get(connection.pid);
    if (ofProcess === undefined) return { supports: [], unnamedCount: 0 };
    const caused = part.causeId === 0 ? undefined : openByTurn.get(part.causeId);
    const answeredAgoNs = part.startNs - (lastAnswer.get(connection) ?? -Infinity);
    const isPoolReuse = answeredAgoNs < POOL_REUSE_NS;
    const backed: Support<OpenRequest>[] = [];
    const unbacked: Support<OpenRequest>[] = [];
    let unnamedCount = 0;
    for (const candidate of ofProcess) {
      const shared = sharesId(candidate.request, part);
      if (shared === 'different') continue;
      let evidence = shared === 'same' ? EVIDENCE_SHARED_ID : 0;
      if (candidate === caused) evidence |= causeEvidence(part.causeKind);
      if (ofProcess.size === 1) evidence |= EVIDENCE_SINGLE_OPEN;
      if (evidence !== 0) backed.push({ candidate, evidence, isPoolReuse });
      else if (unbacked.length < UNBACKED_MAX) unbacked.push({ candidate, evidence, isPoolReuse });
      else unnamedCount += 1;
    }
    // Among many that nothing speaks for, none is worth naming beside one that is backed.
    if (backed.length > 0 && unnamedCount > 0) {
      return { supports: backed, unnamedCount: unnamedCount + unbacked.length };
    }
    return { supports: [...backed, ...unbacked], unnamedCount };
  }

  function exchange(done: Exchange): void {
    const id = wireId(done.request?.sequence ?? 0, done.response?.sequence ?? 0);
    const opened = done.request && openByRequest.get(done.request);
    if (opened !== undefined) close(opened, id);
    if (done.response !== undefined) lastAnswer.set(done.connection, done.response.endNs);

    const made = done.request && callByRequest.get(done.request);
    if (made === undefined || done.request === undefined) {
      onTraced({ exchange: done, wireId: id, ...UNLINKED });
      return;
    }
    callByRequest.delete(done.request);
    made.exchange = done;
    if (made.unknownCount === 0) emit(made, done);
  }

  function close(opened: OpenRequest, id: bigint): void {
    opened.wireId = id;
    openByRequest.delete(opened.request);
    if (openByTurn.get(opened.request.turnId) === opened) openByTurn.delete(opened.request.turnId);
    const ofProcess = openByPid.get(opened.pid);
    ofProcess?.delete(opened);
    if (ofProcess?.size === 0) openByPid.delete(opened.pid);
    for (const made of opened.waiting) {
      waitingCount -= 1;
      made.unknownCount -= 1;
      if (made.unknownCount === 0 && made.exchange !== undefined) emit(made, made.exchange);
    }
    opened.waiting.length = 0;
  }

  function emit({ link }: Call, done: Exchange): void {
    onTraced({
      exchange: done,
      wireId: wireId(done.request?.sequence ?? 0, done.response?.sequence ?? 0),
      parentWireId: link.parent?.wireId ?? 0n,
      probability: link.parent?.wireId ? link.probability : 0,
      evidence: link.parent?.wireId ? link.evidence : 0,
      candidates: link.alternatives
        .filter(({ candidate }) => candidate.wireId !== 0n)
        .map(({ candidate, probability }) => ({ wireId: candidate.wireId, probability })),
    });
  }

  return {
    request,
    exchange,
    counters: () => ({
      waitingDropped,
      openDropped,
      open: openByRequest.size,
      waiting: waitingCount,
    }),
  };
}

const UNLINKED = { parentWireId: 0n, probability: 0, evidence: 0, candidates: [] } as const;

function namedBy(link: Link<OpenRequest>): OpenRequest[] {
  const named = link.alternatives.map(({ candidate }) => candidate);
  return link.parent === undefined ? named : [link.parent, ...named];
}

function causeEvidence(causeKind: number): number {
  if (causeKind === CAUSE_CONNECT) return EVIDENCE_CONNECT;
  if (causeKind === CAUSE_THREAD) return EVIDENCE_THREAD;
  if (causeKind === CAUSE_RESTORED) return EVIDENCE_THREAD_RESTORED;
  return 0;
}

/**
 * Compares the ids that both messages carry. A different trace id rules a parent out; a different
 * X-Request-ID does not, because some gateways give each upstream try its own.
 */
function sharesId(cause: RequestPart, called: RequestPart): 'same' | 'different' | 'unknown' {
  if (cause.trace !== undefined && called.trace !== undefined) {
    return cause.trace.traceId === called.trace.traceId ? 'same' : 'different';
  }
  if (cause.requestId !== '' && cause.requestId === called.requestId) return 'same';
  return 'unknown';
}
