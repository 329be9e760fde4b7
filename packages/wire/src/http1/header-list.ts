import type { Header } from './head.ts';

/** Gathers the headers of one head after the other. */
export interface HeaderList {
  readonly length: number;
  begin(): void;
  add(name: string, value: string): void;
  /** What was added since `begin`; equal lists come out as one object again and again. */
  end(): readonly Header[];
}

/** Slots of 16 headers of 64 characters: at most 256 KiB for pairs and as much for lists. */
const SLOTS = 256;
const CACHED_LENGTH_MAX = 64;
const CACHED_COUNT_MAX = 16;
const NONE: readonly Header[] = [];

/**
 * Traffic repeats its headers: most lists were seen before, and then nothing is allocated. Relies on
 * a text cache for speed only: equal strings that are different objects cost a comparison.
 */
export function createHeaderList(): HeaderList {
  const pairs: (Header | undefined)[] = new Array<Header | undefined>(SLOTS).fill(undefined);
  const lists: (readonly Header[] | undefined)[] = new Array<readonly Header[] | undefined>(
    SLOTS,
  ).fill(undefined);
  // Filled up to `count`, never emptied: an array that is emptied and filled again is allocated again.
  const gathered: Header[] = [];
  let count = 0;
  let hash = 0;
  let isCacheable = true;

  function pairOf(name: string, value: string): Header {
    const { length } = value;
    if (length > CACHED_LENGTH_MAX) {
      isCacheable = false;
      return [name, value];
    }
    const ends = length === 0 ? 0 : value.charCodeAt(0) * 7 + value.charCodeAt(length - 1);
    const key = (Math.imul(name.length * 31 + length, 31) + ends) | 0;
    hash = (Math.imul(hash, 31) + key) | 0;
    const slot = (key ^ (key >>> 8)) & (SLOTS - 1);
    const known = pairs[slot];
    if (known !== undefined && known[0] === name && known[1] === value) return known;
    const made: Header = [name, value];
    pairs[slot] = made;
    return made;
  }

  return {
    get length() {
      return count;
    },
    begin() {
      count = 0;
      hash = 0;
      isCacheable = true;
    },
    add(name, value) {
      gathered[count] = pairOf(name, value);
      count += 1;
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
