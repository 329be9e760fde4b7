import type { Header } from './head.ts';

/** Gathers the headers of one head after the other. */
export interface HeaderList {
  readonly length: number;
  begin(): void;
  /** `hash` is its `headerHash`. */
  add(header: Header, hash: number): void;
  /** What was added since `begin`; equal lists come out as one object again and again. */
  end(): readonly Header[];
}

/** Slots of 16 headers of 64 characters: at most 256 KiB. */
const SLOTS = 256;
const CACHED_LENGTH_MAX = 64;
const CACHED_COUNT_MAX = 16;
const NONE: readonly Header[] = [];

/**
 * Traffic repeats its headers: most lists were seen before, and then nothing is allocated. Headers
 * that are one object where they are equal are compared the faster.
 */
export function createHeaderList(): HeaderList {
  const lists: (readonly Header[] | undefined)[] = new Array<readonly Header[] | undefined>(
    SLOTS,
  ).fill(undefined);
  // Filled up to `count`, never emptied: an array that is emptied and filled again is allocated again.
  const gathered: Header[] = [];
  let count = 0;
  let hash = 0;
  let isCacheable = true;

  return {
    get length() {
      return count;
    },
    begin() {
      count = 0;
      hash = 0;
      isCacheable = true;
    },
    add(header, one) {
      gathered[count] = header;
      count += 1;
      hash = (Math.imul(hash, 31) + one) | 0;
      if (header[1].length > CACHED_LENGTH_MAX) isCacheable = false;
    },
    end() {
      if (count === 0) return NONE;
      if (!isCacheable || count > CACHED_COUNT_MAX) return gathered.slice(0, count);
      const slot = (hash ^ (hash >>> 8)) & (SLOTS - 1);
      const known = lists[slot];
      if (known?.length === count && isSame(known, gathered)) return known;
      const made = gathered.slice(0, count);
      lists[slot] = made;
      return made;
    },
  };
}

/** Of the lengths and of four letters of the value: ids differ in all of them. */
export function headerHash([name, value]: Header): number {
  const { length } = value;
  if (length < 4) return Math.imul(name.length * 31 + length, 31);
  const middle = length >> 1;
  const ends = value.charCodeAt(0) * 7 + value.charCodeAt(length - 1);
  const inner = value.charCodeAt(middle) * 7 + value.charCodeAt(middle - 1);
  return Math.imul(name.length * 31 + length, 31) + Math.imul(ends, 257) + inner;
}

/** Whether `other` begins with what `one` holds. */
function isSame(one: readonly Header[], other: readonly Header[]): boolean {
  for (let i = 0; i < one.length; i += 1) {
    const header = one[i];
    const same = other[i];
    if (header === same) continue;
    if (header?.[0] !== same?.[0] || header?.[1] !== same?.[1]) return false;
  }
  return true;
}
