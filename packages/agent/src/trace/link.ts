import {
  EVIDENCE_ANSWERED_IN_ORDER,
  EVIDENCE_ANSWERED_NEXT,
  EVIDENCE_CONNECT,
  EVIDENCE_SHARED_ID,
  EVIDENCE_THREAD,
  EVIDENCE_THREAD_ORDER,
  EVIDENCE_THREAD_RESTORED,
  LINK_SHOWN,
} from '@thalweg/model';
import { ORDINALS, type Trust } from './trust.ts';

/** What the evidence of one call says about one open request that may have caused it. */
export interface Support<Candidate> {
  readonly candidate: Candidate;
  /** Bits of `LINK_EVIDENCE`; 0 when nothing speaks for it but that it was open. */
  readonly evidence: number;
  readonly doubt: Doubt;
  /** How many calls forward evidence has given to it, this one included; 0: not this one. */
  readonly ordinal: number;
  /** Both directions of its thread's order name it, in rounds that were not whole. */
  readonly isAcrossRounds?: boolean | undefined;
}

/**
 * Why evidence of the thread is worth less. `pool-reuse`: it answered another request on this very
 * socket just before, so a waiter for the socket may be next. `loop-unseen`: turns of event loops are
 * not observed here, so what was read long ago looks like a cause. `answered-early`: it was a pool's
 * reuse, and the request was answered before the call was. `read-several`: the thread had read several
 * requests in a row, and this is but the last one.
 */
export type Doubt = 'none' | 'pool-reuse' | 'loop-unseen' | 'answered-early' | 'read-several';

export interface Link<Candidate> {
  readonly parent: Candidate | undefined;
  readonly probability: number;
  readonly evidence: number;
  /** What else it may be, best first, at most `ALTERNATIVES_MAX`. */
  readonly alternatives: readonly { readonly candidate: Candidate; readonly probability: number }[];
}

/** Bits of the evidence that the thread's past gives. */
export const FORWARD_EVIDENCE = EVIDENCE_THREAD | EVIDENCE_THREAD_RESTORED | EVIDENCE_CONNECT;
const ORDER_EVIDENCE = EVIDENCE_THREAD_ORDER | EVIDENCE_ANSWERED_IN_ORDER;
const ANY_FORWARD = FORWARD_EVIDENCE | EVIDENCE_THREAD_ORDER;
const ANY_BACKWARD = EVIDENCE_ANSWERED_NEXT | EVIDENCE_ANSWERED_IN_ORDER;

/** An id that a request and a call share: a gateway may give one id to two requests. */
const SHARED_ID_TRUST = 0.999;
const POOL_REUSE_TRUST = 0.5;
const LOOP_UNSEEN_TRUST = 0.7;
const READ_SEVERAL_TRUST = 0.7;
/** By how much the order of a thread has to be worth more than what it read last. */
const ORDER_MARGIN = 0.05;
/** Of the forward order alone: it is measured by calls for which both directions speak. */
const ORDER_ALONE_TRUST = 0.85;
const ALTERNATIVES_MAX = 3;
/** A candidate below it is none. */
const CANDIDATE_MIN = 0.01;
const NONE = [] as const;

/**
 * Weighs the evidence by Bayes' rule: each open request is as likely as the next, and with the share
 * `1 - single` it was none of them. A kind that names a request does so for a reason with
 * the process's trust in it, else it names any open one. `unnamedCount` open requests are not in
 * `supports`. No parent is named below `LINK_SHOWN`: unknown stays unknown.
 */
export function decideLink<Candidate>(
  gathered: readonly Support<Candidate>[],
  unnamedCount: number,
  estimated: Trust,
): Link<Candidate> {
  const supports = withoutWorse(gathered, estimated);
  const openCount = Math.max(1, supports.length + unnamedCount);
  const orderMost = orderTrustMost(supports);
  const single = singleTrust(supports, estimated, orderMost);
  let unnamed = single / openCount;
  let none = 1 - single;
  const weights: number[] = [];
  for (let at = 0; at < supports.length; at += 1) weights.push(unnamed);
  for (let kind = 0; kind < KINDS.length; kind += 1) {
    const bits = KINDS[kind] ?? 0;
    const named = namedBy(supports, bits);
    if (named === undefined) continue;
    const believed = kindTrust(bits, named, estimated, orderMost);
    const byChance = (1 - believed) / openCount;
    unnamed *= byChance;
    none *= byChance;
    for (let at = 0; at < supports.length; at += 1) {
      const isNamed = ((supports[at]?.evidence ?? 0) & bits) !== 0;
      weights[at] = (weights[at] ?? 0) * (isNamed ? byChance + believed : byChance);
    }
  }
  let total = unnamed * unnamedCount + none;
  for (const weight of weights) total += weight;
  return linkOf(supports, weights, total);
}

function namedBy<Candidate>(
  supports: readonly Support<Candidate>[],
  bits: number,
): Support<Candidate> | undefined {
  for (const support of supports) if ((support.evidence & bits) !== 0) return support;
  return undefined;
}

/**
 * What a thread read last and the order of what it read speak of the same: the one that is worth
 * more in this process counts, forwards and backwards.
 */
