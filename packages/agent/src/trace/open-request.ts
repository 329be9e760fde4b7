import {
  EVIDENCE_CONNECT,
  EVIDENCE_SHARED_ID,
  EVIDENCE_SINGLE_OPEN,
  EVIDENCE_THREAD,
  EVIDENCE_THREAD_RESTORED,
} from '@thalweg/model';
import type { RequestPart } from '../flow/exchange.ts';
import { CAUSE_CONNECT, CAUSE_RESTORED, CAUSE_THREAD } from '../flow/transfer.ts';
import type { Doubt, Support } from './link.ts';
import { type Trust, type TrustCounts, trustOf } from './trust.ts';

/**
 * A request that a process received and has not answered: what its calls may be caused by. One that
 * ended without an answer, because its client left or it was no longer looked at, stays a while: the
 * process may still work for it.
 */
export interface OpenRequest<Call> {
  readonly kind: 'open';
  readonly request: RequestPart;
  readonly of: OpenRequests<Call>;
  /** 0n until the answer's first byte fixed it, or the end without one. */
  wireId: bigint;
  /** When one that ended without an answer is forgotten; `Infinity` while it may be answered. */
  forgottenNs: number;
  /** Calls that name it, whose rows wait for its wire id. */
  readonly waiting: Call[];
  /** Calls that forward evidence gives to it; and without those that may be a pool's waiters. */
  namedCount: number;
  forwardCount: number;
  /** Calls made while it was the only open request, with no other evidence. */
  singleCount: number;
  /** No other request was open at any time of it. */
  isAlone: boolean;
  before: OpenRequest<Call> | undefined;
  after: OpenRequest<Call> | undefined;
}

/** The open requests of one process, in order of arrival: a list, so that leaving it is cheap. */
export interface OpenRequests<Call> {
  readonly pid: number;
  oldest: OpenRequest<Call> | undefined;
  newest: OpenRequest<Call> | undefined;
  count: number;
  /** Those of them that ended without an answer, in the order of their ends. */
  readonly abandoned: OpenRequest<Call>[];
  /** Start of the last request that came or was sent. */
  latestNs: number;
  /** What the process's calls told of its evidence, lately. */
  readonly trustCounts: TrustCounts;
  trust: Trust;
  /** Requests that were answered since `trust` was estimated. */
  untrustedCount: number;
  /** How many of them carry an id that a call may share. */
  identifiedCount: number;
}

/** What may have caused a call: the named ones, and how many open requests are not named. */
export interface Gathered<Call> {
  readonly supports: readonly Support<OpenRequest<Call>>[];
  readonly unnamedCount: number;
}

const NONE = [] as const;
const UNBACKED_MAX = 3;
/** A client that leaves is often not noticed before the work for it is done. */
const ABANDONED_NS = 5e9;
/** A request that follows an answer on one socket so soon was waiting for that socket. */
const POOL_REUSE_NS = 1e6;

export function createOpenRequests<Call>(
  pid: number,
  trustCounts: TrustCounts,
): OpenRequests<Call> {
  return {
    pid,
    oldest: undefined,
    newest: undefined,
    count: 0,
    identifiedCount: 0,
    abandoned: [],
    latestNs: -Infinity,
    trustCounts,
    trust: trustOf(trustCounts),
    untrustedCount: 0,
  };
}

export function openRequest<Call>(of: OpenRequests<Call>, request: RequestPart): OpenRequest<Call> {
  const before = of.newest;
  const one: OpenRequest<Call> = {
    kind: 'open',
    request,
    of,
    wireId: 0n,
    forgottenNs: Infinity,
    waiting: [],
    namedCount: 0,
    forwardCount: 0,
    singleCount: 0,
    isAlone: before === undefined,
    before,
    after: undefined,
  };
  if (before === undefined) of.oldest = one;
  else {
    before.after = one;
    before.isAlone = false;
  }
  of.newest = one;
  of.latestNs = request.startNs;
  of.count += 1;
  if (isIdentified(request)) of.identifiedCount += 1;
  return one;
}

