import {
  type AnyTable,
  type Block,
  idsOf,
  prometheusHistograms,
  prometheusSamples,
  prometheusSeries,
  timesOf,
  valuesOf,
} from '@thalweg/model';
import type { Labels, Matcher } from '@thalweg/promql';
import type { Head } from './head.ts';
import { createIdTable, type IdTable } from './id-table.ts';
import { createLabelIndex, type LabelIndex } from './label-index.ts';

/** All series that the store has, and the newest samples: fed by ingest, and from disk at start. */
export interface LiveSeries {
  /** Rows that are on disk now. Blocks of other tables are passed over. */
  observe(table: AnyTable, block: Block): void;
  /** A series as the store knows it, with the times between which it has samples. */
  restore(series: {
    readonly id: bigint;
    readonly labels: Labels;
    readonly firstMs: number;
    readonly lastMs: number;
  }): void;
  /** A sample from disk, for the head. */
  restoreSamples(block: Block): void;
  restoreHistogramIds(ids: Iterable<bigint>): void;
  /** Series that satisfy the matchers and may have samples in the time range, sorted by labels. */
  select(matchers: readonly Matcher[], startMs: number, endMs: number): number[];
  /**
   * Forgets series whose newest sample is older, when there are enough of them to be worth the look
   * at all others; answers how many. Their slots are other series' from the next call on that
   * forgets some: leave a query time to end in between.
   */
  forgetOlder(thanMs: number): number;
  /** Empty for a series that was forgotten. */
  labelsOf(slot: number): Labels;
  idOf(slot: number): bigint;
  hasHistograms(slot: number): boolean;
  readonly index: LabelIndex;
  /** Undefined where the store is shared: others' samples would be missing. */
  readonly head: Head | undefined;
  counters(): LiveSeriesCounters;
}

export interface LiveSeriesCounters {
  readonly series: number;
  readonly headSamples: number;
  readonly headBytes: number;
  /** Series beyond the limit: stored, and not found by queries until others expire. */
  readonly seriesNotIndexed: number;
}

const FIRST_SERIES = 4_096;
/** Series are forgotten when they are a sixteenth of all, or when so many are there. */
const DEAD_SHARE = 1 / 16;
const FULL_SHARE = 0.9;

