// Chunks of samples in slabs that are allocated once and used again: appending makes no garbage, and
// no series' array is ever grown and copied. 13 bytes a sample where arrays took 16; a query copies
// what it reads, at about 4 ns a sample that is in the cache and 17 where it is not and was not loaded.

import type { StretchBuffer } from './stretch.ts';

/** Chunks by number; each belongs to a series, and knows the one before it. */
export interface SampleChunks {
  /** A chunk behind `previous` (-1: none), for samples from `baseMs` on. */
  open(previous: number, baseMs: number): number;
  /** False: it is full, or the time too far from its first. Times must rise. */
  push(chunk: number, timeMs: number, low: number, high: number): boolean;
  /** Whether its newest value has these bits. */
  endsWith(chunk: number, low: number, high: number): boolean;
  previousOf(chunk: number): number;
  firstMsOf(chunk: number): number;
  lastMsOf(chunk: number): number;
  countOf(chunk: number): number;
  /**
   * Loads chunks and those before them, back to `startMs`, so that `copy` finds them in the cache.
   * `ends` has the newest chunk of each series (-1: none), and is used up.
   */
  load(ends: Int32Array, startMs: number): void;
  /** Its samples from `startMs` to `endMs`, both included, behind those in the buffer. */
  copy(chunk: number, startMs: number, endMs: number, into: StretchBuffer): void;
  /** Cuts off what lies before the chunk, and frees it. Answers the samples that went. */
  freeBefore(chunk: number): number;
  /** Frees the chunk and all before it. Answers the samples that went. */
  free(chunk: number): number;
  /** Of the chunks in use. */
  bytes(): number;
}

/** Eight minutes at a sample each 15 s; half of one is unused for each series. */
const CHUNK_SAMPLES = 32;
// A chunk lies in one place, in words of 32 bits: a query that reads few of many series pays for
// each cache line, not for each sample. The first two words are the time of the first sample, a
// double; then the chunk before, the number of samples, and the samples, each three words:
// milliseconds from that time, and the value's halves.
const PREVIOUS = 2;
const COUNT = 3;
const FIRST = 4;
const SAMPLE_WORDS = 3;
const CHUNK_WORDS = FIRST + CHUNK_SAMPLES * SAMPLE_WORDS;
const CHUNK_BYTES = CHUNK_WORDS * 4;
const SLAB_BITS = 12;
const SLAB_CHUNKS = 1 << SLAB_BITS;
const SLAB_MASK = SLAB_CHUNKS - 1;
const OFFSET_MAX = 0xffffffff;
/** Of a cache line. */
const LINE_WORDS = 16;

/** The same bytes twice. */
interface Slab {
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
}

