import { EVIDENCE_CONNECT, EVIDENCE_SHARED_ID, EVIDENCE_THREAD_RESTORED } from '@thalweg/model';
import type { Exchange } from '../flow/exchange.ts';
import type { Comparison } from './calibration.ts';
import { decideLink, FORWARD_EVIDENCE, type Link, type Support } from './link.ts';
import type { OpenRequest, OpenRequests } from './open-request.ts';
import type { Round } from './thread-order.ts';
import { addCalls, countAnswered, type Trust, trustOf } from './trust.ts';

/** What evidence is worth is estimated anew after so many answers, and after each of the first. */
const TRUST_EVERY = 8;
const LEARNT = 64;

type Supports = readonly Support<OpenRequest<Call>>[];

/** A call that a process made, and what speaks for its parent so far. */
export interface Call {
  readonly kind: 'call';
  readonly of: OpenRequests<Call>;
  readonly startNs: number;
  /**
   * The call whose answer its thread had read before; it is made for the same request. One whose row
   * went out learns nothing more and is left out: else each call would hold all before it.
   */
  follows: Call | undefined;
  readonly unnamedCount: number;
  supports: Supports;
  /** What would speak for its parent if ids were not looked at; undefined where none is shared. */
  blind: Blind | undefined;
  link: Link<OpenRequest<Call>>;
  /** What `link` was decided on and by: as long as both are the same, so is the link. */
  decidedOn: Supports | undefined;
  decidedBy: Trust | undefined;
  exchange: Exchange | undefined;
  /** Of `exchange`; 0n before. */
  wireId: bigint;
  /** Its answer was read with others: what is answered next need not be its request. */
  isAnswerShared: boolean;
  /** Candidates that are still open: their wire ids are not known yet. */
  unknownCount: number;
  /** Not emitted before, while evidence may come from what follows its answer; 0: not held. */
  heldUntilNs: number;
  isEmitted: boolean;
  /** The request that forward evidence names. */
  readonly forward: OpenRequest<Call> | undefined;
  /** The first request that backward evidence named. */
  backward: OpenRequest<Call> | undefined;
  /** The request that the order of the thread names; whether in a whole round. */
  ordered: OpenRequest<Call> | undefined;
  isOrderWhole: boolean;
}

interface Blind {
  /** The one open request that shares its id. */
  readonly truth: OpenRequest<Call>;
  supports: Supports;
  readonly unnamedCount: number;
}

/** The first of `call` and those that it follows whose row has not gone out. */
export function pendingFrom(call: Call | undefined): Call | undefined {
  let at = call;
  while (at?.isEmitted === true) at = at.follows;
  return at;
}

/** The request that ids name, when they name one. */
export function sharedBy(supports: Supports): OpenRequest<Call> | undefined {
  let found: OpenRequest<Call> | undefined;
  for (const { evidence, candidate } of supports) {
    if ((evidence & EVIDENCE_SHARED_ID) === 0) continue;
    if (found !== undefined) return undefined;
    found = candidate;
  }
  return found;
}

export function forwardOf(supports: Supports): Supports[number] | undefined {
  return supports.find(({ evidence }) => (evidence & FORWARD_EVIDENCE) !== 0);
}

/** Whether its forward evidence may be a waiter's for the socket: it says nothing of the process. */
export function isReuse({ doubt, evidence }: Supports[number]): boolean {
  if ((evidence & EVIDENCE_THREAD_RESTORED) === 0) return false;
  return doubt === 'pool-reuse' || doubt === 'answered-early';
}

/** Decides the link anew, if what speaks for it or what that is worth has changed. */
export function decide(made: Call): void {
  made.link = decided(made);
  made.decidedOn = made.supports;
  made.decidedBy = made.of.trust;
}

/** What `decide` would make of it now. */
export function decided(made: Call): Link<OpenRequest<Call>> {
  const { supports, unnamedCount, of } = made;
  if (made.decidedOn === supports && made.decidedBy === of.trust) return made.link;
  return decideLink(supports, unnamedCount, of.trust);
}

/** Adds that `evidence`, which came after the call was made, names `candidate`. */
export function addNamed(
  made: Call,
  candidate: OpenRequest<Call>,
  evidence: number,
  isAcrossRounds = false,
): void {
  const named = { candidate, evidence, isAcrossRounds };
  made.supports = withNamed(made.supports, named);
  const { blind } = made;
  if (blind !== undefined) blind.supports = withNamed(blind.supports, named);
}

/** Settles a doubt about `candidate`. */
export function settleDoubt(
  made: Call,
  candidate: OpenRequest<Call>,
  doubt: Support<unknown>['doubt'],
): void {
  made.supports = settled(made.supports, candidate, doubt);
  const { blind } = made;
  if (blind !== undefined) blind.supports = settled(blind.supports, candidate, doubt);
}

