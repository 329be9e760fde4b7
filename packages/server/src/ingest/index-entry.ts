import {
  type Block,
  createBatch,
  idHalvesOf,
  TRACE_INTERVAL_S,
  textRangesOf,
  timesOf,
  traceIndex,
} from '@thalweg/model';
import { keyOfBytes, keyOfId, keyOfRun } from '../trace-key.ts';
import type { Entry } from './segments.ts';
import type { TraceKeys } from './trace-keys.ts';

/** Columns with ids that travel as text, besides the trace id; mostly empty. */
const REQUEST_IDS = ['x_request_id_0', 'x_request_id_1'] as const;
const TWO_32 = 2 ** 32;

/** Rows of `trace_index` for a block of `l7_flow_log`: each id once for each interval. */
export function indexEntries(
  block: Block,
  rootHashes: BigUint64Array<ArrayBuffer>,
  traceKeys: TraceKeys,
): Entry[] {
  const intervals = timesOf(block, 'time').map((time) => Math.floor(time / TRACE_INTERVAL_S));
  const firstInterval = intervals.reduce(
    (least, one) => Math.min(least, one),
    Number.POSITIVE_INFINITY,
  );
  const seen = new Set<number>();
  const batch = createBatch(traceIndex);
  const entries: Entry[] = [];
  let last = -1;
  const finish = (): void => {
    if (batch.rows === 0) return;
    const bytes = batch.encode();
    const token = '';
    entries.push({
      table: traceIndex.name,
      token,
      rows: batch.rows,
      bytes: bytes.length,
      pieces: [bytes],
    });
    batch.clear();
  };
  const add = (key: number, row: number): void => {
    const interval = intervals[row] ?? 0;
    // 21 bits are far more intervals than any retention has.
    const once = (interval - firstInterval) * TWO_32 + key;
    if (once === last || seen.has(once)) return;
    last = once;
    seen.add(once);
    if (batch.isFull) finish();
    batch.push({ key, time: interval * TRACE_INTERVAL_S });
  };
  for (const halves of [idHalvesOf(block, 'wire_id'), new Uint32Array(rootHashes.buffer)]) {
    for (let row = 0; row < block.rows; row += 1) {
      const [low = 0, high = 0] = [halves[2 * row], halves[2 * row + 1]];
      if (low !== 0 || high !== 0) add(keyOfId(low, high), row);
    }
  }
  const rowIds = idHalvesOf(block, '_id');
  for (let row = 0; row < block.rows; row += 1) {
    add(keyOfRun(rowIds[2 * row] ?? 0, rowIds[2 * row + 1] ?? 0), row);
  }
  for (let row = 0; row < block.rows; row += 1) {
    if (traceKeys.isSet[row] === 1) add(traceKeys.keys[row] ?? 0, row);
  }
  for (const name of REQUEST_IDS) {
    const ranges = textRangesOf(block, name);
    if (ranges === undefined) continue;
    ranges.from.forEach((from, row) => {
      const to = ranges.to[row] ?? from;
      if (to > from) add(keyOfBytes(block.bytes.subarray(from, to)), row);
    });
  }
  finish();
  return entries;
}
