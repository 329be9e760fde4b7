import {
  EVIDENCE_ANSWERED_NEXT,
  EVIDENCE_CONNECT,
  EVIDENCE_SHARED_ID,
  EVIDENCE_SINGLE_OPEN,
  EVIDENCE_THREAD,
  EVIDENCE_THREAD_RESTORED,
  LINK_SHOWN,
} from '@thalweg/model';
import type { Trust } from './trust.ts';

/** What the evidence of one call says about one open request that may have caused it. */
export interface Support<Candidate> {
  readonly candidate: Candidate;
  /** Bits of `LINK_EVIDENCE`; 0 when nothing speaks for it but that it was open. */
  readonly evidence: number;
  readonly doubt: Doubt;
}

/**
 * Why evidence of the thread is worth less. `pool-reuse`: it answered another request on this very
 * socket just before, so a waiter for the socket may be next. `loop-unseen`: turns of event loops are
 * not observed here, so what was read long ago looks like a cause. `answered-early`: it was a pool's
 * reuse, and the request was answered before the call was.
 */
export type Doubt = 'none' | 'pool-reuse' | 'loop-unseen' | 'answered-early';

export interface Link<Candidate> {
  readonly parent: Candidate | undefined;
  readonly probability: number;
  readonly evidence: number;
  /** What else it may be, best first, at most `ALTERNATIVES_MAX`. */
  readonly alternatives: readonly { readonly candidate: Candidate; readonly probability: number }[];
}

/**
 * How often each kind of evidence, alone, names the right parent. Starting values of the
 * auto-tracing design (its table of evidence kinds); to be replaced by measured ones per service.
 */
const PRECISION: readonly (readonly [bit: number, precision: number])[] = [
  [EVIDENCE_SHARED_ID, 0.999],
  [EVIDENCE_CONNECT, 0.97],
  [EVIDENCE_THREAD, 0.97],
  [EVIDENCE_THREAD_RESTORED, 0.97],
  [EVIDENCE_ANSWERED_NEXT, 0.97],
  // Below the solid mark: a background call may fall into the only open request by chance.
  [EVIDENCE_SINGLE_OPEN, 0.85],
];
const POOL_REUSE_PRECISION = 0.55;
const LOOP_UNSEEN_PRECISION = 0.75;
const ANSWERED_EARLY_PRECISION = 0.1;
/** Of a kind that the process's own calls have shown to be met by chance. */
const SPOILT_PRECISION = 0.1;
/** Of a kind that stands alone while the process's calls have not shown yet that it can. */
const UNPROVEN_PRECISION = 0.85;
const THREAD_KINDS = [EVIDENCE_THREAD, EVIDENCE_THREAD_RESTORED];
const FORWARD_KINDS = [...THREAD_KINDS, EVIDENCE_CONNECT];
const BACKWARD_KINDS = [EVIDENCE_ANSWERED_NEXT];

/** Bits of the evidence that the thread's past gives. */
export const FORWARD_EVIDENCE = FORWARD_KINDS.reduce((all, bit) => all | bit, 0);
const ALTERNATIVES_MAX = 3;
const NONE = [] as const;

/**
 * Weighs the evidence. Each kind contributes its odds; what no evidence supports shares a weight of
 * one with "none of them", so a candidate's probability does not fall with the mere number of
 * requests that are open; `unnamedCount` of these are not in `supports`. No parent is named below `LINK_SHOWN`: unknown stays unknown.
 */
export function decideLink<Candidate>(
  supports: readonly Support<Candidate>[],
  unnamedCount = 0,
  trust: Trust = 'unproven',
): Link<Candidate> {
  const odds = ODDS[trust];
  const only = supports.length === 1 ? supports[0] : undefined;
  if (only !== undefined && only.evidence !== 0) {
    const weight = weightOf(odds, only);
    const probability = weight / (weight + 1);
    if (probability >= LINK_SHOWN) {
      return { parent: only.candidate, probability, evidence: only.evidence, alternatives: NONE };
    }
  }
  const weighed = supports.map((support) => ({ ...support, weight: weightOf(odds, support) }));
  const backed = weighed.filter(({ evidence }) => evidence !== 0);
  const unbackedShare = 1 / (weighed.length - backed.length + unnamedCount + 1);
  const total = backed.reduce((sum, { weight }) => sum + weight, 1);
  const ranked = weighed
    .map(({ candidate, evidence, weight }) => ({
      candidate,
      evidence,
      probability: (evidence === 0 ? unbackedShare : weight) / total,
    }))
    .sort((one, other) => other.probability - one.probability);

  const best = ranked[0];
  const isShown = best !== undefined && best.evidence !== 0 && best.probability >= LINK_SHOWN;
  return {
    parent: isShown ? best.candidate : undefined,
    probability: isShown ? best.probability : 0,
    evidence: isShown ? best.evidence : 0,
    alternatives: ranked
      .slice(isShown ? 1 : 0)
      .filter(({ probability }) => probability > 0.01)
      .slice(0, ALTERNATIVES_MAX)
      .map(({ candidate, probability }) => ({ candidate, probability })),
  };
}

/** Odds of every combination of evidence, so that a call costs a look-up. */
const ODDS: Readonly<Record<Trust, OddsByDoubt>> = {
  unproven: oddsByDoubt([...FORWARD_KINDS, ...BACKWARD_KINDS], UNPROVEN_PRECISION),
  both: oddsByDoubt([]),
  forward: oddsByDoubt(BACKWARD_KINDS),
  backward: oddsByDoubt(FORWARD_KINDS),
  neither: oddsByDoubt([...FORWARD_KINDS, ...BACKWARD_KINDS]),
};

type OddsByDoubt = Readonly<Record<Doubt, Float64Array>>;

function oddsByDoubt(bits: readonly number[], most = SPOILT_PRECISION): OddsByDoubt {
  const believed = lowered(PRECISION, bits, most);
  const doubted = (kinds: readonly number[], precision: number): Float64Array =>
    oddsOf(lowered(believed, kinds, precision));
  return {
    none: oddsOf(believed),
    'pool-reuse': doubted([EVIDENCE_THREAD_RESTORED], POOL_REUSE_PRECISION),
    'loop-unseen': doubted(FORWARD_KINDS, LOOP_UNSEEN_PRECISION),
    'answered-early': doubted(THREAD_KINDS, ANSWERED_EARLY_PRECISION),
  };
}

/** Never raises what is lower already. */
function lowered(
  precisions: typeof PRECISION,
  bits: readonly number[],
  most: number,
): typeof PRECISION {
  return precisions.map(([bit, alone]) => [
    bit,
    bits.includes(bit) ? Math.min(alone, most) : alone,
  ]);
}

function oddsOf(precisions: readonly (readonly [bit: number, precision: number])[]): Float64Array {
  const combinations = 2 * Math.max(...precisions.map(([bit]) => bit));
  return Float64Array.from({ length: combinations }, (_, evidence) =>
    precisions.reduce(
      (odds, [bit, precision]) =>
        (evidence & bit) === 0 ? odds : (odds * precision) / (1 - precision),
      1,
    ),
  );
}

function weightOf(odds: OddsByDoubt, { evidence, doubt }: Support<unknown>): number {
  return odds[doubt][evidence] ?? 1;
}
