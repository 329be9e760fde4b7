import type { Connection, Exchange, RequestPart } from '../flow/exchange.ts';
import { decideLink, type Link } from './link.ts';
import {
  closeRequest,
  createOpenRequests,
  gather,
  type OpenRequest,
  type OpenRequests,
  openRequest,
} from './open-request.ts';
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

/** A call that a process made, with the link that was decided when it left. */
interface Call {
  readonly kind: 'call';
  readonly link: Link<OpenRequest<Call>>;
  exchange: Exchange | undefined;
  /** Requests named by the link whose wire id is not known yet. */
  unknownCount: number;
}

/** Open requests held for one process; a process with more is counted, not guessed about. */
const OPEN_PER_PROCESS_MAX = 4096;
/** Processes whose empty lists are kept; past it those are forgotten. */
const PROCESSES_MAX = 4096;
const WAITING_MAX = 65_536;
const NONE = [] as const;
const NO_LINK: Link<OpenRequest<Call>> = {
  parent: undefined,
  probability: 0,
  evidence: 0,
  alternatives: NONE,
};

/**
 * Finds the parent of each call: the open request of the same process that the evidence names. The
 * kernel stamps evidence, this room decides. A call's row waits until its parent's identity is
 * known, which is at the parent's answer.
 */
export function createResolver(onTraced: (traced: TracedExchange) => void): Resolver {
  const processes = new Map<number, OpenRequests<Call>>();
  const openByTurn = new Map<number, OpenRequest<Call>>();
  let last: OpenRequests<Call> | undefined;
  let openCount = 0;
  let waitingCount = 0;
  let waitingDropped = 0;
  let openDropped = 0;

  function request(connection: Connection, part: RequestPart): void {
    if (connection.role === 'server') open(connection, part);
    else if (connection.role === 'client') part.note = call(connection, part);
  }

  function openOf(pid: number): OpenRequests<Call> {
    if (last?.pid === pid) return last;
    let found = processes.get(pid);
    if (found === undefined) {
      if (processes.size >= PROCESSES_MAX) forgetIdle();
      found = createOpenRequests<Call>(pid);
      processes.set(pid, found);
    }
    last = found;
    return found;
  }

  function forgetIdle(): void {
    for (const [pid, of] of processes) if (of.count === 0) processes.delete(pid);
    last = undefined;
  }

  function open(connection: Connection, part: RequestPart): void {
    const of = openOf(connection.pid);
    if (of.count >= OPEN_PER_PROCESS_MAX) {
      openDropped += 1;
      return;
    }
    const one = openRequest(of, part);
    openCount += 1;
    part.note = one;
    // Pipelined requests share a turn: the first is the one that is being worked on.
    if (!openByTurn.has(part.turnId)) openByTurn.set(part.turnId, one);
  }

  function call(connection: Connection, part: RequestPart): Call {
    const made: Call = {
      kind: 'call',
      link: linkOf(connection, part),
      exchange: undefined,
      unknownCount: 0,
    };
    if (made.link.parent !== undefined) wait(made, made.link.parent);
    for (const { candidate } of made.link.alternatives) wait(made, candidate);
    return made;
  }

  function linkOf(connection: Connection, part: RequestPart): Link<OpenRequest<Call>> {
    const of = openOf(connection.pid);
    if (of.count === 0) return NO_LINK;
    const caused = part.causeId === 0 ? undefined : openByTurn.get(part.causeId);
    const { supports, unnamedCount } = gather(of, part, caused);
    return decideLink(supports, unnamedCount);
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
    const id = wireId(done.request?.sequence ?? 0, done.response?.sequence ?? 0);
    // Only this room sets it.
    const note = done.request?.note as OpenRequest<Call> | Call | undefined;
    if (done.request !== undefined) done.request.note = undefined;
    if (note?.kind === 'call') {
      note.exchange = done;
      if (note.unknownCount === 0) emit(note, done, id);
      return;
    }
    if (note?.kind === 'open') close(note, id);
    onTraced({
      exchange: done,
      wireId: id,
      parentWireId: 0n,
      probability: 0,
      evidence: 0,
      candidates: NONE,
    });
  }

  function close(opened: OpenRequest<Call>, id: bigint): void {
    opened.wireId = id;
    closeRequest(opened);
    openCount -= 1;
    const { turnId } = opened.request;
    if (openByTurn.get(turnId) === opened) openByTurn.delete(turnId);
    for (const made of opened.waiting) {
      waitingCount -= 1;
      made.unknownCount -= 1;
      if (made.unknownCount > 0 || made.exchange === undefined) continue;
      const { request: asked, response } = made.exchange;
      emit(made, made.exchange, wireId(asked?.sequence ?? 0, response?.sequence ?? 0));
    }
    opened.waiting.length = 0;
  }

  function emit({ link }: Call, done: Exchange, id: bigint): void {
    const parentWireId = link.parent?.wireId ?? 0n;
    onTraced({
      exchange: done,
      wireId: id,
      parentWireId,
      probability: parentWireId === 0n ? 0 : link.probability,
      evidence: parentWireId === 0n ? 0 : link.evidence,
      candidates: link.alternatives.length === 0 ? NONE : candidatesOf(link),
    });
  }

  return {
    request,
    exchange,
    counters: () => ({ waitingDropped, openDropped, open: openCount, waiting: waitingCount }),
  };
}

function candidatesOf({ alternatives }: Link<OpenRequest<Call>>): TracedExchange['candidates'] {
  return alternatives
    .filter(({ candidate }) => candidate.wireId !== 0n)
    .map(({ candidate, probability }) => ({ wireId: candidate.wireId, probability }));
}
