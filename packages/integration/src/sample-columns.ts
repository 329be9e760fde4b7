import { BLOCK_LIMITS, blockOfColumns, type EncodedBlock, prometheusSamples } from '@thalweg/model';

/**
 * Rows of `prometheus.samples` in the making, in columns as a block holds them: three pairs of
 * stores for a sample, where a batch's row takes four calls.
 */
export interface SampleColumns {
  rows(): number;
  isFull(): boolean;
  push(idLow: number, idHigh: number, timestampMs: number, low: number, high: number): void;
  block(): EncodedBlock;
  /** Memory of a block that nobody looks at any more: a later one may have it. */
  release(buffer: ArrayBuffer): void;
  clear(): void;
}

const FIRST_ROWS = 4_096;
/** Memory kept for blocks to come: of as many requests as are under way with most senders. */
const BUFFERS_MAX = 16;
const BUFFER_BYTES_MAX = 2 ** 20;
const TWO_32 = 2 ** 32;

export function createSampleColumns(): SampleColumns {
  let ids = new Uint32Array(2 * FIRST_ROWS);
  let times = new Uint32Array(2 * FIRST_ROWS);
  let values = new Uint32Array(2 * FIRST_ROWS);
  let rows = 0;
  const buffers: Uint8Array<ArrayBuffer>[] = [];

  return {
    rows: () => rows,
    isFull: () => rows >= BLOCK_LIMITS.rowsMax,
    push: (idLow, idHigh, timestampMs, low, high) => {
      const at = 2 * rows;
      if (at === ids.length) [ids, times, values] = [doubled(ids), doubled(times), doubled(values)];
      const timeHigh = Math.floor(timestampMs / TWO_32);
      ids[at] = idLow;
      ids[at + 1] = idHigh;
      times[at] = timestampMs - timeHigh * TWO_32;
      times[at + 1] = timeHigh;
      values[at] = low;
      values[at + 1] = high;
      rows += 1;
    },
    block: () => {
      const columns = {
        id: bytesOf(ids, rows),
        ts: bytesOf(times, rows),
        value: bytesOf(values, rows),
      };
      return blockOfColumns(prometheusSamples, rows, columns, buffers.pop());
    },
    release: (buffer) => {
      if (buffers.length >= BUFFERS_MAX || buffer.byteLength > BUFFER_BYTES_MAX) return;
      buffers.push(new Uint8Array(buffer));
    },
    clear: () => {
      rows = 0;
    },
  };
}

function doubled(halves: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * halves.length);
  larger.set(halves);
  return larger;
}

/** Little endian, as everywhere in `model`. */
const bytesOf = (halves: Uint32Array<ArrayBuffer>, rows: number): Uint8Array =>
  new Uint8Array(halves.buffer, 0, rows * 8);
