import type { Node } from '../balance/balancer.ts';

export type HealthState = 'healthy' | 'mostly_healthy' | 'unhealthy' | 'mostly_unhealthy';
export type HealthEvent = 'success' | 'http_failure' | 'tcp_failure' | 'timeout_failure';

export interface HealthThresholds {
  readonly successes: number;
  readonly http_failure: number;
  readonly tcp_failure: number;
  readonly timeout_failure: number;
}

export type HealthCounters = Readonly<Record<HealthEvent, number>>;

export interface NodeHealth {
  readonly state: HealthState;
  readonly counters: HealthCounters;
  /** What was last seen to go wrong; undefined when nothing was. */
  readonly reason: string | undefined;
}

/** An event that has told something new. */
export interface HealthReport {
  /** Key of the node. */
  readonly node: string;
  readonly event: HealthEvent;
  /** After so many in a row the node changes its state. */
  readonly threshold: number;
  readonly reason?: string | undefined;
}

/** What probes and requests have shown about the nodes of one upstream. */
export interface HealthBook {
  isUsable(node: Node): boolean;
  hasUnhealthy(): boolean;
  /** A threshold of 0 means that such events are not counted. */
  report(node: Node, event: HealthEvent, thresholds: HealthThresholds, reason?: string): void;
  /** As `report`, for what another process of this gateway has seen. */
  take(report: HealthReport): void;
  of(node: Node): NodeHealth;
  /** Of every node that something is known of. */
  all(): readonly (readonly [key: string, health: NodeHealth])[];
  /** What another process knows, where nothing is known here. */
  learn(known: readonly (readonly [key: string, health: NodeHealth])[]): void;
  /** Forgets every node but these. */
  keep(nodes: readonly Node[]): void;
}

const COUNT_MAX = 254;
const NOTHING: HealthCounters = { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 };
const UNKNOWN: NodeHealth = { state: 'healthy', counters: NOTHING, reason: undefined };

/**
 * A success forgets failures and a failure forgets successes: only runs of one kind decide. `tell`
 * gets each report that has told something new.
 */
export function createHealthBook(tell: (report: HealthReport) => void): HealthBook {
  const known = new Map<string, NodeHealth>();
  let unhealthyCount = 0;

  function write(key: string, next: NodeHealth): void {
    const before = known.get(key)?.state ?? 'healthy';
    known.set(key, next);
    unhealthyCount += Number(isBad(next.state)) - Number(isBad(before));
  }

  function take({ node, event, threshold, reason }: HealthReport): boolean {
    const before = known.get(node) ?? UNKNOWN;
    const next = after(before, event, threshold, reason);
    if (next === before) return false;
    write(node, next);
    return true;
  }

  return {
    isUsable: ({ key }) => !isBad(known.get(key)?.state ?? 'healthy'),
    hasUnhealthy: () => unhealthyCount > 0,
    of: ({ key }) => known.get(key) ?? UNKNOWN,
    report({ key }, event, thresholds, reason) {
      const threshold = event === 'success' ? thresholds.successes : thresholds[event];
      if (threshold === 0) return;
      const report = { node: key, event, threshold, reason };
      if (take(report)) tell(report);
    },
    take: (report) => void take(report),
    all: () => [...known],
    learn(others) {
      for (const [key, health] of others) if (!known.has(key)) write(key, health);
    },
    keep(nodes) {
      const kept = new Set(nodes.map(({ key }) => key));
      for (const [key, { state }] of known) {
        if (kept.has(key)) continue;
        known.delete(key);
        unhealthyCount -= Number(isBad(state));
      }
    },
  };
}

function after(
  before: NodeHealth,
  event: HealthEvent,
  threshold: number,
  reason: string | undefined,
): NodeHealth {
  const isGood = event === 'success';
  const wasBad = isBad(before.state);
  // Nothing to tell: a healthy node that does well, an unhealthy one that does badly.
  if (isGood && before.state === 'healthy') return before;
  if (!isGood && before.state === 'unhealthy') {
    return before.reason === reason ? before : { ...before, reason };
  }
  const count = Math.min(COUNT_MAX, before.counters[event] + 1);
  const counters = isGood
    ? { ...NOTHING, success: count }
    : { ...before.counters, success: 0, [event]: count };
  if (count < threshold) {
    const state = wasBad ? (isGood ? 'mostly_unhealthy' : 'unhealthy') : 'mostly_healthy';
    return { state, counters, reason: isGood ? before.reason : reason };
  }
  if (isGood) return { state: 'healthy', counters, reason: undefined };
  return { state: 'unhealthy', counters, reason };
}

function isBad(state: HealthState): boolean {
  return state === 'unhealthy' || state === 'mostly_unhealthy';
}
