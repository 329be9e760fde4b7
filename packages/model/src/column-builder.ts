import { BLOCK_LIMITS } from './block-limits.ts';
import { type ByteWriter, createByteWriter } from './byte-writer.ts';
import type { ColumnKind } from './column.ts';

/** What a row holds for each kind. `id` is a bigint: it goes straight into a `BigUint64Array`. */
export interface KindValue {
  readonly seconds: number;
  readonly micros: number;
  readonly millis: number;
  readonly u8: number;
  readonly u16: number;
  readonly u32: number;
  readonly id: bigint;
  readonly i32: number;
  readonly f32: number;
  readonly f64: number;
  readonly category: string;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly texts: readonly string[];
  readonly floats: readonly number[];
  readonly ids: readonly bigint[];
}
export type ColumnValue = KindValue[ColumnKind];

/** One column of a batch in the making. `push` takes the value of the builder's own kind. */
export interface ColumnBuilder {
  push(value: ColumnValue): void;
  /** Only of kind `id`: a whole number below 2^53, without a bigint in between. */
  pushNumber?(value: number): void;
  /** Only of kinds `id` and `f64`: the value's 64 bits, as they are. A NaN keeps its payload. */
  pushHalves?(low: number, high: number): void;
  /** Values pushed since the last `clear`. */
  readonly count: number;
  /** Appends the column's data as a Native block holds it. */
  writeTo(writer: ByteWriter): void;
  clear(): void;
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array;
type NumbersType = new (length: number) => Numbers;

const NUMBERS = {
  seconds: Uint32Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
} as const satisfies Partial<Record<ColumnKind, NumbersType>>;

const FIRST_ROWS = 1_024;
const TWO_32 = 2 ** 32;

export function createColumnBuilder(kind: ColumnKind): ColumnBuilder {
  switch (kind) {
    case 'micros':
    case 'millis':
      return timeBuilder();
    case 'id':
      return idBuilder();
    case 'f64':
      return doubleBuilder();
    case 'bytes':
      return bytesBuilder();
    case 'category':
      return categoryBuilder();
    case 'text':
      return textBuilder();
    case 'texts':
      return arrayBuilder(textBuilder());
    case 'floats':
      return arrayBuilder(numberBuilder(Float32Array));
    case 'ids':
      return arrayBuilder(idBuilder());
    default:
      return numberBuilder(NUMBERS[kind]);
  }
}

/** Out of range wraps, a fraction is cut and NaN is 0, as typed arrays do. */
function numberBuilder(type: NumbersType): ColumnBuilder {
  let values = new type(FIRST_ROWS);
  let count = 0;
  return {
    get count() {
      return count;
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
    clear: () => {
      count = 0;
    },
  };
}

/** Kept as two halves: a bigint for each time would cost an allocation. Negative becomes 0. */
function timeBuilder(): ColumnBuilder {
  let halves = new Uint32Array(2 * FIRST_ROWS);
  let count = 0;
  return {
    get count() {
      return count;
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
    clear: () => {
      count = 0;
    },
  };
}

function idBuilder(): ColumnBuilder {
  let halves = new Uint32Array(2 * FIRST_ROWS);
  let wide = new BigUint64Array(halves.buffer);
  let count = 0;

  function reserve(): void {
    if (count < wide.length) return;
    halves = doubled(halves);
    wide = new BigUint64Array(halves.buffer);
  }

  return {
    get count() {
      return count;
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
    clear: () => {
      count = 0;
    },
  };
}

/** As halves: a NaN that goes through a number may lose the bits that make it a stale marker. */
function doubleBuilder(): ColumnBuilder {
  let halves = new Uint32Array(2 * FIRST_ROWS);
  let doubles = new Float64Array(halves.buffer);
  let count = 0;

  function reserve(): void {
    if (count < doubles.length) return;
    halves = doubled(halves);
    doubles = new Float64Array(halves.buffer);
  }

  return {
    get count() {
      return count;
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
    clear: () => {
      count = 0;
    },
  };
}

/** Bytes over the limit are a mistake of the caller: a cut message would not be one. */
function bytesBuilder(): ColumnBuilder {
  const written = createByteWriter();
  let count = 0;
  return {
    get count() {
      return count;
    },
    push: (value) => {
      // The row's type pairs a column of this kind with bytes.
      const bytes = value as Uint8Array;
      if (bytes.length > BLOCK_LIMITS.textBytesMax) {
        throw new Error(`BUG: ${bytes.length} bytes, the most is ${BLOCK_LIMITS.textBytesMax}`);
      }
      written.varint(bytes.length);
      written.raw(bytes);
      count += 1;
    },
    writeTo: (writer) => writer.raw(written.view()),
    clear: () => {
      written.clear();
      count = 0;
    },
  };
}

function textBuilder(): ColumnBuilder {
  const bytes = createByteWriter();
  let count = 0;
  return {
    get count() {
      return count;
    },
    push: (value) => {
      // The row's type pairs a column of this kind with a string.
      bytes.text(cut(value as string));
      count += 1;
    },
    writeTo: (writer) => writer.raw(bytes.view()),
    clear: () => {
      bytes.clear();
      count = 0;
    },
  };
}

/** LowCardinality(String): each distinct text once, and its number for each row. */
function categoryBuilder(): ColumnBuilder {
  const codeOf = new Map<string, number>();
  const texts = createByteWriter();
  const codes = numberBuilder(Uint32Array);
  let last = '';
  let lastCode = -1;
  return {
    get count() {
      return codes.count;
    },
    push: (value) => {
      // The row's type pairs a column of this kind with a string.
      const text = value as string;
      if (lastCode < 0 || text !== last) {
        let code = codeOf.get(text);
        if (code === undefined) {
          code = codeOf.size;
          codeOf.set(text, code);
          texts.text(cut(text));
        }
        last = text;
        lastCode = code;
      }
      codes.push(lastCode);
    },
    writeTo: (writer) => {
      const [width, flag] = codeOf.size <= 256 ? [1, 0] : codeOf.size <= 65_536 ? [2, 1] : [4, 2];
      writer.u64(1, 0);
      writer.u64(flag | HAS_KEYS, 0);
      writer.u64(codeOf.size, 0);
      writer.raw(texts.view());
      writer.u64(codes.count, 0);
      const wide = createByteWriter(codes.count * 4);
      codes.writeTo(wide);
      writer.raw(narrowed(wide.view(), width));
    },
    clear: () => {
      codeOf.clear();
      texts.clear();
      codes.clear();
      lastCode = -1;
    },
  };
}

/** The dictionary's keys follow in the block itself. Source: SerializationLowCardinality.cpp. */
export const HAS_KEYS = 0x200;

function arrayBuilder(items: ColumnBuilder): ColumnBuilder {
  // Offsets are 64 bits wide.
  const ends = timeBuilder();
  let end = 0;
  return {
    get count() {
      return ends.count;
    },
    push: (value) => {
      // The row's type pairs a column of this kind with an array.
      const list = value as readonly ColumnValue[];
      const size = Math.min(list.length, BLOCK_LIMITS.itemsMax);
      for (let i = 0; i < size; i++) items.push(list[i] as ColumnValue);
      end += size;
      ends.push(end);
    },
    writeTo: (writer) => {
      ends.writeTo(writer);
      items.writeTo(writer);
    },
    clear: () => {
      ends.clear();
      items.clear();
      end = 0;
    },
  };
}

/** A text too long for the reader's limit is cut: one row must not cost the batch. */
function cut(text: string): string {
  // A UTF-16 unit takes at most three bytes.
  const unitsMax = Math.floor(BLOCK_LIMITS.textBytesMax / 3);
  return text.length <= unitsMax ? text : text.slice(0, unitsMax);
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

/** The low `width` bytes of each 32-bit code. */
function narrowed(wide: Uint8Array, width: number): Uint8Array {
  if (width === 4) return wide;
  const narrow = new Uint8Array((wide.length / 4) * width);
  for (let from = 0, to = 0; from < wide.length; from += 4) {
    narrow[to++] = wide[from] ?? 0;
    if (width === 2) narrow[to++] = wide[from + 1] ?? 0;
  }
  return narrow;
}
