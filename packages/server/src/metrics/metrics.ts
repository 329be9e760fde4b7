import {
  type AnyTable,
  type Block,
  prometheusExemplars,
  prometheusHistograms,
  prometheusSamples,
} from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { createHead, HEAD_LIMITS } from './head.ts';
import { createLiveSeries, type LiveSeries } from './live-series.ts';
import { restoreIndex, restoreSeries } from './restore-series.ts';
import { createStoredSeries, type StoredSeries } from './stored-series.ts';

/** Series in the index; each takes about 300 bytes. */
const SERIES_MAX = 1_000_000;
const TRIM_MS = 5_000;
/** How often series without samples are looked for; a query ends within two minutes. */
const FORGET_MS = 600_000;
const HOUR_MS = 3_600_000;
/** A series' row names the hour of its samples. */
const ROW_GRAIN_HOURS = 1;
const OF_SERIES = [prometheusSamples, prometheusHistograms, prometheusExemplars] as const;
/** How soon a series that another server wrote is found here. */
const REFRESH_MS = 30_000;
/** Rows are on their way for a while, and name the hour of their first sample. */
const REFRESH_BACK_S = 3_900;

export interface Metrics {
  readonly live: LiveSeries;
  readonly source: StoredSeries;
  /** For ingest: rows that are on disk now. */
  observe(table: AnyTable, block: Block): void;
  /** Tables whose newest rows queries find here, in the store or not. */
  readonly heldTables: readonly string[];
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
  /** How long a table's rows are kept now. */
  readonly hoursOf: (table: AnyTable) => number;
  readonly now: () => number;
}): Metrics {
  const { store, isShared, hoursOf, now } = options;
  const head = isShared ? undefined : createHead();
  const live = createLiveSeries({ head, seriesMax: SERIES_MAX });
  const timer = setInterval(() => head?.trim(now()), TRIM_MS);
  timer.unref();
  const forget = setInterval(() => {
    const hours = Math.max(...OF_SERIES.map((table) => hoursOf(table))) + ROW_GRAIN_HOURS;
    live.forgetOlder(now() - hours * HOUR_MS);
  }, FORGET_MS);
  forget.unref();
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
    heldTables: head === undefined ? [] : [prometheusSamples.name],
    restore: async ({ spoolIsEmpty }) => {
      await restoreSeries(store, live, {
        nowMs: now(),
        // A head that lacks the spool's samples must not claim to have them all.
        windowMs: spoolIsEmpty ? HEAD_LIMITS.windowMs : 0,
      });
    },
    close: () => {
      clearInterval(timer);
      clearInterval(forget);
      clearInterval(refresh);
    },
  };
}
