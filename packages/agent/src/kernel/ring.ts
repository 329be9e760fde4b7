import type { Addon, BpfObject } from './addon.ts';

const BUSY = 0x80000000;
const DISCARDED = 0x40000000;
const LENGTH = 0x3fffffff;
const RECORD_HEADER_BYTES = 8;
/** Given back in pieces of this size, so that the kernel finds room while a long drain goes on. */
const COMMIT_BYTES = 1 << 20;

/** The memory of a ring, seen as words and bytes. */
export interface RingViews {
  readonly words: Uint32Array;
  readonly producer: Uint32Array;
  readonly consumer: Uint32Array;
  /** Bytes of the ring less one; its beginning is mapped behind its end, so no record wraps. */
  readonly mask: number;
}

/**
 * Walks the records that are ready, in the order in which they were reserved, and calls `onRecord`
 * with the offset of each payload. Stops at a record that is still being written. `commit` gives
 * the bytes back. Answers how many records there were.
 *
 * Positions are 64-bit counters; their low words suffice, because a ring is smaller than 4 GiB.
 * Source: Documentation/bpf/ringbuf.rst of the Linux kernel.
 */
export function walkRing(
  views: RingViews,
  onRecord: (offset: number, length: number) => void,
  commit: (bytes: number) => void,
): number {
  const { words, producer, consumer, mask } = views;
  let position = consumer[0] ?? 0;
  const end = Atomics.load(producer, 0);
  let records = 0;
  let uncommitted = 0;
  try {
    while (position !== end) {
      const offset = (position & mask) >>> 0;
      const header = Atomics.load(words, offset >>> 2);
      if ((header & BUSY) !== 0) break;
      const length = header & LENGTH;
      const taken = (length + RECORD_HEADER_BYTES + 7) & ~7;
      position = (position + taken) >>> 0;
      uncommitted += taken;
      if ((header & DISCARDED) === 0) {
        records += 1;
        onRecord(offset + RECORD_HEADER_BYTES, length);
      }
      if (uncommitted < COMMIT_BYTES) continue;
      commit(uncommitted);
      uncommitted = 0;
    }
  } finally {
    // Also when `onRecord` throws: a record that was handed on never comes again.
    if (uncommitted > 0) commit(uncommitted);
  }
  return records;
}

/** The ring `map` of a loaded object. Its views are empty once the object is closed. */
export function openRing(addon: Addon, object: BpfObject, map: string): RingViews {
  const { data, size, producer, consumer } = addon.ring(object, map);
  return {
    words: new Uint32Array(data),
    producer: new Uint32Array(producer),
    consumer: new Uint32Array(consumer),
    mask: size - 1,
  };
}