/** Takes it out of its list. Only once. */
export function closeRequest<Call>(one: OpenRequest<Call>): void {
  const { of, before, after } = one;
  if (before === undefined) of.oldest = after;
  else before.after = after;
  if (after === undefined) of.newest = before;
  else after.before = before;
  one.before = undefined;
  one.after = undefined;
  of.count -= 1;
  if (isIdentified(one.request)) of.identifiedCount -= 1;
}

/** It ended without its answer. It stays open for a while. */
export function abandonRequest<Call>(one: OpenRequest<Call>): void {
  one.forgottenNs = one.of.latestNs + ABANDONED_NS;
  one.of.abandoned.push(one);
}

/** Closes abandoned requests whose time is over, and answers them. */
export function forgetAbandoned<Call>(
  { abandoned }: OpenRequests<Call>,
  nowNs: number,
): readonly OpenRequest<Call>[] {
  let count = 0;
  while ((abandoned[count]?.forgottenNs ?? Infinity) < nowNs) count += 1;
  if (count === 0) return NONE;
  const forgotten = abandoned.splice(0, count);
  for (const one of forgotten) closeRequest(one);
  return forgotten;
}

/**
 * What the evidence says about each open request of the process that made the call `part`; `caused`
 * is the one that the kernel names. Where no id is shared, that one alone can be backed, and a few
 * others are looked at instead of all: a busy proxy has hundreds open. Unless `looksAtIds`, as if
 * nothing carried ids.
 */
export function gather<Call>(
  of: OpenRequests<Call>,
  part: RequestPart,
  caused: OpenRequest<Call> | undefined,
  threadDoubt: Doubt,
  looksAtIds = true,
): Gathered<Call> {
  const named = caused?.of === of && causeEvidence(part.causeKind) !== 0 ? caused : undefined;
  const isPoolReuse = part.startNs - part.answeredBeforeNs < POOL_REUSE_NS;
  const isLast = threadDoubt === 'read-several';
  const doubt: Doubt = isPoolReuse && !isLast ? 'pool-reuse' : of.count > 1 ? threadDoubt : 'none';
  of.latestNs = part.startNs;
  const single = isSingle(of) ? EVIDENCE_SINGLE_OPEN : 0;
  const backed: Support<OpenRequest<Call>>[] = [];
  const unbacked: Support<OpenRequest<Call>>[] = [];
  const mayShare = looksAtIds && of.identifiedCount > 0 && isIdentified(part);
  let unnamedCount = 0;
  let unseen = of.count;
  if (!mayShare && named !== undefined) {
    const evidence = causeEvidence(part.causeKind) | single;
    backed.push({ candidate: named, evidence, doubt, ordinal: named.namedCount + 1 });
    unseen -= 1;
  }
  for (let candidate = of.oldest; candidate !== undefined; candidate = candidate.after) {
    if (!mayShare) {
      if (candidate === named) continue;
      if (unbacked.length === UNBACKED_MAX) break;
    }
    unseen -= 1;
    const shared = mayShare ? sharesId(candidate.request, part) : 'unknown';
    if (shared === 'different') continue;
    let evidence = single | (shared === 'same' ? EVIDENCE_SHARED_ID : 0);
    if (candidate === named) evidence |= causeEvidence(part.causeKind);
    const ordinal = candidate === named ? named.namedCount + 1 : 0;
    const support = { candidate, evidence, doubt, ordinal };
    if (evidence !== 0) backed.push(support);
    else if (unbacked.length < UNBACKED_MAX) unbacked.push(support);
    else unnamedCount += 1;
  }
  unnamedCount += unseen;
  // Among many that nothing speaks for, none is worth naming beside one that is backed.
  if (backed.length > 0 && unnamedCount > 0) {
    return { supports: backed, unnamedCount: unnamedCount + unbacked.length };
  }
  return { supports: unbacked.length === 0 ? backed : [...backed, ...unbacked], unnamedCount };
}

/** Whether whatever the process does now can be for one request only. */
export function isSingle({ count, abandoned }: OpenRequests<unknown>): boolean {
  return count === 1 && abandoned.length === 0;
}

function isIdentified(part: RequestPart): boolean {
  return part.trace !== undefined || part.requestId !== '';
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
