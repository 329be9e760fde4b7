/** CPU seconds since some start, read at one moment. */
export interface CpuReading {
  readonly seconds: number;
  readonly atMs: number;
}

export interface BudgetOptions {
  /** What may be used of a machine without CPU to spare, in cores. */
  readonly coresLeast: number;
  /** What may be used however much is idle, in cores. */
  readonly coresMost: number;
  /** Cores of the machine. */
  readonly cores: number;
}

export interface Budget {
  /** Moves the allowance by what the machine had to spare since the last call. */
  adapt(used: CpuReading, idleSeconds: number): void;
  /** Books what was used since the last call, and what time has earned. */
  book(used: CpuReading): void;
  /** The ring was full: there is no credit until time has earned some. */
  exhaust(): void;
  /** Whether traffic is to be looked at: until the credit is spent, then not until it is full again. */
  readonly isLooking: boolean;
  readonly allowedCores: number;
}

/** Credit that can be saved up: what the allowance earns in so long. It sets the length of a slice. */
const CREDIT_S = 1;
/** What a drain of a full ring may overdraw, in full credits; more is forgiven. */
const DEBT_MOST = 4;
/** Idle time that is left to others, as a share of the cores. */
const RESERVE = 0.2;
/** The allowance falls at once and grows by this share of the difference a call. */
const GROWTH = 0.25;

/**
 * Keeps the agent's CPU at an allowance: each second earns `allowedCores` CPU seconds of credit, all
 * that the agent uses is taken from it, and traffic is looked at while there is some. The allowance
 * is what the machine has to spare, the agent's own use included, between a least and a most. Where
 * the least is the whole machine nothing is ever turned away.
 */
export function createBudget({ coresLeast, coresMost, cores }: BudgetOptions): Budget {
  const least = Math.min(coresLeast, coresMost);
  const isBounded = least < cores;
  let allowed = coresMost;
  let credit = allowed * CREDIT_S;
  let isLooking = true;
  let booked: CpuReading | undefined;
  let adapted: { used: CpuReading; idleSeconds: number } | undefined;

  function settle(): void {
    const full = allowed * CREDIT_S;
    credit = Math.min(full, Math.max(-DEBT_MOST * full, credit));
    if (credit <= 0) isLooking = !isBounded;
    else if (credit >= full) isLooking = true;
  }

  return {
    get isLooking() {
      return isLooking;
    },
    get allowedCores() {
      return allowed;
    },
    adapt(used, idleSeconds) {
      const before = adapted;
      adapted = { used, idleSeconds };
      const seconds = before === undefined ? 0 : (used.atMs - before.used.atMs) / 1e3;
      if (before === undefined || seconds <= 0) return;
      const own = (used.seconds - before.used.seconds) / seconds;
      const spare = own + (idleSeconds - before.idleSeconds) / seconds - RESERVE * cores;
      const target = Math.min(coresMost, Math.max(least, spare));
      allowed += (target - allowed) * (target < allowed ? 1 : GROWTH);
      settle();
    },
    book(used) {
      const before = booked;
      booked = used;
      if (before === undefined) return;
      credit += ((used.atMs - before.atMs) / 1e3) * allowed - (used.seconds - before.seconds);
      settle();
    },
    exhaust() {
      credit = Math.min(credit, 0);
      settle();
    },
  };
}
