import type { ByteWriter } from './byte-writer.ts';
import type { ColumnBuilder, ColumnValue } from './column-builder.ts';

// Classes, against style rule 11: closures that one factory makes share their type feedback, so
// that a `push` into a Uint8Array and one into a Float32Array become one slow store. With a class
// for each kind of array a row of 57 columns costs a third (bench ring, case `rows`).

const FIRST_ROWS = 1_024;
const TWO_32 = 2 ** 32;

/** Counts values; the last ones since `mark` can be taken back. */
class CountedColumn {
  count = 0;
  #marked = 0;

  mark(): void {
    this.#marked = this.count;
  }

  rollback(): void {
    this.count = this.#marked;
  }

  clear(): void {
    this.count = 0;
    this.#marked = 0;
  }
}

/** Whole numbers of 1, 2 or 4 bytes. Out of range wraps, a fraction is cut and NaN is 0. */
export class WordColumn extends CountedColumn implements ColumnBuilder {
  readonly #width: 1 | 2 | 4;
  #values: Uint32Array<ArrayBuffer> = new Uint32Array(FIRST_ROWS);

  constructor(width: 1 | 2 | 4) {
    super();
    this.#width = width;
  }

  get size(): number {
    return this.count * this.#width;
  }

  get isDefault(): boolean {
    return isZero(this.words());
  }

