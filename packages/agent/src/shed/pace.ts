import type { Budget } from './budget.ts';

export interface Pace {
  /** Call it after each drain: it books what was used, and begins or ends a slice when it is time. */
  tick(nowMs: number): void;
  /** Milliseconds in which traffic was looked at, and in which it was not. */
  counters(): { readonly looked_ms: number; readonly rested_ms: number };
}

export interface PaceOptions {
  readonly budget: Budget;
  /** CPU seconds that the agent costs, its probes included. */
  readonly used: () => number;
  /** Idle seconds of all cores. */
  readonly idle: () => number;
  /** Whether the kernel stopped looking by itself, because the ring was nearly full. */
  readonly isRingFull: () => boolean;
  readonly look: () => void;
  readonly rest: () => void;
}

/** The machine's idle time is read so often: it costs more than a tick, and moves slowly. */
export const ADAPT_MS = 250;

/** Divides time into slices that are looked at and rests, as the budget says. */
export function createPace({ budget, used, idle, isRingFull, look, rest }: PaceOptions): Pace {
  let lastMs: number | undefined;
  let adaptedMs = -Infinity;
  let isLooking = true;
  let lookedMs = 0;
  let restedMs = 0;

  return {
    tick(nowMs) {
      const sinceMs = nowMs - (lastMs ?? nowMs);
      lastMs = nowMs;
      if (isLooking) lookedMs += sinceMs;
      else restedMs += sinceMs;
      const reading = { seconds: used(), atMs: nowMs };
      if (nowMs - adaptedMs >= ADAPT_MS) {
        adaptedMs = nowMs;
        budget.adapt(reading, idle());
      }
      budget.book(reading);
      if (isLooking && isRingFull()) budget.exhaust();
      if (budget.isLooking === isLooking) return;
      isLooking = budget.isLooking;
      if (isLooking) look();
      else rest();
    },
    counters: () => ({ looked_ms: Math.round(lookedMs), rested_ms: Math.round(restedMs) }),
  };
}
