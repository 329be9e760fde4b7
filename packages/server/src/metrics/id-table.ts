/** From 64-bit ids, as two halves, to small numbers that were given out in order. */
export interface IdTable {
  /** -1: not known. */
  get(low: number, high: number): number;
  /** The id must not be there. Answers its number: one more than the last. */
  add(low: number, high: number): number;
  readonly count: number;
  lowOf(slot: number): number;
  highOf(slot: number): number;
}

const FIRST_PLACES = 4_096;

/** Open addressing over typed arrays: 30 bytes an id, no bigint and no string on the hot path. */
export function createIdTable(): IdTable {
  let places = new Int32Array(FIRST_PLACES).fill(-1);
  let lows = new Uint32Array(FIRST_PLACES / 2);
  let highs = new Uint32Array(FIRST_PLACES / 2);
  let count = 0;
  /** The slot that was asked for last: senders write their series in the same order each time. */
  let last = -1;

  // The ids are hashes already: some of their bits are as good as a hash of them.
  function place(low: number, high: number): number {
    const mask = places.length - 1;
    let at = (low ^ high) & mask;
    for (;;) {
      const slot = places[at] ?? -1;
      if (slot < 0 || (lows[slot] === low && highs[slot] === high)) return at;
      at = (at + 1) & mask;
    }
  }

  function grow(): void {
    const half = places.length;
    places = new Int32Array(2 * half).fill(-1);
    lows = grown(lows, half);
    highs = grown(highs, half);
    for (let slot = 0; slot < count; slot += 1) {
      places[place(lows[slot] ?? 0, highs[slot] ?? 0)] = slot;
    }
  }

  return {
    get: (low, high) => {
      const guess = last + 1;
      if (guess < count && lows[guess] === low && highs[guess] === high) {
        last = guess;
        return guess;
      }
      const slot = places[place(low, high)] ?? -1;
      if (slot >= 0) last = slot;
      return slot;
    },
    add: (low, high) => {
      if (count === lows.length) grow();
      lows[count] = low;
      highs[count] = high;
      places[place(low, high)] = count;
      count += 1;
      return count - 1;
    },
    get count() {
      return count;
    },
    lowOf: (slot) => lows[slot] ?? 0,
    highOf: (slot) => highs[slot] ?? 0,
  };
}

function grown(values: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(values);
  return larger;
}
