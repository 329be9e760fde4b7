import { type Block, doublesOf, idsOf, valuesOf } from '@thalweg/model';
import { SourceLimitError } from '@thalweg/promql';
import { type Store, StoreError } from '../storage/store.ts';
import { answerShape, blocksOf } from './native-answer.ts';
import { isSmaller, type Stretch } from './stretch.ts';

/** What is asked of the store: ids as decimal texts, both times inclusive. */
export interface DiskSelection {
  readonly ids: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  readonly samplesMax: number;
  readonly signal?: AbortSignal;
}

/** Ids travel in the address, which takes a megabyte. */
const IDS_PER_QUERY = 20_000;
const TIMEOUT_MS = 120_000;
const MEMORY_BYTES = 2 * 2 ** 30;
const SAMPLES = answerShape({ id: 'id', ms: 'id', value: 'f64' });
const HISTOGRAMS = answerShape({ id: 'id', ms: 'id', histogram: 'bytes' });

/**
 * Float samples by id, in time order, each time once. Rejects with `SourceLimitError` when there are
 * more than `samplesMax`, and with `StoreError`.
 */
export async function readSamples(
  store: Store,
  selection: DiskSelection,
): Promise<ReadonlyMap<bigint, Stretch>> {
  const stretches = new Map<bigint, Stretch>();
  let left = selection.samplesMax;
  for (const { ids, sql } of queries(selection, 'samples', 'value')) {
    const blocks = blocksOf(
      SAMPLES,
      await ask(store, sql, { ...selection, ids, samplesMax: left }),
    );
    const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
    left -= rows;
    collect(blocks, rows, stretches);
  }
  return stretches;
}

/** Histogram messages by id, in time order. */
export async function readHistograms(
  store: Store,
  selection: DiskSelection,
): Promise<ReadonlyMap<bigint, { times: number[]; messages: Uint8Array[] }>> {
  const found = new Map<bigint, { times: number[]; messages: Uint8Array[] }>();
  for (const { ids, sql } of queries(selection, 'histograms', 'histogram')) {
    for (const block of blocksOf(HISTOGRAMS, await ask(store, sql, { ...selection, ids }))) {
      const [seriesIds, times] = [idsOf(block, 'id'), idsOf(block, 'ms')];
      // Of kind `bytes`.
      const messages = valuesOf(block, 'histogram') as readonly Uint8Array[];
      messages.forEach((message, row) => {
        const id = seriesIds[row] ?? 0n;
        const one = found.get(id) ?? { times: [], messages: [] };
        if (one.times.length === 0) found.set(id, one);
        const timeMs = Number(times[row]);
        if (one.times.at(-1) === timeMs) return;
        one.times.push(timeMs);
        one.messages.push(message);
      });
    }
  }
  return found;
}

function* queries(
  { ids }: DiskSelection,
  table: 'samples' | 'histograms',
  column: string,
): Generator<{ ids: readonly string[]; sql: string }> {
  for (let at = 0; at < ids.length; at += IDS_PER_QUERY) {
    yield {
      ids: ids.slice(at, at + IDS_PER_QUERY),
      sql: `SELECT id, toUInt64(toUnixTimestamp64Milli(ts)) AS ms, ${column} FROM prometheus.${table}
        WHERE id IN {ids:Array(UInt64)}
          AND ts >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
          AND ts <= fromUnixTimestamp64Milli({end:Int64}, 'UTC')
        ORDER BY id, ts`,
    };
  }
}

async function ask(store: Store, sql: string, selection: DiskSelection): Promise<Uint8Array> {
  const { ids, startMs, endMs, samplesMax, signal } = selection;
  try {
    return await store.queryNative(sql, {
      params: { ids, start: Math.ceil(startMs), end: Math.floor(endMs) },
      // One more than allowed, or a limit of exactly that many would be refused.
      limits: { timeoutMs: TIMEOUT_MS, memoryBytes: MEMORY_BYTES, rowsMax: samplesMax + 1 },
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof StoreError && error.code === 'store_limit') {
      throw new SourceLimitError(
        `more samples than ${samplesMax}, or more than the store may read`,
      );
    }
    throw error;
  }
}

/** Rows are sorted by id and time; a series may go on in the next block. */
function collect(blocks: readonly Block[], rows: number, stretches: Map<bigint, Stretch>): void {
  const times = new Float64Array(rows);
  const halves = new Uint32Array(2 * rows);
  let id: bigint | undefined;
  let start = 0;
  let count = 0;
  const end = (): void => {
    if (id === undefined || count === start) return;
    const values = new Float64Array(halves.buffer, start * 8, count - start);
    stretches.set(id, { times: times.subarray(start, count), values });
  };
  for (const block of blocks) {
    const [ids, stamps, bits] = [idsOf(block, 'id'), idsOf(block, 'ms'), doublesOf(block, 'value')];
    const stampHalves = new Uint32Array(stamps.buffer);
    for (let row = 0; row < block.rows; row += 1) {
      const rowId = ids[row];
      if (rowId !== id) {
        end();
        id = rowId;
        start = count;
      }
      const timeMs = (stampHalves[2 * row] ?? 0) + (stampHalves[2 * row + 1] ?? 0) * 2 ** 32;
      const low = bits[2 * row] ?? 0;
      const high = bits[2 * row + 1] ?? 0;
      const isSame = count > start && times[count - 1] === timeMs;
      if (isSame && !isSmaller(low, high, halves, count - 1)) continue;
      if (!isSame) count += 1;
      times[count - 1] = timeMs;
      halves[2 * count - 2] = low;
      halves[2 * count - 1] = high;
    }
  }
  end();
}
