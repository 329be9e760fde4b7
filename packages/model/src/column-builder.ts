import { arrayBuilder, categoriesBuilder, textsBuilder } from './array-builders.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { ColumnKind } from './column.ts';
import { DoubleColumn, FloatColumn, IdColumn, TimeColumn, WordColumn } from './number-columns.ts';
import { bytesBuilder, categoryBuilder, textBuilder } from './text-builders.ts';

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
  readonly categories: readonly string[];
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
  /** Bytes held. */
  readonly size: number;
  /** All values are what a store puts in the place of none: 0, no text, no items. */
  readonly isDefault: boolean;
  /** Remembers this place, until the next `mark` or `clear`. */
  mark(): void;
  /** Forgets what was pushed since `mark`, also half a row. */
  rollback(): void;
  /**
   * Appends the column's data as a Native block holds it: all values, or those at `picks` in that
   * order (of numbers, times, ids and categories only).
   */
  writeTo(writer: ByteWriter, picks?: Uint32Array): void;
  clear(): void;
}

export function createColumnBuilder(kind: ColumnKind): ColumnBuilder {
  switch (kind) {
    case 'u8':
      return new WordColumn(1);
    case 'u16':
      return new WordColumn(2);
    case 'seconds':
    case 'u32':
    case 'i32':
      return new WordColumn(4);
    case 'f32':
      return new FloatColumn();
    case 'f64':
      return new DoubleColumn();
    case 'micros':
    case 'millis':
      return new TimeColumn();
    case 'id':
      return new IdColumn();
    case 'bytes':
      return bytesBuilder();
    case 'category':
      return categoryBuilder();
    case 'text':
      return textBuilder();
    case 'texts':
      return textsBuilder();
    case 'categories':
      return categoriesBuilder();
    case 'floats':
      return arrayBuilder(new FloatColumn());
    case 'ids':
      return arrayBuilder(new IdColumn());
  }
}
