import type { CommonKind } from '../../workers/hub.ts';

export interface BucketAsk {
  /** Requests a second. */
  readonly rate: number;
  /** Requests above the rate that may wait. */
  readonly burst: number;
  readonly nowMs: number;
}

export interface LeakyBucket {
  /** How long the request must wait, in ms; undefined when it is refused. */
  take(key: string, ask: BucketAsk): number | undefined;
}

interface Level {
  /** Requests above the rate. */
  excess: number;
  lastMs: number;
}

/**
 * A bucket for each key that leaks at the rate. Past `keysMax` the oldest key is forgotten.
 * Source: nginx, `limit_req`.
 */
export function createLeakyBucket({ keysMax }: { readonly keysMax: number }): LeakyBucket {
  const levels = new Map<string, Level>();
  return {
    take(key, { rate, burst, nowMs }) {
      const level = levels.get(key);
      if (level === undefined) {
        const oldest = levels.size >= keysMax ? levels.keys().next() : undefined;
        if (oldest?.done === false) levels.delete(oldest.value);
        levels.set(key, { excess: 0, lastMs: nowMs });
        return 0;
      }
      const leaked = (rate * Math.max(0, nowMs - level.lastMs)) / 1_000;
      const excess = Math.max(0, level.excess - leaked + 1);
      if (excess > burst) return undefined;
      level.excess = excess;
      level.lastMs = nowMs;
      return (excess / rate) * 1_000;
    },
  };
}

/** Keys held for one configuration; past it the oldest is forgotten. */
const KEYS_MAX = 100_000;

export const LEAKY_BUCKET: CommonKind<LeakyBucket, undefined> = {
  name: 'leaky-bucket',
  make: () => createLeakyBucket({ keysMax: KEYS_MAX }),
};
