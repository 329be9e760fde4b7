/**
 * How far the evidence of a process can be believed, estimated from its own calls: how often a kind
 * names the true request for a reason, rather than by chance. Each is between 0 and 1.
 */
export interface Trust {
  /** What the thread did before the call names the request, and so does backward evidence. */
  readonly forward: number;
  /** It names the request, and backward evidence does not: by how many calls it gave to it so far. */
  readonly forwardAlone: readonly number[];
  /** The most of it where the thread's past is that of the connection: who opened one may not be who uses it. */
  readonly connectAlone: number;
  /** The request that is answered right after the call's answer was read made the call. */
  readonly backward: number;
  /** What a thread sends follows the order of what it read: calls its requests, answers its answers. */
  readonly order: number;
  /** The same where something waits for a later round, as far as both directions agree. */
  readonly orderAcross: number;
  /** The only open request made the call: it is no work of the process's own. */
  readonly single: number;
  /** The same for a call that no other evidence names a request for. */
  readonly singleAlone: number;
}

/** Calls counted per request: how many requests, their calls, and the squares of their calls. */
export interface Spread {
  requests: number;
  calls: number;
  squares: number;
}

/** Calls for which two kinds of evidence name a request; how many agree; how many would by chance. */
export interface Overlap {
  overlap: number;
  agreed: number;
  byChance: number;
}

export interface TrustCounts {
  /** Calls that forward evidence gave to each answered request. */
  readonly forward: Spread;
  /** Answered requests to which it gave at least one call, two, …. */
  readonly atLeast: number[];
  /** Calls without other evidence, of requests that were alone in their process. */
  readonly single: Spread;
  /** Answered requests, and answered calls that had a request to belong to. */
  answeredRequests: number;
  answeredCalls: number;
  /** Calls that backward evidence gave to a request. */
  claimed: number;
  /** Calls with both kinds; how many of them name one request; how many would by chance. */
  overlap: number;
  agreed: number;
  byChance: number;
  /** Of them those whose forward evidence is who opened the connection. */
  readonly connect: Overlap;
  /**
   * The same for the order of a thread, forwards and backwards, in whole rounds. It gives each request one call whether
   * right or not, so nothing but the agreement of its two directions tells.
   */
  readonly order: Overlap;
  /** The same where one of both was told across rounds. */
  readonly orderAcross: Overlap;
  /** Compared with the ids that the traffic carries: forward evidence alone, and backward evidence. */
  forwardRight: number;
  forwardWrong: number;
  backwardRight: number;
  backwardWrong: number;
}

/** Calls of one request that are told apart by their order; further ones are like the last. */
export const ORDINALS = 8;
/** Weight of what is assumed before anything was seen, in calls. */
const PRIOR_CALLS = 6;
/** Below the shown mark: one kind alone is unknown until the process has shown its ways. */
const PRIOR_FORWARD = 0.4;
const PRIOR_BACKWARD = 0.4;
const PRIOR_SINGLE = 0.85;
/** Fewer calls with both kinds, without those that agree by chance, say nothing. */
const OVERLAP_MIN = 4;
/** Two kinds of about equal worth that name different requests: none can be preferred. */
const EQUAL_WORTH = 0.25;
/** Fewer calls whose ids tell are no measurement yet. */
const MEASURED_MIN = 16;
const TRUST_MOST = 0.999;
/** Past it all counts are halved: a process may change its ways. */
const REQUESTS_MAX = 1_024;
/** What a new process takes over from one of the same program, in requests. */
const INHERITED_MAX = 40;

export function createTrustCounts(): TrustCounts {
  return {
    forward: createSpread(),
    atLeast: new Array<number>(ORDINALS).fill(0),
    single: createSpread(),
    answeredRequests: 0,
    answeredCalls: 0,
    claimed: 0,
    overlap: 0,
    agreed: 0,
    byChance: 0,
    connect: createOverlap(),
    order: createOverlap(),
    orderAcross: createOverlap(),
    forwardRight: 0,
    forwardWrong: 0,
    backwardRight: 0,
    backwardWrong: 0,
  };
}

function createOverlap(): Overlap {
  return { overlap: 0, agreed: 0, byChance: 0 };
}

function createSpread(): Spread {
  return { requests: 0, calls: 0, squares: 0 };
}

export function addCalls(spread: Spread, calls: number): void {
  spread.requests += 1;
  spread.calls += calls;
  spread.squares += calls * calls;
}

/**
 * Counts an answered request, to which forward evidence gave `namedCount` calls; `forwardCount` of
 * them are surely not a pool's waiters.
 */
export function countAnswered(
  counts: TrustCounts,
  forwardCount: number,
  namedCount = forwardCount,
): void {
  counts.answeredRequests += 1;
  addCalls(counts.forward, forwardCount);
  for (let at = 0; at < namedCount && at < ORDINALS; at += 1) {
    counts.atLeast[at] = (counts.atLeast[at] ?? 0) + 1;
  }
  if (counts.answeredRequests >= REQUESTS_MAX) scale(counts, counts, 1 / 2);
}

