import type { ColumnKind } from './column.ts';
import type { ColumnBuilder } from './column-builder.ts';

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array;
type NumbersType = new (length: number) => Numbers;

export const NUMBERS = {
  seconds: Uint32Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
} as const satisfies Partial<Record<ColumnKind, NumbersType>>;

const FIRST_ROWS = 1_024;
const TWO_32 = 2 ** 32;

/** Out of range wraps, a fraction is cut and NaN is 0, as typed arrays do. */
export function numberBuilder(type: NumbersType): ColumnBuilder {
  let values = new type(FIRST_ROWS);
  let count = 0;
  let marked = 0;
  return {
    get count() {
      return count;
    },
    get size() {
      return count * values.BYTES_PER_ELEMENT;
    },
    push: (value) => {
      if (count === values.length) {
        const grown = new type(count * 2);
        grown.set(values);
        values = grown;
      }
      // The row's type pairs a column of this kind with a number.
      values[count++] = value as number;
    },
    writeTo: (writer) => writer.raw(bytesOf(values, count)),
    mark: () => {
      marked = count;
    },
    rollback: () => {
      count = marked;
    },
    clear: () => {
      count = 0;
      marked = 0;
    },
  };
}

/** Kept as two halves: a bigint for each time would cost an allocation. Negative becomes 0. */
export function timeBuilder(): ColumnBuilder {
  let halves = new Uint32Array(2 * FIRST_ROWS);
  let count = 0;
  let marked = 0;
  return {
    get count() {
      return count;
    },
    get size() {
      return count * 8;
    },
    push: (value) => {
      if (2 * count === halves.length) halves = doubled(halves);
      // The row's type pairs a column of this kind with a number.
      const time = Math.max(0, Math.trunc(value as number) || 0);
      const high = Math.floor(time / TWO_32);
      halves[2 * count] = time - high * TWO_32;
      halves[2 * count + 1] = high;
      count += 1;
    },
    writeTo: (writer) => writer.raw(bytesOf(halves, 2 * count)),
    mark: () => {
      marked = count;
    },
    rollback: () => {
      count = marked;
    },
    clear: () => {
      count = 0;
      marked = 0;
    },
  };
}

export function idBuilder(): ColumnBuilder {
  let halves = new Uint32Array(2 * FIRST_ROWS);
  let wide = new BigUint64Array(halves.buffer);
  let count = 0;
  let marked = 0;

  function reserve(): void {
    if (count < wide.length) return;
    halves = doubled(halves);
    wide = new BigUint64Array(halves.buffer);
  }

  return {
    get count() {
      return count;
    },
    get size() {
      return count * 8;
    },
    push: (value) => {
      reserve();
      // The row's type pairs a column of this kind with a bigint.
      wide[count++] = value as bigint;
    },
    pushNumber: (value) => {
      reserve();
      const high = Math.floor(value / TWO_32);
      halves[2 * count] = value - high * TWO_32;
      halves[2 * count + 1] = high;
      count += 1;
    },
    pushHalves: (low, high) => {
      reserve();
      halves[2 * count] = low;
      halves[2 * count + 1] = high;
      count += 1;
    },
    writeTo: (writer) => writer.raw(bytesOf(halves, 2 * count)),
    mark: () => {
      marked = count;
    },
    rollback: () => {
      count = marked;
    },
    clear: () => {
      count = 0;
      marked = 0;
    },
  };
}

/** As halves: a NaN that goes through a number may lose the bits that make it a stale marker. */
export function doubleBuilder(): ColumnBuilder {
  let halves = new Uint32Array(2 * FIRST_ROWS);
  let doubles = new Float64Array(halves.buffer);
  let count = 0;
  let marked = 0;

  function reserve(): void {
    if (count < doubles.length) return;
    halves = doubled(halves);
    doubles = new Float64Array(halves.buffer);
  }

  return {
    get count() {
      return count;
    },
    get size() {
      return count * 8;
    },
    push: (value) => {
      reserve();
      // The row's type pairs a column of this kind with a number.
      doubles[count++] = value as number;
    },
    pushHalves: (low, high) => {
      reserve();
      halves[2 * count] = low;
      halves[2 * count + 1] = high;
      count += 1;
    },
    writeTo: (writer) => writer.raw(bytesOf(halves, 2 * count)),
    mark: () => {
      marked = count;
    },
    rollback: () => {
      count = marked;
    },
    clear: () => {
      count = 0;
      marked = 0;
    },
  };
}

function doubled(halves: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(2 * halves.length);
  grown.set(halves);
  return grown;
}

/** Little endian, as every platform that Node runs on with our addon. */
function bytesOf(values: Numbers, count: number): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, count * values.BYTES_PER_ELEMENT);
}
