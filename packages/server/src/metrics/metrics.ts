import type { AnyTable, Block } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { createHead, HEAD_LIMITS } from './head.ts';
import { createLiveSeries, type LiveSeries } from './live-series.ts';
import { restoreIndex, restoreSeries } from './restore-series.ts';
import { createStoredSeries, type StoredSeries } from './stored-series.ts';

/** Series in the index; each takes about 300 bytes. */
const SERIES_MAX = 1_000_000;
const TRIM_MS = 5_000;
/** How soon a series that another server wrote is found here. */
const REFRESH_MS = 30_000;
/** Rows are on their way for a while, and name the hour of their first sample. */
const REFRESH_BACK_S = 3_900;

export interface Metrics {
  readonly live: LiveSeries;
  readonly source: StoredSeries;
  /** For ingest: rows that are on disk now. */
  observe(table: AnyTable, block: Block): void;
  /** Reads what the store has. `spoolIsEmpty`: nothing of an earlier run waits outside of it. */
  restore(options: { readonly spoolIsEmpty: boolean }): Promise<void>;
  close(): void;
}

/**
 * Metrics of senders: the index, the head, and how to read both with the disk. `isShared`: others
 * write to the store too, so that a head would lack their samples.
 */
export function createMetrics(options: {
  readonly store: Store;
  readonly isShared: boolean;
  readonly now: () => number;
}): Metrics {
  const { store, isShared, now } = options;
  const head = isShared ? undefined : createHead();
  const live = createLiveSeries({ head, seriesMax: SERIES_MAX });
  const timer = setInterval(() => head?.trim(now()), TRIM_MS);
  timer.unref();
  let isRefreshing = false;
  const refresh = setInterval(() => {
    if (!isShared || isRefreshing) return;
    isRefreshing = true;
    restoreIndex(store, live, Math.floor(now() / 1e3) - REFRESH_BACK_S)
      .catch(() => undefined) // The next one looks as far back.
      .finally(() => {
        isRefreshing = false;
      });
  }, REFRESH_MS);
  refresh.unref();
  return {
    live,
    source: createStoredSeries(store, live),
    observe: (table, block) => live.observe(table, block),
    restore: async ({ spoolIsEmpty }) => {
      await restoreSeries(store, live, {
        nowMs: now(),
        // A head that lacks the spool's samples must not claim to have them all.
        windowMs: spoolIsEmpty ? HEAD_LIMITS.windowMs : 0,
      });
    },
    close: () => {
      clearInterval(timer);
      clearInterval(refresh);
    },
  };
}