  push(value: ColumnValue): void {
    if (this.count === this.#values.length) this.#values = doubled(this.#values);
    // The row's type pairs a column of this kind with a number.
    this.#values[this.count++] = value as number;
  }

  writeTo(writer: ByteWriter, picks?: Uint32Array): void {
    this.writeNarrowed(writer, this.#width, picks);
  }

  /** A view of the values; valid until the next push. */
  words(): Uint32Array {
    return this.#values.subarray(0, this.count);
  }

  /** Of each value the low `width` bytes. */
  writeNarrowed(writer: ByteWriter, width: number, picks?: Uint32Array): void {
    writer.raw(narrowed(picked(this.#values.subarray(0, this.count), picks), width));
  }
}

export class FloatColumn extends CountedColumn implements ColumnBuilder {
  #values: Float32Array<ArrayBuffer> = new Float32Array(FIRST_ROWS);

  get size(): number {
    return this.count * 4;
  }

  get isDefault(): boolean {
    return isZero(this.#bits());
  }

  push(value: ColumnValue): void {
    if (this.count === this.#values.length) {
      const grown = new Float32Array(2 * this.count);
      grown.set(this.#values);
      this.#values = grown;
    }
    // The row's type pairs a column of this kind with a number.
    this.#values[this.count++] = value as number;
  }

  writeTo(writer: ByteWriter, picks?: Uint32Array): void {
    writer.raw(bytesOf(picked(this.#bits(), picks)));
  }

  #bits(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#values.buffer, 0, this.count);
  }
}

/** 64-bit ids, as two halves: a bigint for each would cost an allocation. */
export class IdColumn extends CountedColumn implements ColumnBuilder {
  #halves: Uint32Array<ArrayBuffer> = new Uint32Array(2 * FIRST_ROWS);
  #wide: BigUint64Array<ArrayBuffer> = new BigUint64Array(this.#halves.buffer);

  get size(): number {
    return this.count * 8;
  }

  get isDefault(): boolean {
    return isZero(this.#halves.subarray(0, 2 * this.count));
  }

  push(value: ColumnValue): void {
    if (this.count === this.#wide.length) this.#grow();
    // The row's type pairs a column of this kind with a bigint.
    this.#wide[this.count++] = value as bigint;
  }

  pushNumber(value: number): void {
    const high = value < TWO_32 ? 0 : Math.floor(value / TWO_32);
    this.pushHalves(value - high * TWO_32, high);
  }

  pushHalves(low: number, high: number): void {
    if (this.count === this.#wide.length) this.#grow();
    const at = 2 * this.count++;
    this.#halves[at] = low;
    this.#halves[at + 1] = high;
  }

  writeTo(writer: ByteWriter, picks?: Uint32Array): void {
    writer.raw(bytesOf(pickedPairs(this.#halves.subarray(0, 2 * this.count), picks)));
  }

  #grow(): void {
    this.#halves = doubled(this.#halves);
    this.#wide = new BigUint64Array(this.#halves.buffer);
  }
}

/** Doubles, kept as bits: a NaN that goes through a number may lose what makes it a stale marker. */
export class DoubleColumn extends CountedColumn implements ColumnBuilder {
  #halves: Uint32Array<ArrayBuffer> = new Uint32Array(2 * FIRST_ROWS);
  #doubles: Float64Array<ArrayBuffer> = new Float64Array(this.#halves.buffer);

  get size(): number {
    return this.count * 8;
  }

  get isDefault(): boolean {
    return isZero(this.#halves.subarray(0, 2 * this.count));
  }

  push(value: ColumnValue): void {
    if (this.count === this.#doubles.length) this.#grow();
    // The row's type pairs a column of this kind with a number.
    this.#doubles[this.count++] = value as number;
  }

  pushHalves(low: number, high: number): void {
    if (this.count === this.#doubles.length) this.#grow();
    const at = 2 * this.count++;
    this.#halves[at] = low;
    this.#halves[at + 1] = high;
  }

  writeTo(writer: ByteWriter, picks?: Uint32Array): void {
    writer.raw(bytesOf(pickedPairs(this.#halves.subarray(0, 2 * this.count), picks)));
  }

  #grow(): void {
    this.#halves = doubled(this.#halves);
    this.#doubles = new Float64Array(this.#halves.buffer);
  }
}

/** Times and offsets, whole and 64 bits wide; negative becomes 0. */
export class TimeColumn extends CountedColumn implements ColumnBuilder {
  #halves: Uint32Array<ArrayBuffer> = new Uint32Array(2 * FIRST_ROWS);

  get size(): number {
    return this.count * 8;
  }

  get isDefault(): boolean {
    return isZero(this.#halves.subarray(0, 2 * this.count));
  }

  push(value: ColumnValue): void {
    const at = 2 * this.count++;
    if (at === this.#halves.length) this.#halves = doubled(this.#halves);
    // The row's type pairs a column of this kind with a number.
    const time = Math.max(0, Math.trunc(value as number) || 0);
    const high = Math.floor(time / TWO_32);
    this.#halves[at] = time - high * TWO_32;
    this.#halves[at + 1] = high;
  }

  writeTo(writer: ByteWriter, picks?: Uint32Array): void {
    writer.raw(bytesOf(pickedPairs(this.#halves.subarray(0, 2 * this.count), picks)));
  }
}

/** Each number is the one `stride` before it. */
function isUniform(words: Uint32Array, stride: number): boolean {
  for (let i = stride; i < words.length; i += 1) if (words[i] !== words[i - stride]) return false;
  return true;
}

function isZero(words: Uint32Array): boolean {
  for (let i = 0; i < words.length; i += 1) if (words[i] !== 0) return false;
  return true;
}

/** The values at `picks`, in that order; without picks all of them, not copied. */
function picked(
  values: Uint32Array<ArrayBuffer>,
  picks: Uint32Array | undefined,
): Uint32Array<ArrayBuffer> {
  if (picks === undefined) return values;
  const taken = new Uint32Array(picks.length);
  if (isUniform(values, 1)) return taken.fill(values[0] ?? 0);
  for (let i = 0; i < picks.length; i += 1) taken[i] = values[picks[i] ?? 0] ?? 0;
  return taken;
}

function pickedPairs(
  halves: Uint32Array<ArrayBuffer>,
  picks: Uint32Array | undefined,
): Uint32Array<ArrayBuffer> {
  if (picks === undefined) return halves;
  const taken = new Uint32Array(2 * picks.length);
  if (isUniform(halves, 2) && halves[0] === halves[1]) return taken.fill(halves[0] ?? 0);
  for (let i = 0; i < picks.length; i += 1) {
    const from = 2 * (picks[i] ?? 0);
    taken[2 * i] = halves[from] ?? 0;
    taken[2 * i + 1] = halves[from + 1] ?? 0;
  }
  return taken;
}

/** The low `width` bytes of each number, little endian. */
function narrowed(words: Uint32Array<ArrayBuffer>, width: number): Uint8Array {
  if (width === 4) return bytesOf(words);
  return width === 1 ? new Uint8Array(words) : bytesOf(new Uint16Array(words));
}

function doubled(words: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(2 * words.length);
  grown.set(words);
  return grown;
}

/** Little endian, as every platform that Node runs on with our addon. */
function bytesOf(values: Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
