import { setImmediate as pause } from 'node:timers/promises';

const TURN_MS = 10;
/** Units between two looks at the clock. */
const UNITS_A_LOOK = 500;

/** For work that would hold the event loop: `if (turns.isDue()) await turns.take()` after each unit. */
export interface Turns {
  /** Whether some ten milliseconds of work were done since the last turn. */
  isDue(): boolean;
  take(): Promise<void>;
}

export function createTurns(): Turns {
  let units = 0;
  let begunMs = performance.now();
  return {
    isDue: () => {
      units += 1;
      if (units < UNITS_A_LOOK) return false;
      units = 0;
      return performance.now() - begunMs >= TURN_MS;
    },
    take: async () => {
      await pause();
      begunMs = performance.now();
    },
  };
}
