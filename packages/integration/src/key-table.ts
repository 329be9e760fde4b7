/**
 * From stretches of bytes to small numbers. For a hot look-up: no string is made of the bytes, and
 * known keys cost no allocation. Keys are copied into one growing buffer.
 */
export interface KeyTable {
  /** -1: not known. `view` lies over `bytes`. */
  get(view: DataView, start: number, end: number): number;
  /**
   * Whether the key that was set after the one asked for last begins at `start`: its bytes, 0 if
   * not. They may be the beginning of a longer key. Its number is `followed`.
   */
  follow(view: DataView, start: number, end: number): number;
  followed(): number;
  /** The key must not be known. */
  set(view: DataView, start: number, end: number, value: number): void;
  /** Forgets nothing of the key, but answers -1 for it from now on. */
  unset(view: DataView, start: number, end: number): void;
  values(): Iterable<number>;
  /** Keys with a value. */
  size(): number;
}

const FIRST_PLACES = 1_024;
const FIRST_BYTES = 65_536;

/** `seed`: 32 random bits, so that nobody can prepare keys that all meet in one place. */
export function createKeyTable(seed: number): KeyTable {
  let places = new Int32Array(FIRST_PLACES).fill(-1);
  let hashes = new Uint32Array(FIRST_PLACES / 2);
  let starts = new Uint32Array(FIRST_PLACES / 2 + 1);
  let numbers = new Int32Array(FIRST_PLACES / 2);
  let bytes = new Uint8Array(FIRST_BYTES);
  let kept = new DataView(bytes.buffer);
  let count = 0;
  let size = 0;
  /** The entry that was asked for last: senders write their series in the same order each time. */
  let last = -1;

  const lengthOf = (entry: number): number =>
    (starts[entry + 1] as number) - (starts[entry] as number);

  function isAt(entry: number, view: DataView, start: number, end: number): boolean {
    return lengthOf(entry) === end - start && beginsAt(entry, view, start);
  }

  /** The bytes up to the key's length must be there. */
  function beginsAt(entry: number, view: DataView, start: number): boolean {
    const from = starts[entry] as number;
    const length = lengthOf(entry);
    let at = 0;
    for (; at + 8 <= length; at += 8) {
      // Eight bytes as one number: a third less than by fours. Both zeros are equal, and a NaN is
      // not itself: there the bytes decide.
      const eight = kept.getFloat64(from + at, true);
      if (eight === view.getFloat64(start + at, true) && eight !== 0) continue;
      if (kept.getUint32(from + at, true) !== view.getUint32(start + at, true)) return false;
      if (kept.getUint32(from + at + 4, true) !== view.getUint32(start + at + 4, true))
        return false;
    }
    for (; at < length; at += 1) {
      if (kept.getUint8(from + at) !== view.getUint8(start + at)) return false;
    }
    return true;
  }

  /** The place of the key, or the free one where it belongs. */
  function placeOf(view: DataView, start: number, end: number, hash: number): number {
    const mask = places.length - 1;
    let place = hash & mask;
    for (;;) {
      const entry = places[place] ?? -1;
      if (entry < 0 || (hashes[entry] === hash && isAt(entry, view, start, end))) return place;
      place = (place + 1) & mask;
    }
  }

  function grow(): void {
    places = new Int32Array(2 * places.length).fill(-1);
    const half = places.length / 2;
    hashes = copied(hashes, new Uint32Array(half));
    starts = copied(starts, new Uint32Array(half + 1));
    numbers = copied(numbers, new Int32Array(half));
    const mask = places.length - 1;
    for (let entry = 0; entry < count; entry += 1) {
      let place = (hashes[entry] ?? 0) & mask;
      while ((places[place] ?? -1) >= 0) place = (place + 1) & mask;
      places[place] = entry;
    }
  }

  function keep(view: DataView, start: number, end: number): void {
    const from = starts[count] ?? 0;
    const length = end - start;
    if (from + length > bytes.length) {
      bytes = copied(bytes, new Uint8Array(Math.max(2 * bytes.length, from + length)));
      kept = new DataView(bytes.buffer);
    }
    bytes.set(new Uint8Array(view.buffer, view.byteOffset + start, length), from);
    starts[count + 1] = from + length;
  }

  return {
    get: (view, start, end) => {
      const guess = last + 1;
      if (guess < count && isAt(guess, view, start, end)) {
        last = guess;
        return numbers[guess] ?? -1;
      }
      const entry = places[placeOf(view, start, end, hashOf(view, start, end, seed))] ?? -1;
      if (entry < 0) return -1;
      last = entry;
      return numbers[entry] ?? -1;
    },
    follow: (view, start, end) => {
      const guess = last + 1;
      if (guess >= count || (numbers[guess] as number) < 0) return 0;
      const length = lengthOf(guess);
      if (length > end - start || !beginsAt(guess, view, start)) return 0;
      last = guess;
      return length;
    },
    followed: () => numbers[last] as number,
    set: (view, start, end, value) => {
      if (count === hashes.length) grow();
      const hash = hashOf(view, start, end, seed);
      const place = placeOf(view, start, end, hash);
      const known = places[place] ?? -1;
      size += 1;
      if (known >= 0) {
        numbers[known] = value;
        return;
      }
      keep(view, start, end);
      hashes[count] = hash;
      numbers[count] = value;
      places[place] = count;
      count += 1;
    },
    unset: (view, start, end) => {
      const entry = places[placeOf(view, start, end, hashOf(view, start, end, seed))] ?? -1;
      if (entry < 0 || numbers[entry] === -1) return;
      numbers[entry] = -1;
      size -= 1;
    },
    values: () => numbers.subarray(0, count).filter((value) => value >= 0),
    size: () => size,
  };
}

/** Four bytes a step: multiply, rotate. */
function hashOf(view: DataView, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getUint32(at, true), 0x9e3779b1);
    hash = (hash << 13) | (hash >>> 19);
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ view.getUint8(at), 0x85ebca6b);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb352d);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function copied<Values extends Uint8Array | Uint32Array | Int32Array>(
  from: Uint8Array | Uint32Array | Int32Array,
  to: Values,
): Values {
  to.set(from);
  return to;
}
