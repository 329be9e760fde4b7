import { BLOCK_LIMITS } from './block-limits.ts';
import { type ByteWriter, createByteWriter } from './byte-writer.ts';
import type { ColumnKind } from './column.ts';

/** What a row holds for each kind. `id` is a bigint: it goes straight into a `BigUint64Array`. */
export interface KindValue {
  readonly seconds: number;
  readonly micros: number;
  readonly u8: number;
  readonly u16: number;
  readonly u32: number;
  readonly id: bigint;
  readonly i32: number;
  readonly f32: number;
  readonly category: string;
  readonly text: string;
  readonly texts: readonly string[];
  readonly floats: readonly number[];
  readonly ids: readonly bigint[];
}
export type ColumnValue = KindValue[ColumnKind];

/** One column of a batch in the making. `push` takes the value of the builder's own kind. */
export interface ColumnBuilder {
  push(value: ColumnValue): void;
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
      return microsBuilder();
    case 'id':
      return idBuilder();
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
function microsBuilder(): ColumnBuilder {
  const halves = numberBuilder(Uint32Array);
  return {
    ...halves,
    push: (value) => {
      // The row's type pairs a column of this kind with a number.
      const micros = Math.max(0, Math.trunc(value as number) || 0);
      halves.push(micros % TWO_32);
      halves.push(Math.floor(micros / TWO_32));
    },
  };
}

function idBuilder(): ColumnBuilder {
  let values = new BigUint64Array(FIRST_ROWS);
  let count = 0;
  return {
    push: (value) => {
      if (count === values.length) {
        const grown = new BigUint64Array(count * 2);
        grown.set(values);
        values = grown;
      }
      // The row's type pairs a column of this kind with a bigint.
      values[count++] = value as bigint;
    },
    writeTo: (writer) => writer.raw(bytesOf(values, count)),
    clear: () => {
      count = 0;
    },
  };
}

function textBuilder(): ColumnBuilder {
  const bytes = createByteWriter();
  return {
    // The row's type pairs a column of this kind with a string.
    push: (value) => bytes.text(cut(value as string)),
    writeTo: (writer) => writer.raw(bytes.view()),
    clear: bytes.clear,
  };
}

/** LowCardinality(String): each distinct text once, and its number for each row. */
function categoryBuilder(): ColumnBuilder {
  const codeOf = new Map<string, number>();
  const texts = createByteWriter();
  const codes = numberBuilder(Uint32Array);
  let count = 0;
  let last = '';
  let lastCode = -1;
  return {
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
      count += 1;
    },
    writeTo: (writer) => {
      const [width, flag] = codeOf.size <= 256 ? [1, 0] : codeOf.size <= 65_536 ? [2, 1] : [4, 2];
      writer.u64(1, 0);
      writer.u64(flag | HAS_KEYS, 0);
      writer.u64(codeOf.size, 0);
      writer.raw(texts.view());
      writer.u64(count, 0);
      const wide = createByteWriter(count * 4);
      codes.writeTo(wide);
      writer.raw(narrowed(wide.view(), width));
    },
    clear: () => {
      codeOf.clear();
      texts.clear();
      codes.clear();
      count = 0;
      lastCode = -1;
    },
  };
}

/** The dictionary's keys follow in the block itself. Source: SerializationLowCardinality.cpp. */
export const HAS_KEYS = 0x200;

function arrayBuilder(items: ColumnBuilder): ColumnBuilder {
  const ends = numberBuilder(Uint32Array);
  let end = 0;
  return {
    push: (value) => {
      // The row's type pairs a column of this kind with an array.
      const list = value as readonly ColumnValue[];
      const size = Math.min(list.length, BLOCK_LIMITS.itemsMax);
      for (let i = 0; i < size; i++) items.push(list[i] as ColumnValue);
      end += size;
      // Offsets are 64 bits wide; the upper half is never needed.
      ends.push(end);
      ends.push(0);
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

/** Little endian, as every platform that Node runs on with our addon. */
function bytesOf(values: Numbers | BigUint64Array, count: number): Uint8Array {
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
