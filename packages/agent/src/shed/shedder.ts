/** CPU that was used and that was idle, counted since some start, in seconds. */
export interface CpuTimes {
  /** The capture thread. */
  readonly agent: number;
  /** All cores of the machine: their idle time. */
  readonly idle: number;
  readonly atMs: number;
}

export interface ShedderOptions {
  /** Cores that the capture thread may use while the machine has some to spare. */
  readonly budgetCores: number;
  /** What it may use of a machine that has none, as a share of its cores. */
  readonly busyShare: number;
  readonly cores: number;
}

export interface Shedder {
  /**
   * Decides the next period from what the last one cost. Answers the share of it, from `SHARE_MIN`
   * to 1, during which transfers are looked at; `lost` counts events for which the ring had no room.
   */
  next(now: CpuTimes, lost: number): number;
  readonly share: number;
}

/** So much is always looked at: enough to see what goes on, and to notice when there is room. */
export const SHARE_MIN = 0.02;
/** Less idle time than this share of the cores is a busy machine. */
const IDLE_SPARE = 0.05;
/** Grows by so much a period at most: a burst of work must not follow a quiet second. */
const GROWTH = 1.25;
/** Below its budget by this much the share may grow; in between it stays, so that it does not swing. */
const ROOM = 0.85;

/**
 * Keeps the capture thread's CPU within a budget by looking at all traffic for a part of each period and at
 * none in the rest. Slices of time, not of connections: requests share upstream connections, so only
 * a slice that is the same for every process keeps traces whole (but for those at its edges).
 */
export function createShedder({ budgetCores, busyShare, cores }: ShedderOptions): Shedder {
  let share = 1;
  let last: CpuTimes | undefined;
  let lastLost = 0;

  return {
    get share() {
      return share;
    },
    next(now, lost) {
      const before = last;
      const isLossy = lost > lastLost;
      last = now;
      lastLost = lost;
      const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1e3;
      if (before === undefined || seconds <= 0) return share;
      const used = (now.agent - before.agent) / seconds;
      const idle = (now.idle - before.idle) / seconds;
      const isBusy = idle < IDLE_SPARE * cores;
      const budget = isBusy ? Math.min(budgetCores, busyShare * cores) : budgetCores;
      if (used > budget) share *= Math.max(0.25, budget / used);
      else if (isLossy) share *= 0.5;
      else if (used < ROOM * budget) share *= GROWTH;
      share = Math.min(1, Math.max(SHARE_MIN, share));
      return share;
    },
  };
}
