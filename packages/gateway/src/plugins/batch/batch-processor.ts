import type { BatchBook, BatchCounters } from '../../core/batch-book.ts';
import { timerMs } from '../../core/timer-ms.ts';

/** Why the other side did not take a batch, and whether asking again makes sense. */
export interface SendFailure {
  readonly reason: string;
  readonly mayRetry: boolean;
}

export interface BatchOptions {
  readonly name: string;
  /** A batch of so many entries is sent at once. */
  readonly batchMax: number;
  /** Sent when nothing was added for so long … */
  readonly inactiveMs: number;
  /** … or when its oldest entry is so old. */
  readonly bufferMs: number;
  /** Further tries after the first. */
  readonly retriesMax: number;
  readonly retryMs: number;
  /** Entries held or being sent; more are dropped and counted. */
  readonly pendingMax: number;
  /** Batches on their way at the same time; 1 keeps their order. */
  readonly sendsMax?: number;
}

export interface BatchParts<Entry> {
  readonly book: BatchBook;
  /**
   * Undefined when the other side has taken all of them. Rejects or throws where they can never be
   * sent: to a port, say, that is none.
   */
  send(entries: readonly Entry[]): Promise<SendFailure | undefined>;
  warn(message: string): void;
  now(): number;
}

/** Collects entries and sends them together; every entry that is not sent is counted. */
export interface BatchProcessor<Entry> {
  /** False when it was dropped, since too many are waiting. */
  push(entry: Entry, routeId: string, serverAddr: string): boolean;
  /** Sends what is held and waits for it, at most `CLOSE_MS`. Later entries are still taken. */
  close(): Promise<void>;
}

/** A slow sink may not hold everything up. */
const SENDS_MAX = 4;
const CLOSE_MS = 3_000;
/** Losses are told of at most so often, with their number. */
const WARN_MS = 10_000;

interface Held<Entry> {
  readonly entry: Entry;
  readonly counters: BatchCounters;
}

export function createBatchProcessor<Entry>(
  options: BatchOptions,
  parts: BatchParts<Entry>,
): BatchProcessor<Entry> {
  const { name, batchMax, inactiveMs, bufferMs, retriesMax, retryMs, pendingMax } = options;
  const { now } = parts;
  const sendsMax = options.sendsMax ?? SENDS_MAX;
  let held: Held<Entry>[] = [];
  let firstMs = 0;
  let lastMs = 0;
  let pending = 0;
  let sending = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosing = false;
  let whenIdle: (() => void) | undefined;
  let untold = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  const queue: Held<Entry>[][] = [];
  const labels = new Map<string, BatchCounters>();

  let last: BatchCounters | undefined;
  let lastRouteId = '';
  let lastServerAddr = '';

  function countersOf(routeId: string, serverAddr: string): BatchCounters {
    // Most requests have the route and the address of the one before.
    if (last === undefined || routeId !== lastRouteId || serverAddr !== lastServerAddr) {
      last = findCounters(routeId, serverAddr);
      lastRouteId = routeId;
      lastServerAddr = serverAddr;
    }
    return last;
  }

  function findCounters(routeId: string, serverAddr: string): BatchCounters {
    const key = `${routeId}\n${serverAddr}`;
    let found = labels.get(key);
    if (found === undefined) {
      found = parts.book.counters({ name, routeId, serverAddr });
      labels.set(key, found);
    }
    return found;
  }

  function lost(count: number, reason: string): void {
    untold += count;
    if (now() - toldMs < WARN_MS) return;
    toldMs = now();
    parts.warn(`${untold} entries of "${name}" were dropped: ${reason}`);
    untold = 0;
  }

  function arm(waitMs: number): void {
    timer = setTimeout(tick, timerMs(Math.max(1, waitMs)));
    timer.unref();
  }

  /** One timer a batch: it looks at the clock again rather than being set anew for each entry. */
  function tick(): void {
    timer = undefined;
    if (held.length === 0) return;
    const dueMs = Math.min(firstMs + bufferMs, lastMs + inactiveMs);
    if (now() >= dueMs) flush();
    else arm(dueMs - now());
  }

  function flush(): void {
    if (held.length > 0) queue.push(held);
    held = [];
    pump();
  }

  function pump(): void {
    while (sending < sendsMax) {
      const batch = queue.shift();
      if (batch === undefined) break;
      sending += 1;
      void attempt(batch, 0);
    }
    if (sending === 0 && held.length === 0) whenIdle?.();
  }

  async function failureOf(entries: readonly Entry[]): Promise<SendFailure | undefined> {
    try {
      return await parts.send(entries);
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error), mayRetry: false };
    }
  }

  async function attempt(batch: readonly Held<Entry>[], retries: number): Promise<void> {
    const failure = await failureOf(batch.map(({ entry }) => entry));
    if (failure?.mayRetry === true && retries < retriesMax && !isClosing) {
      setTimeout(() => void attempt(batch, retries + 1), timerMs(retryMs)).unref();
      return;
    }
    for (const { counters } of batch) {
      counters.pending -= 1;
      if (failure === undefined) counters.sent += 1;
      else counters.dropped += 1;
    }
    pending -= batch.length;
    sending -= 1;
    if (failure !== undefined) lost(batch.length, failure.reason);
    pump();
  }

  return {
    push(entry, routeId, serverAddr) {
      const counters = countersOf(routeId, serverAddr);
      if (pending >= pendingMax) {
        counters.dropped += 1;
        lost(1, `more than ${pendingMax} are waiting`);
        return false;
      }
      pending += 1;
      counters.pending += 1;
      lastMs = now();
      if (held.length === 0) firstMs = lastMs;
      held.push({ entry, counters });
      if (held.length >= batchMax) flush();
      else if (timer === undefined) arm(Math.min(inactiveMs, bufferMs));
      return true;
    },
    async close() {
      isClosing = true;
      const idle = new Promise<void>((resolve) => {
        whenIdle = resolve;
        setTimeout(resolve, CLOSE_MS).unref();
      });
      flush();
      await idle;
      whenIdle = undefined;
      isClosing = false;
      if (pending > 0) parts.warn(`${pending} entries of "${name}" were not sent before the end`);
    },
  };
}
