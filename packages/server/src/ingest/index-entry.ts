import {
  type Block,
  createBatch,
  idsOf,
  TRACE_INTERVAL_S,
  traceIndex,
  valuesOf,
} from '@thalweg/model';
import { keyOfId, keyOfText } from '../trace-key.ts';
import type { Entry } from './segments.ts';

/** Columns with ids that travel as text; mostly empty. */
const TEXT_IDS = ['trace_id', 'x_request_id_0', 'x_request_id_1'] as const;
const TWO_32 = 2 ** 32;

/** Rows of `trace_index` for a block of `l7_flow_log`: each id once for each interval. */
export function indexEntries(block: Block, rootHashes: BigUint64Array): Entry[] {
  const times = valuesOf(block, 'time').map(Number);
  const first = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const firstInterval = Math.floor(first / TRACE_INTERVAL_S);
  const seen = new Set<number>();
  const batch = createBatch(traceIndex);
  const entries: Entry[] = [];
  const finish = (): void => {
    if (batch.rows === 0) return;
    entries.push({ table: traceIndex.name, token: '', rows: batch.rows, bytes: batch.encode() });
    batch.clear();
  };
  const add = (key: number, row: number): void => {
    const interval = Math.floor((times[row] ?? 0) / TRACE_INTERVAL_S);
    // 21 bits are far more intervals than any retention has.
    const once = (interval - firstInterval) * TWO_32 + key;
    if (seen.has(once)) return;
    seen.add(once);
    if (batch.isFull) finish();
    batch.push({ key, time: interval * TRACE_INTERVAL_S });
  };
  for (const ids of [idsOf(block, 'wire_id'), rootHashes]) {
    const halves = new Uint32Array(ids.buffer, ids.byteOffset, 2 * block.rows);
    for (let row = 0; row < block.rows; row += 1) {
      const [low = 0, high = 0] = [halves[2 * row], halves[2 * row + 1]];
      if (low !== 0 || high !== 0) add(keyOfId(low, high), row);
    }
  }
  for (const name of TEXT_IDS) {
    valuesOf(block, name).forEach((id, row) => {
      if (id !== '') add(keyOfText(String(id)), row);
    });
  }
  finish();
  return entries;
}
