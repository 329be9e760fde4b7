import { crc32 } from 'node:zlib';

// Keys of flow_log.trace_index. The store computes the same (see traces/trace-index.ts).

/** Key of a wire id or a root: both are hashes already, so their halves are mixed well enough. */
export function keyOfId(low: number, high: number): number {
  return (low ^ high) >>> 0;
}

/** Bits of a row id in which the rows of a run differ. */
export const RUN_BITS = 8;

/** Key of a row id: ids count up, so one entry stands for all rows of a run and an interval. */
export function keyOfRun(low: number, high: number): number {
  return keyOfId((low >>> RUN_BITS) | (high << (32 - RUN_BITS)), high >>> RUN_BITS);
}

/** Key of an id that travels as text: a trace id, an X-Request-ID. */
export function keyOfText(id: string): number {
  return crc32(id);
}

/** The same, of its UTF-8. */
export function keyOfBytes(id: Uint8Array): number {
  return crc32(id);
}
