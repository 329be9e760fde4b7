import { crc32 } from 'node:zlib';

/** CRC-32 of ISO 3309, the reversed polynomial. */
const CRC_OF_BYTE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  return sum >>> 0;
});

// Keys of flow_log.trace_index. The store computes the same (see traces/trace-index.ts).

/** Key of a wire id or a root: both are hashes already, so their halves are mixed well enough. */
export function keyOfId(low: number, high: number): number {
  return (low ^ high) >>> 0;
}

/**
 * Key of a row id: ids count up, and keys of 256 neighbours do so too. Sorted by key, what they have
 * in common then takes next to no space.
 */
export function keyOfRow(low: number, high: number): number {
  const run = keyOfId((low >>> 8) | (high << 24), high >>> 8);
  return (((run ^ (run >>> 24)) << 8) | (low & 0xff)) >>> 0;
}

/** Key of an id that travels as text: a trace id, an X-Request-ID. */
export function keyOfText(id: string): number {
  return crc32(id);
}

/** The same, of its UTF-8 at `bytes[from, to)`. Not by zlib: a view of each id was garbage. */
export function keyOfRange(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0xffffffff;
  for (let at = from; at < to; at += 1) {
    sum = (sum >>> 8) ^ (CRC_OF_BYTE[(sum ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  }
  return ~sum >>> 0;
}
