/**
 * Which way of looking a process's calls can be believed. Forward evidence is what its thread did
 * before the call, backward evidence is the request that was answered right after the call's answer.
 * Both are spoilt where work that nobody's bytes announce (a timer, a finished file read) runs in the
 * turn of another request. They cannot both be right where they name different requests, so each
 * process's own calls tell which of the two is spoilt. Until they have, one kind alone is unproven.
 */
export type Trust = 'unproven' | 'both' | 'forward' | 'backward' | 'neither';

export interface TrustCounts {
  /** Calls with both, naming one request. */
  agreed: number;
  /** Calls with both, naming two. */
  disputed: number;
  forwardOnly: number;
  backwardOnly: number;
  /** Calls that had candidates, but neither. */
  unseen: number;
  /** A call that a second request claimed backwards: one of them is wrong. */
  claimedTwice: number;
  /** A call whose forward request had made one before. Fan-out does that too. */
  madeAgain: number;
}

export function createTrustCounts(): TrustCounts {
  return {
    agreed: 0,
    disputed: 0,
    forwardOnly: 0,
    backwardOnly: 0,
    unseen: 0,
    claimedTwice: 0,
    madeAgain: 0,
  };
}

/** Fewer calls with both kinds say nothing yet. */
const OVERLAP_MIN = 8;
const CALLS_MIN = 16;
/** A kind that is believed against the other one speaks for at least this share of the calls. */
const COVERAGE_MIN = 0.5;
const SPOILT_SHARE = 0.1;
/** Past it all counts are halved: a process may change its ways. */
const CALLS_MAX = 1_024;

export function trustOf(counts: TrustCounts): Trust {
  const overlap = counts.agreed + counts.disputed;
  if (overlap < OVERLAP_MIN) {
    // Many calls for one request and no answer that confirms them: met by chance.
    const made = counts.forwardOnly + overlap;
    const isSpoilt = made >= CALLS_MIN && counts.madeAgain / made > SPOILT_SHARE;
    return isSpoilt ? 'neither' : 'unproven';
  }
  if (counts.disputed <= counts.agreed) return 'both';
  const forward = counts.forwardOnly + overlap;
  const backward = counts.backwardOnly + overlap;
  const calls = forward + counts.backwardOnly + counts.unseen;
  const isForwardWide = forward / calls >= COVERAGE_MIN;
  const isBackwardWide = backward / calls >= COVERAGE_MIN;
  if (isForwardWide !== isBackwardWide) return isForwardWide ? 'forward' : 'backward';
  if (!isForwardWide) return 'neither';
  const isBackwardSpoilt = counts.claimedTwice / backward > SPOILT_SHARE;
  if (!isBackwardSpoilt) return 'backward';
  return counts.madeAgain / forward > SPOILT_SHARE ? 'neither' : 'forward';
}

/** Keeps the counts to what the process did lately. */
export function ageTrustCounts(counts: TrustCounts): void {
  const { agreed, disputed, forwardOnly, backwardOnly, unseen } = counts;
  if (agreed + disputed + forwardOnly + backwardOnly + unseen < CALLS_MAX) return;
  counts.agreed = agreed >> 1;
  counts.disputed = disputed >> 1;
  counts.forwardOnly = forwardOnly >> 1;
  counts.backwardOnly = backwardOnly >> 1;
  counts.unseen = unseen >> 1;
  counts.claimedTwice >>= 1;
  counts.madeAgain >>= 1;
}
