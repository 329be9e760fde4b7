/** From 64-bit ids, as two halves, to small numbers. */
export interface IdTable {
  /** -1: not known. */
  get(low: number, high: number): number;
  /** The id must not be there. Answers its number: one that was given back, or one more than the last. */
  add(low: number, high: number): number;
  /** Forgets the ids; costs a look at all others. Their numbers are kept from `add` until `reuse`. */
  remove(slots: ReadonlySet<number>): void;
  reuse(slots: Iterable<number>): void;
  /** Ids that are known. */
  count(): number;
  /** Numbers are below it. */
  slots(): number;
  lowOf(slot: number): number;
  highOf(slot: number): number;
}

const FIRST_PLACES = 4_096;

/** Open addressing over typed arrays: 30 bytes an id, no bigint and no string on the hot path. */
export function createIdTable(): IdTable {
  let places = new Int32Array(FIRST_PLACES).fill(-1);
  let lows = new Uint32Array(FIRST_PLACES / 2);
  let highs = new Uint32Array(FIRST_PLACES / 2);
  /** Numbers that were ever given out, and those of them without an id. */
  let slots = 0;
  let isGone = new Uint8Array(FIRST_PLACES / 2);
  let gone = 0;
  const free: number[] = [];
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
    places = new Int32Array(2 * half);
    lows = grown(lows, new Uint32Array(half));
    highs = grown(highs, new Uint32Array(half));
    isGone = grown(isGone, new Uint8Array(half));
    fill();
  }

  function fill(): void {
    places.fill(-1);
    for (let slot = 0; slot < slots; slot += 1) {
      if (isGone[slot] === 0) places[place(lows[slot] ?? 0, highs[slot] ?? 0)] = slot;
    }
  }

  return {
    get: (low, high) => {
      const guess = last + 1;
      if (guess < slots && lows[guess] === low && highs[guess] === high && isGone[guess] === 0) {
        last = guess;
        return guess;
      }
      const slot = places[place(low, high)] ?? -1;
      if (slot >= 0) last = slot;
      return slot;
    },
    add: (low, high) => {
      if (free.length === 0 && slots === lows.length) grow();
      const slot = free.pop() ?? slots++;
      if (isGone[slot] === 1) gone -= 1;
      isGone[slot] = 0;
      lows[slot] = low;
      highs[slot] = high;
      places[place(low, high)] = slot;
      return slot;
    },
    remove: (dead) => {
      for (const slot of dead) {
        if (isGone[slot] === 0) gone += 1;
        isGone[slot] = 1;
      }
      fill();
    },
    reuse: (dead) => free.push(...dead),
    count: () => slots - gone,
    slots: () => slots,
    lowOf: (slot) => lows[slot] ?? 0,
    highOf: (slot) => highs[slot] ?? 0,
  };
}

function grown<Values extends Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  values: Values,
  larger: Values,
): Values {
  larger.set(values);
  return larger;
}
