import {
  type Block,
  createBatch,
  idHalvesOf,
  TRACE_INTERVAL_S,
  textRangesOf,
  timesOf,
  traceIndex,
} from '@thalweg/model';
import { keyOfBytes, keyOfId, keyOfRow } from '../trace-key.ts';
import type { RootAlias } from './roots.ts';
import type { Entry } from './segments.ts';
import type { TraceKeys } from './trace-keys.ts';

/** Columns with ids that travel as text, besides the trace id; mostly empty. */
const REQUEST_IDS = ['x_request_id_0', 'x_request_id_1'] as const;
const TWO_32 = 2 ** 32;

/**
 * Rows of `trace_index` for a block of `l7_flow_log`: each id once for each interval, and once more
 * where rows of another root have the same key.
 */
export function indexEntries(
  block: Block,
  rootHashes: BigUint64Array<ArrayBuffer>,
  traceKeys: TraceKeys,
): Entry[] {
  const roots = new Uint32Array(rootHashes.buffer);
  const writer = createRowWriter(timesOf(block, 'time'), roots);
  for (const halves of [idHalvesOf(block, 'wire_id'), roots]) {
    for (let row = 0; row < block.rows; row += 1) {
      const [low = 0, high = 0] = [halves[2 * row], halves[2 * row + 1]];
      if (low !== 0 || high !== 0) writer.addOnce(keyOfId(low, high), row);
    }
  }
  const rowIds = idHalvesOf(block, '_id');
  for (let row = 0; row < block.rows; row += 1) {
    writer.add(keyOfRow(rowIds[2 * row] ?? 0, rowIds[2 * row + 1] ?? 0), row);
  }
  for (let row = 0; row < block.rows; row += 1) {
    if (traceKeys.isSet[row] === 1) writer.addOnce(traceKeys.keys[row] ?? 0, row);
  }
  for (const name of REQUEST_IDS) {
    const ranges = textRangesOf(block, name);
    if (ranges === undefined) continue;
    ranges.from.forEach((from, row) => {
      const to = ranges.to[row] ?? from;
      if (to > from) writer.addOnce(keyOfBytes(block.bytes.subarray(from, to)), row);
    });
  }
  return writer.finish();
}

/** Rows of `trace_index` by which a look-up of a root sees that it was joined with another. */
export function markEntries(aliases: readonly RootAlias[], timeS: number): Entry[] {
  const writer = createEntryWriter();
  const startS = Math.floor(timeS / TRACE_INTERVAL_S) * TRACE_INTERVAL_S;
  for (const { old, new: newer } of aliases) {
    const pair = new Uint32Array(BigUint64Array.of(old, newer).buffer);
    const [oldLow = 0, oldHigh = 0, newLow = 0, newHigh = 0] = pair;
    writer.add(keyOfId(oldLow, oldHigh), startS, newLow, newHigh);
    writer.add(keyOfId(newLow, newHigh), startS, oldLow, oldHigh);
  }
  return writer.finish();
}

/** Enters keys of the rows whose times and roots (two halves each, the low one first) are given. */
function createRowWriter(times: Float64Array, roots: Uint32Array) {
  const starts = times.map((time) => Math.floor(time / TRACE_INTERVAL_S) * TRACE_INTERVAL_S);
  const first = starts.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
  /** Of a key in an interval: the row that it was last entered for. */
  const entered = new Map<number, number>();
  const writer = createEntryWriter();

  function add(key: number, row: number): void {
    writer.add(key, starts[row] ?? 0, roots[2 * row] ?? 0, roots[2 * row + 1] ?? 0);
  }

  function addOnce(key: number, row: number): void {
    // 21 bits are far more seconds than a batch spans.
    const place = ((starts[row] ?? 0) - first) * TWO_32 + key;
    const other = entered.get(place);
    if (other !== undefined && isSamePair(roots, other, row)) return;
    entered.set(place, row);
    add(key, row);
  }

  return { add, addOnce, finish: writer.finish };
}

function createEntryWriter() {
  const batch = createBatch(traceIndex);
  const entries: Entry[] = [];

  function flush(): void {
    if (batch.rows === 0) return;
    const bytes = batch.encode();
    entries.push({
      table: traceIndex.name,
      token: '',
      rows: batch.rows,
      bytes: bytes.length,
      pieces: [bytes],
    });
    batch.clear();
  }

  return {
    add: (key: number, startS: number, rootLow: number, rootHigh: number): void => {
      if (batch.isFull) flush();
      batch.add((columns) => {
        columns.key.push(key);
        columns.time.push(startS);
        columns.root_hash.pushHalves(rootLow, rootHigh);
      });
    },
    finish: (): Entry[] => {
      flush();
      return entries;
    },
  };
}

function isSamePair(halves: Uint32Array, one: number, other: number): boolean {
  return halves[2 * one] === halves[2 * other] && halves[2 * one + 1] === halves[2 * other + 1];
}
