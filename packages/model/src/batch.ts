import { BLOCK_LIMITS } from './block-limits.ts';
import { createByteWriter } from './byte-writer.ts';
import type { Column, ColumnKind, ColumnOrigin, Table } from './column.ts';
import { createColumnBuilder, type KindValue } from './column-builder.ts';
import { CLICKHOUSE_TYPES } from './ddl.ts';

type Columns = Readonly<Record<string, Column>>;

/** A row as its observer fills it: every column but the server's. */
export type RowOf<Declared extends Columns> = {
  readonly [Name in keyof Declared as Declared[Name] extends { readonly origin: 'server' }
    ? never
    : Name]: KindValue[Declared[Name]['kind']];
};

/** The column `kind` as a writer sees it: `push` takes its value, once a row. */
export type ColumnSink<Kind extends ColumnKind> = {
  push(value: KindValue[Kind]): void;
} & (Kind extends 'id'
  ? {
      /** A whole number below 2^53, without a bigint in between. */
      pushNumber(value: number): void;
    }
  : unknown) &
  (Kind extends 'id' | 'f64'
    ? {
        /** The 64 bits as they are. */
        pushHalves(low: number, high: number): void;
      }
    : unknown) &
  (Kind extends 'text'
    ? {
        /** UTF-8 at `bytes[from, to)`, copied; what is not valid becomes U+FFFD. */
        pushUtf8(bytes: Uint8Array, from: number, to: number): void;
        /** The bytes as lower-case hex digits. */
        pushHex(bytes: Uint8Array, from: number, to: number): void;
      }
    : unknown) &
  (Kind extends 'texts'
    ? {
        /** Items one by one in place of `push`; at most `BLOCK_LIMITS.itemsMax`, then `endRow`. */
        item(text: string): void;
        itemUtf8(bytes: Uint8Array, from: number, to: number): void;
        endRow(): void;
      }
    : unknown);

/** A sink for every column that the observer fills. */
export type SinksOf<Declared extends Columns> = {
  readonly [Name in keyof RowOf<Declared>]: ColumnSink<Declared[Name]['kind']>;
};

/** Rows held as columns until they are encoded. */
export interface Batch<Declared extends Columns> {
  readonly rows: number;
  /** No row fits any more: `BLOCK_LIMITS` is reached. Encode and clear. */
  readonly isFull: boolean;
  /** Copies what it needs. Texts over the limit are cut. A push into a full batch throws. */
  push(row: RowOf<Declared>): void;
  /**
   * For a hot path: `write` pushes one value into each column. No row object, and every call in it
   * has one target, which the engine inlines.
   */
  add(write: (columns: SinksOf<Declared>) => void): void;
  /** About the bytes that `encode` would answer. Costs a look at each column. */
  readonly size: number;
  /** Remembers this place, until the next `mark` or `clear`. */
  mark(): void;
  /** Forgets all rows since `mark`, also half a row that a `write` of `add` left by throwing. */
  rollback(): void;
  /** The rows as one Native block, in bytes that the caller owns. */
  encode(): Uint8Array<ArrayBuffer>;
  clear(): void;
}

/** Names of the columns that `origin` fills. Without an origin a column is the agent's. */
export function columnsFrom(columns: Columns, origin: ColumnOrigin): string[] {
  return Object.keys(columns).filter((name) => (columns[name]?.origin ?? 'agent') === origin);
}

/**
 * An empty batch for the agent's columns of a table. Numbers go into typed arrays, texts into bytes
 * at once.
 */
export function createBatch<const Declared extends Columns>(
  table: Table<Declared>,
): Batch<Declared> {
  const columns = columnsFrom(table.columns, 'agent').map((name) => {
    const kind = table.columns[name]?.kind ?? 'text';
    return { name, type: CLICKHOUSE_TYPES[kind], builder: createColumnBuilder(kind) };
  });
  // One builder for each declared column, so the names and kinds are the declaration's.
  const sinks = Object.fromEntries(
    columns.map(({ name, builder }) => [name, builder]),
  ) as unknown as SinksOf<Declared>;
  let rows = 0;
  let marked = 0;

  function mind(): void {
    if (rows < BLOCK_LIMITS.rowsMax) return;
    throw new Error(`BUG: push into a batch of ${rows} rows, the most is ${rows}`);
  }

  return {
    get rows() {
      return rows;
    },
    get isFull() {
      return rows >= BLOCK_LIMITS.rowsMax;
    },
    push: (row) => {
      mind();
      // Names come from the same declaration as the row's type.
      const values = row as Readonly<Record<string, KindValue[keyof KindValue]>>;
      for (const { name, builder } of columns) builder.push(values[name] ?? '');
      rows += 1;
    },
    add: (write) => {
      mind();
      write(sinks);
      rows += 1;
    },
    get size() {
      let size = 0;
      for (const { builder } of columns) size += builder.size;
      return size;
    },
    mark: () => {
      for (const { builder } of columns) builder.mark();
      marked = rows;
    },
    rollback: () => {
      for (const { builder } of columns) builder.rollback();
      rows = marked;
    },
    encode: () => {
      const odd = columns.find(({ builder }) => builder.count !== rows);
      if (odd !== undefined) {
        throw new Error(`BUG: ${rows} rows, but ${odd.builder.count} values in ${odd.name}`);
      }
      const writer = createByteWriter(rows * 256 + 4_096);
      writer.varint(columns.length);
      writer.varint(rows);
      for (const { name, type, builder } of columns) {
        writer.text(name);
        writer.text(type);
        builder.writeTo(writer);
      }
      return writer.view().slice();
    },
    clear: () => {
      for (const { builder } of columns) builder.clear();
      rows = 0;
      marked = 0;
    },
  };
}