function settled(
  supports: Supports,
  candidate: OpenRequest<Call>,
  doubt: Support<unknown>['doubt'],
): Supports {
  return supports.map((one) => {
    if (one.candidate !== candidate) return one;
    const { evidence, ordinal, isAcrossRounds } = one;
    return { candidate, evidence, doubt, ordinal, isAcrossRounds };
  });
}

function withNamed(
  supports: Supports,
  by: Pick<Supports[number], 'candidate' | 'evidence' | 'isAcrossRounds'>,
): Supports {
  const known = supports.find((one) => one.candidate === by.candidate);
  const { evidence = 0, doubt = 'none', ordinal = 0, isAcrossRounds } = known ?? {};
  const named = {
    candidate: by.candidate,
    evidence: evidence | by.evidence,
    doubt,
    ordinal,
    isAcrossRounds: isAcrossRounds === true || by.isAcrossRounds === true,
  };
  return known === undefined
    ? [...supports, named]
    : supports.map((one) => (one === known ? named : one));
}

/** Counts that `opened` was answered next after the call's answer; whether forward evidence says so too. */
export function agrees(made: Call, opened: OpenRequest<Call>): boolean {
  if (made.backward !== undefined) return false;
  made.backward = opened;
  made.of.trustCounts.claimed += 1;
  if (opened.isAlone && made.forward === undefined) opened.singleCount -= 1;
  return made.forward === opened;
}

/** At the end of a call, when all that speaks for its parent has been said: what it teaches. */
export function learnFrom({ of, forward, backward, supports, unnamedCount, blind }: Call): void {
  const { trustCounts } = of;
  if (blind !== undefined) {
    const { truth } = blind;
    if (forward !== undefined && forward !== backward) {
      trustCounts[forward === truth ? 'forwardRight' : 'forwardWrong'] += 1;
    }
    if (backward !== undefined) {
      trustCounts[backward === truth ? 'backwardRight' : 'backwardWrong'] += 1;
    }
  }
  if (forward === undefined || backward === undefined) return;
  const named = supports.find((one) => one.candidate === forward);
  if (named !== undefined && isReuse(named)) return;
  const isConnect = ((named?.evidence ?? 0) & EVIDENCE_CONNECT) !== 0;
  for (const overlap of isConnect ? [trustCounts, trustCounts.connect] : [trustCounts]) {
    overlap.overlap += 1;
    overlap.byChance += 1 / (supports.length + unnamedCount);
    if (forward === backward) overlap.agreed += 1;
  }
}

/**
 * The order of the thread names `named` backwards: does it forwards? The places of one round are right
 * or wrong together, so that a round counts as one call.
 */
export function learnOrder(made: Call, named: OpenRequest<Call>, round: Round): void {
  const { of, ordered, isOrderWhole, supports, unnamedCount } = made;
  if (ordered === undefined) return;
  const order = of.trustCounts[round.isWhole && isOrderWhole ? 'order' : 'orderAcross'];
  const weight = 1 / round.size;
  order.overlap += weight;
  order.byChance += weight / (supports.length + unnamedCount);
  if (ordered === named) order.agreed += weight;
}

/** How evidence alone would have linked a call whose ids tell the truth. */
export function compare(
  { truth, supports, unnamedCount }: Blind,
  { trust }: Call['of'],
): Comparison {
  const { parent, probability } = decideLink(supports, unnamedCount, trust);
  if (parent === undefined) return { verdict: 'open', probability };
  return { verdict: parent === truth ? 'right' : 'wrong', probability };
}

/** What else may be its parent, as far as their ids are known. */
export function candidatesOf({
  alternatives,
}: Link<OpenRequest<Call>>): readonly { readonly wireId: bigint; readonly probability: number }[] {
  return alternatives
    .filter(({ candidate }) => candidate.wireId !== 0n)
    .map(({ candidate, probability }) => ({ wireId: candidate.wireId, probability }));
}

/** An answered request tells how many calls evidence gave to it. */
export function countRequest({
  of,
  forwardCount,
  namedCount,
  isAlone,
  singleCount,
}: OpenRequest<Call>): void {
  countAnswered(of.trustCounts, forwardCount, namedCount);
  if (isAlone) addCalls(of.trustCounts.single, singleCount);
  of.untrustedCount += 1;
  if (of.untrustedCount < TRUST_EVERY && of.trustCounts.answeredRequests > LEARNT) return;
  of.untrustedCount = 0;
  of.trust = trustOf(of.trustCounts);
}
