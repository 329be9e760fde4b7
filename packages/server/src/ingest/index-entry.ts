import {
  type Block,
  createBatch,
  idHalvesOf,
  TRACE_INTERVAL_S,
  textRangesOf,
  timesOf,
  traceIndex,
} from '@thalweg/model';
import { keyOfId, keyOfRange, keyOfRow } from '../trace-key.ts';
import { EnteredKeys } from './entered-keys.ts';
import type { RootAlias } from './roots.ts';
import type { Entry } from './segments.ts';
import type { TraceKeys } from './trace-keys.ts';

/** Columns with ids that travel as text, besides the trace id; mostly empty. */
const REQUEST_IDS = ['x_request_id_0', 'x_request_id_1'] as const;

/** Writes rows of `trace_index`, with memory that the next block uses again. */
export interface IndexWriter {
  /**
   * For a block of `l7_flow_log`: each id once for each interval, and once more where rows of another
   * root have the same key.
   */
  entriesOf(block: Block, rootHashes: BigUint64Array<ArrayBuffer>, traceKeys: TraceKeys): Entry[];
  /** By which a look-up of a root sees that it was joined with another. */
  marksOf(aliases: readonly RootAlias[], timeS: number): Entry[];
}

export function createIndexWriter(): IndexWriter {
  const entered = new EnteredKeys();
  const batch = createBatch(traceIndex);
  let entries: Entry[] = [];
  let [key, startS, rootLow, rootHigh] = [0, 0, 0, 0];
  // One for all rows: a closure each was a tenth of what a span left to the collector.
  const write: Parameters<typeof batch.add>[0] = (columns) => {
    columns.key.push(key);
    columns.time.push(startS);
    columns.root_hash.pushHalves(rootLow, rootHigh);
  };

  function add(ofKey: number, start: number, low: number, high: number): void {
    if (batch.isFull) flush();
    [key, startS, rootLow, rootHigh] = [ofKey, start, low, high];
    batch.add(write);
  }

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

  function finish(): Entry[] {
    flush();
    const written = entries;
    entries = [];
    return written;
  }

  return {
    entriesOf: (block, rootHashes, traceKeys) => {
      const starts = timesOf(block, 'time');
      for (let row = 0; row < block.rows; row += 1) starts[row] = startOf(starts[row] ?? 0);
      const roots = new Uint32Array(rootHashes.buffer);
      const addRow = (ofKey: number, row: number): void =>
        add(ofKey, starts[row] ?? 0, roots[2 * row] ?? 0, roots[2 * row + 1] ?? 0);
      const addOnce = (ofKey: number, row: number): void => {
        const other = entered.replace(ofKey, starts[row] ?? 0, row);
        if (other < 0 || !isSamePair(roots, other, row)) addRow(ofKey, row);
      };
      entered.begin();
      for (const halves of [idHalvesOf(block, 'wire_id'), roots]) {
        for (let row = 0; row < block.rows; row += 1) {
          const low = halves[2 * row] ?? 0;
          const high = halves[2 * row + 1] ?? 0;
          if (low !== 0 || high !== 0) addOnce(keyOfId(low, high), row);
        }
      }
      const rowIds = idHalvesOf(block, '_id');
      for (let row = 0; row < block.rows; row += 1) {
        addRow(keyOfRow(rowIds[2 * row] ?? 0, rowIds[2 * row + 1] ?? 0), row);
      }
      for (let row = 0; row < block.rows; row += 1) {
        if (traceKeys.isSet[row] === 1) addOnce(traceKeys.keys[row] ?? 0, row);
      }
      for (const name of REQUEST_IDS) {
        const ranges = textRangesOf(block, name);
        if (ranges === undefined) continue;
        ranges.from.forEach((from, row) => {
          const to = ranges.to[row] ?? from;
          if (to > from) addOnce(keyOfRange(block.bytes, from, to), row);
        });
      }
      return finish();
    },
    marksOf: (aliases, timeS) => {
      for (const { old, new: newer } of aliases) {
        const pair = new Uint32Array(BigUint64Array.of(old, newer).buffer);
        const [oldLow = 0, oldHigh = 0, newLow = 0, newHigh = 0] = pair;
        add(keyOfId(oldLow, oldHigh), startOf(timeS), newLow, newHigh);
        add(keyOfId(newLow, newHigh), startOf(timeS), oldLow, oldHigh);
      }
      return finish();
    },
  };
}

function startOf(timeS: number): number {
  return Math.floor(timeS / TRACE_INTERVAL_S) * TRACE_INTERVAL_S;
}

function isSamePair(halves: Uint32Array, one: number, other: number): boolean {
  return halves[2 * one] === halves[2 * other] && halves[2 * one + 1] === halves[2 * other + 1];
}
