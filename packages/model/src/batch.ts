import type { ColumnSpan, EncodedBlock } from './block.ts';
import { BLOCK_LIMITS } from './block-limits.ts';
import { createByteWriter } from './byte-writer.ts';
import type { Column, ColumnKind, ColumnOrigin, Table } from './column.ts';
import { type ColumnBuilder, createColumnBuilder, type KindValue } from './column-builder.ts';
import { CLICKHOUSE_TYPES } from './ddl.ts';
import { WordColumn } from './number-columns.ts';

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
  (Kind extends 'texts' | 'categories'
    ? {
        /** Items one by one in place of `push`; at most `BLOCK_LIMITS.itemsMax`, then `endRow`. */
        item(text: string): void;
        endRow(): void;
      }
    : unknown) &
  (Kind extends 'texts'
    ? { itemUtf8(bytes: Uint8Array, from: number, to: number): void }
    : unknown);

/** A sink for every column that the observer fills. */
export type SinksOf<Declared extends Columns> = {
  readonly [Name in keyof RowOf<Declared>]: ColumnSink<Declared[Name]['kind']>;
};

/** Columns whose values several rows of a batch may share: all but texts and arrays. */
export type Shareable<Declared extends Columns> = {
  [Name in keyof RowOf<Declared>]: Declared[Name]['kind'] extends Unshared ? never : Name;
}[keyof RowOf<Declared>];
type Unshared = 'text' | 'bytes' | 'texts' | 'categories' | 'floats' | 'ids';

/** Rows held as columns until they are encoded. */
export interface Batch<Declared extends Columns, Shared extends keyof RowOf<Declared> = never> {
  readonly rows: number;
  /** No row fits any more: `BLOCK_LIMITS` is reached. Encode and clear. */
  readonly isFull: boolean;
  /** Copies what it needs. Texts over the limit are cut. A push into a full batch throws. */
  push(row: RowOf<Declared>): void;
  /**
   * For a hot path: `write` pushes one value into each column that is not shared. No row object,
   * and every call in it has one target, which the engine inlines. `share` is what `share` answered.
   */
  add(write: (columns: Omit<SinksOf<Declared>, Shared>) => void, share?: number): void;
  /**
   * Values of the shared columns, pushed once for all rows that name the answer: a connection's
   * rows have two dozen values in common. Valid until `clear`; there may not be more than rows.
   */
  share(write: (columns: Pick<SinksOf<Declared>, Shared>) => void): number;
  /** About the bytes that `encode` would answer. Costs a look at each column. */
  readonly size: number;
  /** Remembers this place, until the next `mark` or `clear`. */
  mark(): void;
  /** Forgets all rows since `mark`, also half a row that a `write` of `add` left by throwing. */
  rollback(): void;
  /**
   * The rows as one Native block, in bytes that the caller owns; in `memory` if that is large
   * enough. Memory that was written before costs a tenth: the kernel need not find and clear it.
   */
  encode(memory?: ArrayBuffer): Uint8Array<ArrayBuffer>;
  /** The same, with the places of its columns: what would be read from the bytes again. */
  block(options?: BlockOptions): EncodedBlock;
  clear(): void;
}

export interface BlockOptions {
  /** As for `encode`. */
  readonly memory?: ArrayBuffer | undefined;
  /**
   * Leaves out columns, but the table's time, of which all values are the kind's default: an INSERT
   * fills them in. Not for a receiver that checks that all are there.
   */
  readonly omitsDefaults?: boolean;
}

/** Names of the columns that `origin` fills. Without an origin a column is the agent's. */
export function columnsFrom(columns: Columns, origin: ColumnOrigin): string[] {
  return Object.keys(columns).filter((name) => (columns[name]?.origin ?? 'agent') === origin);
}

/**
 * An empty batch for the agent's columns of a table. Numbers go into typed arrays, texts into bytes
 * at once. Values of `shared` columns are held once for each `share` and spread out by `encode`.
 */
export function createBatch<
  const Declared extends Columns,
  const Shared extends Shareable<Declared> = never,
