/** Time as deadlines need it: asked for many times a request, and no matter if it is a little old. */
export interface CoarseClock {
  /** Unix ms at the last `tick`. */
  now(): number;
  /** Called where a round of events begins, and by a timer. */
  tick(): void;
}

export function createCoarseClock(now: () => number): CoarseClock {
  let nowMs = now();
  return {
    now: () => nowMs,
    tick() {
      nowMs = now();
    },
  };
}
