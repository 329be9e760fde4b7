/** Whether requests to one place go through, by what became of those before. Times in ms. */
export interface Circuit {
  /** False while it is open. A request that is let through is `settle`d once. */
  admit(nowMs: number): boolean;
  settle(status: number, nowMs: number): void;
}

export interface CountPolicy {
  readonly unhealthyStatuses: readonly number[];
  readonly healthyStatuses: readonly number[];
  readonly failures: number;
  readonly successes: number;
  readonly breakMaxMs: number;
}

/**
 * Opens after each run of `failures`, for 2 s, 4 s, 8 s and so on; `successes` in a row forget all.
 * While it is closed again everything goes through. Source: APISIX, `api-breaker`.
 */
export function createCountingCircuit(policy: CountPolicy): Circuit {
  let failed = 0;
  let succeeded = 0;
  let openedMs: number | undefined;
  return {
    admit(nowMs) {
      if (openedMs === undefined) return true;
      const runs = Math.max(1, Math.floor(failed / policy.failures));
      const breakMs = Math.min(policy.breakMaxMs, 1_000 * 2 ** Math.min(runs, 30));
      return nowMs > openedMs + breakMs;
    },
    settle(status, nowMs) {
      if (policy.unhealthyStatuses.includes(status)) {
        failed += 1;
        succeeded = 0;
        if (failed % policy.failures === 0) openedMs = nowMs;
      } else if (policy.healthyStatuses.includes(status) && failed > 0) {
        succeeded += 1;
        if (succeeded < policy.successes) return;
        failed = 0;
        succeeded = 0;
        openedMs = undefined;
      }
    },
  };
}

export interface RatioPolicy {
  readonly unhealthyStatuses: readonly number[];
  readonly errorRatio: number;
  readonly requestsMin: number;
  readonly windowMs: number;
  /** Requests that try whether it is well again. */
  readonly trialMax: number;
  readonly successRatio: number;
  readonly breakMs: number;
}

const SLOTS = 10;

/**
 * Opens when too many of a sliding window's requests fail; after `breakMs` it is half open: a few
 * requests try, and their successes close it or their failures open it again.
 */
export function createRatioCircuit(policy: RatioPolicy): Circuit {
  const slotMs = policy.windowMs / SLOTS;
  let slots: { index: number; total: number; failed: number }[] = [];
  let openedMs: number | undefined;
  let trialsBegun = 0;
  let trialsOver = 0;
  let trialsWell = 0;

  function open(nowMs: number): void {
    openedMs = nowMs;
    slots = [];
    trialsBegun = trialsOver = trialsWell = 0;
  }

  function settleTrial(isWell: boolean, nowMs: number): void {
    trialsOver += 1;
    if (isWell) trialsWell += 1;
    if (trialsOver < policy.trialMax) return;
    if (trialsWell / trialsOver >= policy.successRatio) openedMs = undefined;
    else open(nowMs);
  }

  return {
    admit(nowMs) {
      if (openedMs === undefined) return true;
      if (nowMs < openedMs + policy.breakMs) return false;
      // Trials that never came back may not keep it half open for ever.
      if (nowMs >= openedMs + 2 * policy.breakMs && trialsBegun >= policy.trialMax) {
        trialsBegun = trialsOver;
        openedMs = nowMs - policy.breakMs;
      }
      if (trialsBegun >= policy.trialMax) return false;
      trialsBegun += 1;
      return true;
    },
    settle(status, nowMs) {
      const isWell = !policy.unhealthyStatuses.includes(status);
      if (openedMs !== undefined) {
        if (trialsBegun > trialsOver) settleTrial(isWell, nowMs);
        return;
      }
      const index = Math.floor(nowMs / slotMs);
      slots = slots.filter((slot) => slot.index > index - SLOTS);
      let slot = slots.at(-1);
      if (slot?.index !== index) {
        slot = { index, total: 0, failed: 0 };
        slots.push(slot);
      }
      slot.total += 1;
      if (!isWell) slot.failed += 1;
      const total = slots.reduce((sum, one) => sum + one.total, 0);
      const failed = slots.reduce((sum, one) => sum + one.failed, 0);
      if (total >= policy.requestsMin && failed / total >= policy.errorRatio) open(nowMs);
    },
  };
}