>(table: Table<Declared>, shared: readonly Shared[] = []): Batch<Declared, Shared> {
  const columns = columnsFrom(table.columns, 'agent').map((name) => {
    const kind = table.columns[name]?.kind ?? 'text';
    const isShared = shared.some((one) => one === name);
    return { name, kind, builder: createColumnBuilder(kind), isShared };
  });
  // One builder for each declared column, so the names and kinds are the declaration's.
  const sinks = Object.fromEntries(
    columns.map(({ name, builder }) => [name, builder]),
  ) as unknown as SinksOf<Declared>;
  /** For each row the share that it names. */
  const picks = new WordColumn(4);
  let shares = 0;
  let markedShares = 0;

  function begin(share: number): void {
    if (picks.count >= BLOCK_LIMITS.rowsMax) {
      throw new Error(`BUG: push into a batch of ${picks.count} rows, the most is ${picks.count}`);
    }
    picks.push(share);
  }

  return {
    get rows() {
      return picks.count;
    },
    get isFull() {
      return picks.count >= BLOCK_LIMITS.rowsMax;
    },
    push: (row) => {
      begin(shares);
      if (shared.length > 0) shares += 1;
      // Names come from the same declaration as the row's type.
      const values = row as Readonly<Record<string, KindValue[keyof KindValue]>>;
      for (const { name, builder } of columns) builder.push(values[name] ?? '');
    },
    add: (write, share = 0) => {
      begin(share);
      write(sinks);
    },
    share: (write) => {
      write(sinks);
      shares += 1;
      return shares - 1;
    },
    get size() {
      let size = 0;
      for (const { builder } of columns) size += builder.size;
      return size;
    },
    mark: () => {
      for (const { builder } of columns) builder.mark();
      picks.mark();
      markedShares = shares;
    },
    rollback: () => {
      for (const { builder } of columns) builder.rollback();
      picks.rollback();
      shares = markedShares;
    },
    encode: (memory) => encodeBlock(columns, picks, shares, memory).bytes,
    block: ({ memory, omitsDefaults = false } = {}) => {
      const isWritten = ({ name, builder }: NamedColumn): boolean =>
        name === table.timeColumn || !builder.isDefault;
      return encodeBlock(
        omitsDefaults ? columns.filter(isWritten) : columns,
        picks,
        shares,
        memory,
      );
    },
    clear: () => {
      for (const { builder } of columns) builder.clear();
      picks.clear();
      shares = 0;
      markedShares = 0;
    },
  };
}

interface NamedColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly builder: ColumnBuilder;
  readonly isShared: boolean;
}

function encodeBlock(
  columns: readonly NamedColumn[],
  picks: WordColumn,
  shares: number,
  memory?: ArrayBuffer,
): EncodedBlock {
  const rows = picks.count;
  let size = 4_096;
  for (const { name, builder, isShared } of columns) {
    const wanted = isShared ? shares : rows;
    if (builder.count !== wanted) {
      throw new Error(`BUG: ${wanted} values expected, but ${builder.count} in ${name}`);
    }
    size += isShared ? rows * 8 : builder.size;
  }
  // A reader takes no dictionary that is longer than its block.
  if (shares > rows) throw new Error(`BUG: ${shares} shares, but ${rows} rows`);
  const taken = picks.words();
  const unknown = shares === 0 ? undefined : taken.find((share) => share >= shares);
  if (unknown !== undefined) throw new Error(`BUG: a row names share ${unknown} of ${shares}`);
  const isEnough = memory !== undefined && memory.byteLength >= size;
  const writer = createByteWriter(isEnough ? new Uint8Array(memory) : size);
  writer.varint(columns.length);
  writer.varint(rows);
  const columnsStart = writer.length;
  const spans = new Map<string, ColumnSpan>();
  for (const { name, kind, builder, isShared } of columns) {
    writer.text(name);
    writer.text(CLICKHOUSE_TYPES[kind]);
    const start = writer.length;
    builder.writeTo(writer, isShared ? taken : undefined);
    spans.set(name, { kind, start, end: writer.length });
  }
  const bytes = writer.view();
  return { rows, size: bytes.length, bytes, columns: spans, columnsStart };
}