export function createLiveSeries(options: {
  readonly head: Head | undefined;
  readonly seriesMax: number;
}): LiveSeries {
  const { head, seriesMax } = options;
  const ids: IdTable = createIdTable();
  const index = createLabelIndex();
  let firstMs = new Float64Array(FIRST_SERIES).fill(Number.POSITIVE_INFINITY);
  let lastMs = new Float64Array(FIRST_SERIES).fill(Number.NEGATIVE_INFINITY);
  const withHistograms = new Set<number>();
  let notIndexed = 0;
  let forgotten: ReadonlySet<number> = new Set();

  /** -1: there is no room for another series. */
  function slotOf(low: number, high: number): number {
    const known = ids.get(low, high);
    if (known >= 0) return known;
    if (ids.count() >= seriesMax) {
      notIndexed += 1;
      return -1;
    }
    const slot = ids.add(low, high);
    if (slot >= firstMs.length) {
      firstMs = grown(firstMs, Number.POSITIVE_INFINITY);
      lastMs = grown(lastMs, Number.NEGATIVE_INFINITY);
    }
    return slot;
  }

  function seen(slot: number, timeMs: number): void {
    if (timeMs < (firstMs[slot] ?? 0)) firstMs[slot] = timeMs;
    if (timeMs > (lastMs[slot] ?? 0)) lastMs[slot] = timeMs;
  }

  function forgetOlder(thanMs: number): number {
    const dead = new Set<number>();
    for (let slot = 0; slot < ids.slots(); slot += 1) {
      const newestMs = lastMs[slot] ?? 0;
      if (newestMs !== Number.NEGATIVE_INFINITY && newestMs < thanMs) dead.add(slot);
    }
    const isFull = ids.count() >= FULL_SHARE * seriesMax;
    if (dead.size === 0 || (dead.size < DEAD_SHARE * ids.count() && !isFull)) return 0;
    ids.reuse(forgotten);
    forgotten = dead;
    ids.remove(dead);
    index.remove(dead);
    for (const slot of dead) {
      firstMs[slot] = Number.POSITIVE_INFINITY;
      lastMs[slot] = Number.NEGATIVE_INFINITY;
      withHistograms.delete(slot);
      head?.forget(slot);
    }
    return dead.size;
  }

  function describe(id: bigint, labels: Labels): number {
    const slot = slotOf(Number(id & 0xffffffffn), Number(id >> 32n));
    if (slot >= 0 && index.labelsOf(slot) === undefined) index.add(slot, labels);
    return slot;
  }

  /** Hot: no bigint, no object, no copy for a sample. */
  function samples(block: Block, isNew: boolean): void {
    const view = new DataView(block.bytes.buffer, block.bytes.byteOffset, block.bytes.length);
    let idAt = startOf(block, 'id');
    let timeAt = startOf(block, 'ts');
    let valueAt = startOf(block, 'value');
    for (let row = 0; row < block.rows; row += 1, idAt += 8, timeAt += 8, valueAt += 8) {
      const slot = slotOf(view.getUint32(idAt, true), view.getUint32(idAt + 4, true));
      if (slot < 0) continue;
      const timeMs = view.getUint32(timeAt, true) + view.getInt32(timeAt + 4, true) * 2 ** 32;
      if (isNew) seen(slot, timeMs);
      head?.append(slot, timeMs, view.getUint32(valueAt, true), view.getUint32(valueAt + 4, true));
    }
  }

  function series(block: Block): void {
    const rowIds = idsOf(block, 'id');
    const metrics = valuesOf(block, 'metric');
    const names = valuesOf(block, 'label_names');
    const values = valuesOf(block, 'label_values');
    rowIds.forEach((id, row) => {
      const low = Number(id & 0xffffffffn);
      const known = ids.get(low, Number(id >> 32n));
      if (known >= 0 && index.labelsOf(known) !== undefined) return;
      // Both of kind `texts`.
      const labels = labelsOfRow(
        String(metrics[row]),
        names[row] as readonly string[],
        values[row] as readonly string[],
      );
      describe(id, labels);
    });
  }

  return {
    observe: (table, block) => {
      if (table.name === prometheusSamples.name) samples(block, true);
      else if (table.name === prometheusSeries.name) series(block);
      else if (table.name === prometheusHistograms.name) {
        const times = timesOf(block, 'ts');
        idsOf(block, 'id').forEach((id, row) => {
          const slot = slotOf(Number(id & 0xffffffffn), Number(id >> 32n));
          if (slot < 0) return;
          withHistograms.add(slot);
          seen(slot, times[row] ?? 0);
        });
      }
    },
    restore: ({ id, labels, firstMs: first, lastMs: last }) => {
      const slot = describe(id, labels);
      if (slot < 0) return;
      seen(slot, first);
      seen(slot, last);
    },
    restoreSamples: (block) => samples(block, false),
    restoreHistogramIds: (list) => {
      for (const id of list) {
        const slot = ids.get(Number(id & 0xffffffffn), Number(id >> 32n));
        if (slot >= 0) withHistograms.add(slot);
      }
    },
    select: (matchers, startMs, endMs) =>
      index
        .select(matchers)
        .filter((slot) => (firstMs[slot] ?? 0) <= endMs && (lastMs[slot] ?? 0) >= startMs),
    forgetOlder,
    labelsOf: (slot) => index.labelsOf(slot) ?? [],
    idOf: (slot) => (BigInt(ids.highOf(slot)) << 32n) | BigInt(ids.lowOf(slot)),
    hasHistograms: (slot) => withHistograms.has(slot),
    index,
    head,
    counters: () => ({
      series: index.count,
      headSamples: head?.samples() ?? 0,
      headBytes: head?.bytes() ?? 0,
      seriesNotIndexed: notIndexed,
    }),
  };
}

/** `__name__` takes its place among the sorted names. */
export function labelsOfRow(
  metric: string,
  names: readonly string[],
  values: readonly string[],
): Labels {
  const labels: [name: string, value: string][] = names.map((name, at) => [name, values[at] ?? '']);
  const place = labels.findIndex(([name]) => name > '__name__');
  labels.splice(place < 0 ? labels.length : place, 0, ['__name__', metric]);
  return labels;
}

/** Offset of a column's first value in the block's bytes. */
function startOf(block: Block, name: string): number {
  const span = block.columns.get(name);
  if (span === undefined) throw new Error(`BUG: the block has no column ${name}`);
  return span.start;
}

function grown(values: Float64Array<ArrayBuffer>, filling: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * values.length).fill(filling);
  larger.set(values);
  return larger;
}
