/** The longest that a timer of Node's waits, 24.8 days: one that is set for longer fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** `ms`, or the longest that a timer can wait. */
export function timerMs(ms: number): number {
  return Math.min(ms, TIMER_MS_MAX);
}
