import type { CpuTimes, Shedder } from './shedder.ts';

export interface Pace {
  /** Call it often: it looks at the clock, and begins or ends a slice when it is time. */
  tick(nowMs: number): void;
  /** Milliseconds in which traffic was looked at, and in which it was not. */
  counters(): { readonly looked_ms: number; readonly rested_ms: number };
}

export interface PaceOptions {
  readonly shedder: Shedder;
  readonly cpu: (nowMs: number) => CpuTimes;
  /** Events lost so far. */
  readonly lost: () => number;
  readonly look: () => void;
  readonly rest: () => void;
}

/** Long beside a request, so that few traces lie on an edge; short beside a chart's point. */
export const PERIOD_MS = 500;

/** Divides each period into a slice that is looked at and a rest, as the shedder says. */
export function createPace({ shedder, cpu, lost, look, rest }: PaceOptions): Pace {
  let periodStart: number | undefined;
  let lastMs = 0;
  let isLooking = true;
  let lookedMs = 0;
  let restedMs = 0;

  return {
    tick(nowMs) {
      if (periodStart === undefined) {
        periodStart = nowMs;
        lastMs = nowMs;
        shedder.next(cpu(nowMs), lost());
        return;
      }
      if (isLooking) lookedMs += nowMs - lastMs;
      else restedMs += nowMs - lastMs;
      lastMs = nowMs;
      if (nowMs - periodStart >= PERIOD_MS) {
        periodStart = nowMs;
        shedder.next(cpu(nowMs), lost());
        if (!isLooking) look();
        isLooking = true;
      } else if (isLooking && nowMs - periodStart >= shedder.share * PERIOD_MS) {
        isLooking = false;
        rest();
      }
    },
    counters: () => ({ looked_ms: Math.round(lookedMs), rested_ms: Math.round(restedMs) }),
  };
}