/**
 * Estimates from counts. Requests of one kind make about equally many calls each, while calls that
 * meet a request by chance are scattered: their variance is at least their mean. So the variance over
 * the mean is the share of chance. Backward evidence that is real claims a call for each request.
 * Where both kinds overlap they cannot both be right more often than they agree. A call that only
 * forward evidence gives to a request, beyond the calls that most requests make, is met by chance. What
 * ids told of the same process goes before all of it.
 */
export function trustOf(counts: TrustCounts): Trust {
  const regular =
    measured(counts.forwardRight, counts.forwardWrong) ?? regularity(counts.forward, PRIOR_FORWARD);
  let forward = regular;
  let backward =
    (counts.claimed + PRIOR_CALLS * PRIOR_BACKWARD) /
    (Math.min(counts.answeredRequests, counts.answeredCalls) + PRIOR_CALLS);
  const both = agreement(counts);
  if (both !== undefined) {
    forward = Math.max(forward, both);
    backward = Math.max(backward, both);
    if (both < forward * backward - EQUAL_WORTH) {
      const isEqual = Math.abs(forward - backward) < EQUAL_WORTH;
      if (isEqual || forward < backward) forward = both;
      if (isEqual || forward > backward) backward = both;
    }
  }
  const single = bounded(regularity(counts.single, PRIOR_SINGLE));
  // How often a call that was made for a request has no forward evidence.
  const silence = Math.max(0, 1 - counts.overlap / (counts.claimed + PRIOR_CALLS));
  const alone = bounded(Math.min(regular, forward));
  return {
    forward: bounded(forward),
    forwardAlone: counts.atLeast.map((requests) =>
      Math.min(
        alone,
        (requests + PRIOR_CALLS * PRIOR_FORWARD) / (counts.answeredRequests + PRIOR_CALLS),
      ),
    ),
    // Disputes say as much as the backward evidence that they come from.
    connectAlone: bounded(1 - backward * (1 - (agreement(counts.connect) ?? 1))),
    backward: measured(counts.backwardRight, counts.backwardWrong) ?? bounded(backward),
    order: bounded(agreement(counts.order) ?? 0),
    orderAcross: bounded(agreement(counts.orderAcross) ?? 0),
    single,
    singleAlone: (single * silence) / (single * silence + 1 - single),
  };
}

/**
 * How often two kinds are both right, by how often they agree beyond chance; undefined while too few
 * calls say so.
 */
function agreement({ overlap, agreed, byChance }: Overlap): number | undefined {
  const distinct = overlap - byChance;
  if (distinct < OVERLAP_MIN) return undefined;
  return Math.max(0, (agreed - byChance) / (distinct + 1));
}

function regularity({ requests, calls, squares }: Spread, prior: number): number {
  const scatter = requests === 0 ? 0 : squares - (calls * calls) / requests;
  return 1 - (scatter + PRIOR_CALLS * (1 - prior)) / (calls + PRIOR_CALLS);
}

function measured(right: number, wrong: number): number | undefined {
  if (right + wrong < MEASURED_MIN) return undefined;
  return bounded((right + 0.5) / (right + wrong + 1));
}

function bounded(trust: number): number {
  return Math.min(TRUST_MOST, Math.max(0, trust));
}

/** What a new process of the same program begins with: the same, but soon outvoted. */
export function inheritTrustCounts(from: TrustCounts): TrustCounts {
  const counts = createTrustCounts();
  scale(counts, from, Math.min(1, INHERITED_MAX / Math.max(1, from.answeredRequests)));
  return counts;
}

function scale(to: TrustCounts, from: TrustCounts, by: number): void {
  for (const kind of ['forward', 'single'] as const) {
    to[kind].requests = from[kind].requests * by;
    to[kind].calls = from[kind].calls * by;
    to[kind].squares = from[kind].squares * by;
  }
  from.atLeast.forEach((requests, at) => {
    to.atLeast[at] = requests * by;
  });
  to.answeredRequests = from.answeredRequests * by;
  to.answeredCalls = from.answeredCalls * by;
  to.claimed = from.claimed * by;
  scaleOverlap(to, from, by);
  scaleOverlap(to.connect, from.connect, by);
  scaleOverlap(to.order, from.order, by);
  scaleOverlap(to.orderAcross, from.orderAcross, by);
  to.forwardRight = from.forwardRight * by;
  to.forwardWrong = from.forwardWrong * by;
  to.backwardRight = from.backwardRight * by;
  to.backwardWrong = from.backwardWrong * by;
}

function scaleOverlap(to: Overlap, from: Overlap, by: number): void {
  to.overlap = from.overlap * by;
  to.agreed = from.agreed * by;
  to.byChance = from.byChance * by;
}
