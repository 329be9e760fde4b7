import type { CommonKind } from '../workers/hub.ts';

export interface WindowAsk {
  readonly limit: number;
  readonly windowMs: number;
  readonly nowMs: number;
}

export interface WindowAnswer {
  readonly isAllowed: boolean;
  readonly remaining: number;
  /** Until the window ends. */
  readonly resetMs: number;
}

export interface FixedWindow {
  take(key: string, ask: WindowAsk, cost?: number): WindowAnswer;
  /** Keys forgotten because there were too many. */
  forgotten(): number;
}

/**
 * Counts by key, from the first request of a key until its window is over. No timers: a window that
 * is over is found so when its key is asked for again, or makes room when `keysMax` is reached.
 */
export function createFixedWindow({ keysMax }: { readonly keysMax: number }): FixedWindow {
  const windows = new Map<string, { used: number; endMs: number }>();
  let forgotten = 0;

  function open(key: string, endMs: number): { used: number; endMs: number } {
    windows.delete(key);
    if (windows.size >= keysMax) {
      const oldest = windows.keys().next();
      if (oldest.done !== true) windows.delete(oldest.value);
      forgotten += 1;
    }
    const window = { used: 0, endMs };
    windows.set(key, window);
    return window;
  }

  return {
    take(key, { limit, windowMs, nowMs }, cost = 1) {
      let window = windows.get(key);
      if (window === undefined || window.endMs <= nowMs) window = open(key, nowMs + windowMs);
      const resetMs = window.endMs - nowMs;
      if (window.used + cost > limit) return { isAllowed: false, remaining: 0, resetMs };
      window.used += cost;
      return { isAllowed: true, remaining: limit - window.used, resetMs };
    },
    forgotten: () => forgotten,
  };
}

/** Keys held for one configuration; past it the oldest is forgotten. */
const KEYS_MAX = 100_000;

export const FIXED_WINDOW: CommonKind<FixedWindow, undefined> = {
  name: 'fixed-window',
  make: () => createFixedWindow({ keysMax: KEYS_MAX }),
};
