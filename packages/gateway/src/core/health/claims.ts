import type { CommonKind } from '../../workers/hub.ts';

/** Who does what only one process should do, for a while. Times in ms. */
export interface Claims {
  /** 0: it is `process`'s now, for `forMs`. Else how long it is still another's. */
  take(name: string, process: number, nowMs: number, forMs: number): number;
  /** The process has ended. */
  release(process: number): void;
}

export const CLAIMS: CommonKind<Claims, undefined> = {
  name: 'claims',
  make() {
    const held = new Map<string, { readonly process: number; readonly untilMs: number }>();
    return {
      take(name, process, nowMs, forMs) {
        const known = held.get(name);
        if (known !== undefined && known.process !== process && known.untilMs > nowMs) {
          return known.untilMs - nowMs;
        }
        // The newest stand last, so that those that are over leave from the front.
        held.delete(name);
        for (const [older, { untilMs }] of held) {
          if (untilMs > nowMs) break;
          held.delete(older);
        }
        held.set(name, { process, untilMs: nowMs + forMs });
        return 0;
      },
      release(process) {
        for (const [name, one] of held) if (one.process === process) held.delete(name);
      },
    };
  },
};