export function createSampleChunks(): SampleChunks {
  const slabs: Slab[] = [];
  const unused: number[] = [];
  let used = 0;
  /** What `load` read: a compiler leaves out a load of which nothing comes. */
  const loaded = new Uint32Array(1);

  // Every number that is given out lies in a slab.
  const slabOf = (chunk: number): Slab => slabs[chunk >>> SLAB_BITS] as Slab;
  const placeOf = (chunk: number): number => (chunk & SLAB_MASK) * CHUNK_WORDS;
  const previousOf = (chunk: number): number =>
    (slabOf(chunk).words[placeOf(chunk) + PREVIOUS] as number) | 0;
  const countOf = (chunk: number): number => slabOf(chunk).words[placeOf(chunk) + COUNT] as number;

  function addSlab(): void {
    const first = slabs.length * SLAB_CHUNKS;
    // Shared with nobody: but the collector looks at all else whenever other memory has grown so far.
    const words = new Uint32Array(new SharedArrayBuffer(SLAB_CHUNKS * CHUNK_BYTES));
    slabs.push({ words, doubles: new Float64Array(words.buffer) });
    // Backwards, so that they are taken in order: series that are appended in turn lie side by side.
    for (let at = SLAB_CHUNKS - 1; at >= 0; at -= 1) unused.push(first + at);
  }

  function free(from: number): number {
    let samples = 0;
    for (let chunk = from; chunk >= 0; ) {
      const before = previousOf(chunk);
      samples += countOf(chunk);
      unused.push(chunk);
      used -= 1;
      chunk = before;
    }
    return samples;
  }

  return {
    open: (previous, baseMs) => {
      if (unused.length === 0) addSlab();
      const chunk = unused.pop() ?? 0;
      const { words, doubles } = slabOf(chunk);
      const place = placeOf(chunk);
      doubles[place >>> 1] = baseMs;
      words[place + PREVIOUS] = previous;
      words[place + COUNT] = 0;
      used += 1;
      return chunk;
    },
    push: (chunk, timeMs, low, high) => {
      const { words, doubles } = slabOf(chunk);
      const place = placeOf(chunk);
      const count = words[place + COUNT] as number;
      const offset = timeMs - (doubles[place >>> 1] as number);
      if (count === CHUNK_SAMPLES || offset > OFFSET_MAX) return false;
      const at = place + FIRST + count * SAMPLE_WORDS;
      words[at] = offset;
      words[at + 1] = low;
      words[at + 2] = high;
      words[place + COUNT] = count + 1;
      return true;
    },
    endsWith: (chunk, low, high) => {
      const { words } = slabOf(chunk);
      const at = placeOf(chunk) + FIRST + (countOf(chunk) - 1) * SAMPLE_WORDS;
      return words[at + 1] === low && words[at + 2] === high;
    },
    previousOf,
    countOf,
    firstMsOf: (chunk) => slabOf(chunk).doubles[placeOf(chunk) >>> 1] as number,
    lastMsOf: (chunk) => {
      const { words, doubles } = slabOf(chunk);
      const place = placeOf(chunk);
      const last = place + FIRST + (countOf(chunk) - 1) * SAMPLE_WORDS;
      return (doubles[place >>> 1] as number) + (words[last] as number);
    },
    // Chunks of one series are found one through the other, and wait for memory in turn; those of
    // many series wait at the same time. Cold, this and the copying take a third of copying alone.
    load: (ends, startMs) => {
      let mixed = 0;
      let left = ends.length;
      while (left > 0) {
        left = 0;
        for (let at = 0; at < ends.length; at += 1) {
          const chunk = ends[at] as number;
          if (chunk < 0) continue;
          const { words, doubles } = slabOf(chunk);
          const place = placeOf(chunk);
          for (let line = LINE_WORDS; line < CHUNK_WORDS; line += LINE_WORDS) {
            mixed ^= words[place + line] as number;
          }
          const isFirst = (doubles[place >>> 1] as number) <= startMs;
          const previous = isFirst ? -1 : (words[place + PREVIOUS] as number) | 0;
          ends[at] = previous;
          if (previous >= 0) left += 1;
        }
      }
      loaded[0] = mixed;
    },
    copy: (chunk, startMs, endMs, into) => {
      const { words, doubles } = slabOf(chunk);
      const place = placeOf(chunk);
      const base = doubles[place >>> 1] as number;
      into.reserve(CHUNK_SAMPLES);
      const { times, halves } = into;
      let { count } = into;
      let at = place + FIRST;
      const end = at + (words[place + COUNT] as number) * SAMPLE_WORDS;
      while (at < end && base + (words[at] as number) < startMs) at += SAMPLE_WORDS;
      for (; at < end; at += SAMPLE_WORDS) {
        const timeMs = base + (words[at] as number);
        if (timeMs > endMs) break;
        times[count] = timeMs;
        halves[2 * count] = words[at + 1] as number;
        halves[2 * count + 1] = words[at + 2] as number;
        count += 1;
      }
      into.count = count;
    },
    freeBefore: (chunk) => {
      const before = previousOf(chunk);
      slabOf(chunk).words[placeOf(chunk) + PREVIOUS] = NONE;
      return free(before);
    },
    free,
    bytes: () => used * CHUNK_BYTES,
  };
}

/** No chunk: -1 in a word. */
const NONE = 0xffffffff;