function withoutWorse<Candidate>(
  supports: readonly Support<Candidate>[],
  trust: Trust,
): readonly Support<Candidate>[] {
  let bits = 0;
  for (const { evidence } of supports) bits |= evidence;
  if ((bits & ORDER_EVIDENCE) === 0) return supports;
  const isOrdered = (bits & EVIDENCE_THREAD_ORDER) !== 0;
  const ordered = supports.find(({ evidence }) => (evidence & EVIDENCE_THREAD_ORDER) !== 0);
  const order = ordered === undefined ? 0 : orderTrust(trust, ordered, 1);
  const isForward = isOrdered && order > trust.forward + ORDER_MARGIN;
  // What is answered in order left in order: else its place in the order says nothing.
  const isBackward =
    isOrdered && (bits & EVIDENCE_ANSWERED_IN_ORDER) !== 0 && order > trust.backward + ORDER_MARGIN;
  const worse =
    (isForward ? FORWARD_EVIDENCE : EVIDENCE_THREAD_ORDER) |
    (isBackward ? EVIDENCE_ANSWERED_NEXT : EVIDENCE_ANSWERED_IN_ORDER);
  return supports.map((one) =>
    (one.evidence & worse) === 0 ? one : withEvidence(one, one.evidence & ~worse),
  );
}

/** `support` with other evidence: written out, because a spread is a slow copy. */
function withEvidence<Candidate>(
  { candidate, doubt, ordinal, isAcrossRounds }: Support<Candidate>,
  evidence: number,
): Support<Candidate> {
  return { candidate, evidence, doubt, ordinal, isAcrossRounds };
}

function linkOf<Candidate>(
  supports: readonly Support<Candidate>[],
  weights: readonly number[],
  total: number,
): Link<Candidate> {
  let at = 0;
  for (let other = 1; other < weights.length; other += 1) {
    if ((weights[other] ?? 0) > (weights[at] ?? 0)) at = other;
  }
  const best = supports[at];
  const probability = (weights[at] ?? 0) / total;
  const isShown = best !== undefined && best.evidence !== 0 && probability >= LINK_SHOWN;
  return {
    parent: isShown ? best.candidate : undefined,
    probability: isShown ? probability : 0,
    evidence: isShown ? best.evidence : 0,
    alternatives: alternativesOf(supports, weights, total, isShown ? best : undefined),
  };
}

/** The likeliest but for `parent`. */
function alternativesOf<Candidate>(
  supports: readonly Support<Candidate>[],
  weights: readonly number[],
  total: number,
  parent: Support<Candidate> | undefined,
): Link<Candidate>['alternatives'] {
  if (supports.length === (parent === undefined ? 0 : 1)) return NONE;
  const others: { readonly candidate: Candidate; readonly probability: number }[] = [];
  for (const [at, support] of supports.entries()) {
    const probability = (weights[at] ?? 0) / total;
    if (support === parent || probability <= CANDIDATE_MIN) continue;
    others.push({ candidate: support.candidate, probability });
  }
  if (others.length > 1) others.sort((one, other) => other.probability - one.probability);
  return others.slice(0, ALTERNATIVES_MAX);
}

/** What the order of the thread is worth at most: less where only its forward direction speaks. */
function orderTrustMost(supports: readonly Support<unknown>[]): number {
  for (const { evidence } of supports) if ((evidence & ANY_BACKWARD) !== 0) return 1;
  return ORDER_ALONE_TRUST;
}

function orderTrust(
  { order, orderAcross }: Trust,
  { isAcrossRounds }: Support<unknown>,
  most: number,
): number {
  return Math.min(isAcrossRounds === true ? orderAcross : order, most);
}

/** How likely the call was made for a request at all, before it is asked for which. */
function singleTrust(
  supports: readonly Support<unknown>[],
  trust: Trust,
  orderMost: number,
): number {
  let alone: Support<unknown> | undefined;
  for (const support of supports) {
    if ((support.evidence & (ANY_BACKWARD | EVIDENCE_SHARED_ID)) !== 0) return trust.single;
    if ((support.evidence & ANY_FORWARD) !== 0) alone = support;
  }
  if (alone === undefined) return trust.singleAlone;
  return alone.ordinal > 1
    ? Math.min(trust.single, forwardTrust(trust, orderMost, alone))
    : trust.single;
}

/** Forward evidence for this request, with or without backward evidence that confirms it. */
function forwardTrust(trust: Trust, orderMost: number, named: Support<unknown>): number {
  const { evidence, ordinal } = named;
  if ((evidence & EVIDENCE_THREAD_ORDER) !== 0) return orderTrust(trust, named, orderMost);
  if ((evidence & EVIDENCE_ANSWERED_NEXT) !== 0) return trust.forward;
  const alone = trust.forwardAlone[Math.min(ordinal, ORDINALS) - 1] ?? trust.forward;
  return (evidence & EVIDENCE_CONNECT) === 0 ? alone : Math.min(alone, trust.connectAlone);
}

/** Kinds that name a request independently of each other, by their bits. */
const KINDS: readonly number[] = [EVIDENCE_SHARED_ID, ANY_FORWARD, ANY_BACKWARD];

/** What a kind is worth that names `named`. */
function kindTrust(bits: number, named: Support<unknown>, trust: Trust, orderMost: number): number {
  if (bits === EVIDENCE_SHARED_ID) return SHARED_ID_TRUST;
  if (bits === ANY_FORWARD) return doubted(forwardTrust(trust, orderMost, named), named);
  return (named.evidence & EVIDENCE_ANSWERED_IN_ORDER) === 0
    ? trust.backward
    : orderTrust(trust, named, orderMost);
}

function doubted(trust: number, { doubt, evidence }: Support<unknown>): number {
  if ((evidence & EVIDENCE_THREAD_ORDER) !== 0) return trust;
  switch (doubt) {
    case 'none':
      return trust;
    case 'loop-unseen':
      return Math.min(trust, LOOP_UNSEEN_TRUST);
    case 'read-several':
      return Math.min(trust, READ_SEVERAL_TRUST);
    case 'pool-reuse':
      return (evidence & EVIDENCE_THREAD_RESTORED) === 0 ? trust : trust * POOL_REUSE_TRUST;
    case 'answered-early':
      return (evidence & EVIDENCE_CONNECT) === 0 ? 0 : trust;
  }
}
