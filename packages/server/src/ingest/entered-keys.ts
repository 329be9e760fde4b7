const SLOTS_MIN = 4_096;
/** More are given back after a block. */
const SLOTS_KEPT = 2 ** 20;

/**
 * Of each key in an interval the row that it was last entered for, of one block at a time. A table
 * in typed arrays that the next block uses again: with a map the collector ran twice as often.
 */
export class EnteredKeys {
  #keys = new Uint32Array(SLOTS_MIN);
  #starts = new Uint32Array(SLOTS_MIN);
  #rows = new Int32Array(SLOTS_MIN);
  /** The block that a slot was last taken in. */
  #blocks = new Uint32Array(SLOTS_MIN);
  #block = 0;
  #count = 0;

  /** Forgets all. */
  begin(): void {
    if (this.#keys.length > SLOTS_KEPT || this.#block === 2 ** 32 - 1) this.#resize(SLOTS_MIN);
    this.#block += 1;
    this.#count = 0;
  }

  /** Remembers `row`, and answers the row before; -1: none. */
  replace(key: number, startS: number, row: number): number {
    if (2 * this.#count >= this.#keys.length) this.#grow();
    const slot = this.#slotOf(key, startS);
    const before = this.#blocks[slot] === this.#block ? (this.#rows[slot] ?? -1) : -1;
    if (before < 0) {
      this.#count += 1;
      this.#blocks[slot] = this.#block;
      this.#keys[slot] = key;
      this.#starts[slot] = startS;
    }
    this.#rows[slot] = row;
    return before;
  }

  /** Where the key is, or is to be. */
  #slotOf(key: number, startS: number): number {
    const mask = this.#keys.length - 1;
    const mixed = Math.imul(key ^ Math.imul(startS, 0x9e3779b1), 0x85ebca6b);
    for (let slot = (mixed ^ (mixed >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      if (this.#blocks[slot] !== this.#block) return slot;
      if (this.#keys[slot] === key && this.#starts[slot] === startS) return slot;
    }
  }

  #grow(): void {
    const [keys, starts, rows, blocks] = [this.#keys, this.#starts, this.#rows, this.#blocks];
    const block = this.#block;
    this.#resize(2 * keys.length);
    this.#block = 1;
    this.#count = 0;
    for (let slot = 0; slot < keys.length; slot += 1) {
      if (blocks[slot] !== block) continue;
      this.replace(keys[slot] ?? 0, starts[slot] ?? 0, rows[slot] ?? 0);
    }
  }

  #resize(slots: number): void {
    this.#keys = new Uint32Array(slots);
    this.#starts = new Uint32Array(slots);
    this.#rows = new Int32Array(slots);
    this.#blocks = new Uint32Array(slots);
    this.#block = 0;
  }
}
