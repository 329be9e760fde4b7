import { columnsFrom } from './batch.ts';
import { BLOCK_LIMITS, type BlockLimits } from './block-limits.ts';
import { createByteReader } from './byte-reader.ts';
import { type ByteWriter, createByteWriter } from './byte-writer.ts';
import type { AnyTable, ColumnKind } from './column.ts';
import { type ColumnValue, createColumnBuilder } from './column-builder.ts';
import { readColumn, skipColumn } from './column-reader.ts';
import { CLICKHOUSE_TYPES } from './ddl.ts';

// ClickHouse's Native format, for the kinds that we declare: number of columns, number of rows,
// then name, type and data of each column. Source: ClickHouse, src/Formats/NativeReader.cpp.

export type BlockFault =
  | 'block_truncated'
  | 'block_too_large'
  | 'block_corrupt'
  | 'column_unknown'
  | 'column_missing'
  | 'column_type';

/** Where a column's data lies within the block's bytes. */
interface ColumnSpan {
  readonly kind: ColumnKind;
  readonly start: number;
  readonly end: number;
}

/** A block that was checked to its end; its values are decoded when they are asked for. */
export interface Block {
  readonly rows: number;
  /** Bytes that the block takes; more may follow, such as the next block of a file. */
  readonly size: number;
  /** The checked bytes: a view of the input, not a copy. */
  readonly bytes: Uint8Array;
  readonly columns: ReadonlyMap<string, ColumnSpan>;
  /** Offset behind the two counts: what follows is columns only. */
  readonly columnsStart: number;
}

export type BlockResult =
  | { readonly kind: 'block'; readonly block: Block }
  | { readonly kind: 'invalid'; readonly code: BlockFault; readonly message: string };

export interface ReadOptions {
  /** Which columns must be there, all and no others. */
  readonly columns: 'agent' | 'all';
  readonly limits?: Partial<BlockLimits>;
}

const COLUMNS_MAX = 1_024;
const NAME_BYTES_MAX = 256;

/**
 * Checks the block at the start of `bytes` against a table's declaration: columns in any order,
 * every length, dictionary code and array offset. Never throws, whatever the bytes are. The cost is
 * a walk over lengths: texts are not decoded.
 */
export function readBlock(table: AnyTable, bytes: Uint8Array, options: ReadOptions): BlockResult {
  const limits = { ...BLOCK_LIMITS, ...options.limits };
  const wanted = new Set(
    options.columns === 'all' ? Object.keys(table.columns) : columnsFrom(table.columns, 'agent'),
  );
  if (bytes.length > limits.bytesMax) {
    return invalid('block_too_large', `${bytes.length} bytes, the most is ${limits.bytesMax}`);
  }
  const reader = createByteReader(bytes);
  const columnCount = reader.varint();
  const rows = reader.varint();
  if (reader.isPastEnd) return invalid('block_truncated', 'no counts of columns and rows');
  if (columnCount > COLUMNS_MAX || rows > limits.rowsMax) {
    const most = `the most is ${COLUMNS_MAX} and ${limits.rowsMax}`;
    return invalid('block_too_large', `${columnCount} columns, ${rows} rows, ${most}`);
  }
  if (rows === 0) return invalid('block_corrupt', 'a block without rows');
  const columnsStart = reader.at;
  const columns = new Map<string, ColumnSpan>();
  for (let i = 0; i < columnCount; i++) {
    const name = reader.text(NAME_BYTES_MAX);
    const type = reader.text(NAME_BYTES_MAX);
    if (reader.isPastEnd) return invalid('block_truncated', `column ${i + 1} has no header`);
    const kind = wanted.has(name) ? table.columns[name]?.kind : undefined;
    if (kind === undefined || columns.has(name)) {
      return invalid(
        'column_unknown',
        `${table.name} takes no${kind ? ' second' : ''} column ${name}`,
      );
    }
    if (type !== CLICKHOUSE_TYPES[kind]) {
      return invalid('column_type', `${name} is ${type}, expected ${CLICKHOUSE_TYPES[kind]}`);
    }
    const start = reader.at;
    const fault = skipColumn(reader, kind, rows, limits);
    if (reader.isPastEnd) return invalid('block_truncated', `column ${name} is cut off`);
    if (fault !== undefined) return invalid('block_corrupt', `column ${name}: ${fault}`);
    columns.set(name, { kind, start, end: reader.at });
  }
  for (const name of wanted) {
    if (!columns.has(name)) return invalid('column_missing', `${table.name} needs column ${name}`);
  }
  const size = reader.at;
  const block = { rows, size, bytes: bytes.subarray(0, size), columns, columnsStart };
  return { kind: 'block', block };
}

/** All values of a column, in row order. A column that the block lacks is our mistake: throws. */
export function valuesOf(block: Block, name: string): ColumnValue[] {
  const span = block.columns.get(name);
  if (span === undefined) throw new Error(`BUG: the block has no column ${name}`);
  return readColumn(block.bytes.subarray(span.start, span.end), span.kind, block.rows);
}

/** A column of 64-bit ids, as a copy. */
export function idsOf(block: Block, name: string): BigUint64Array {
  const span = block.columns.get(name);
  if (span?.kind !== 'id') throw new Error(`BUG: the block has no column ${name} of ids`);
  // A copy starts at 0 and so is aligned. Not by slice(): that of a Node Buffer does not copy.
  return new BigUint64Array(new Uint8Array(block.bytes.subarray(span.start, span.end)).buffer);
}

/** A column of doubles as their bits, low half first: a NaN keeps its payload. A copy. */
export function doublesOf(block: Block, name: string): Uint32Array<ArrayBuffer> {
  const span = block.columns.get(name);
  if (span?.kind !== 'f64') throw new Error(`BUG: the block has no column ${name} of doubles`);
  return new Uint32Array(new Uint8Array(block.bytes.subarray(span.start, span.end)).buffer);
}

/** A column of times, in its own unit since the epoch: exact up to 2^53, and no array of objects. */
export function timesOf(block: Block, name: string): Float64Array {
  const span = block.columns.get(name);
  const { bytes } = block;
  const isWide = span?.kind === 'millis' || span?.kind === 'micros';
  if (span === undefined || !(isWide || span.kind === 'seconds')) {
    throw new Error(`BUG: the block has no column ${name} of times`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + span.start, span.end - span.start);
  const times = new Float64Array(block.rows);
  for (let row = 0; row < block.rows; row += 1) {
    times[row] = isWide
      ? view.getUint32(8 * row, true) + view.getInt32(8 * row + 4, true) * 2 ** 32
      : view.getUint32(4 * row, true);
  }
  return times;
}

/** The block with more columns behind its own, which are not decoded but copied. */
export function withColumns(
  table: AnyTable,
  block: Block,
  added: Readonly<Record<string, readonly ColumnValue[] | BigUint64Array>>,
): Uint8Array<ArrayBuffer> {
  const names = Object.keys(added);
  const writer = createByteWriter(block.size + names.length * (64 + block.rows * 8));
  writer.varint(block.columns.size + names.length);
  writer.varint(block.rows);
  writer.raw(block.bytes.subarray(block.columnsStart));
  for (const name of names) {
    const count = added[name]?.length;
    if (count !== block.rows)
      throw new Error(`BUG: ${count} values of ${name}, ${block.rows} rows`);
  }
  for (const name of names) writeColumn(writer, table, name, added[name] ?? []);
  return writer.view().slice();
}

function writeColumn(
  writer: ByteWriter,
  table: AnyTable,
  name: string,
  values: readonly ColumnValue[] | BigUint64Array,
): void {
  const kind = table.columns[name]?.kind;
  if (kind === undefined) throw new Error(`BUG: ${table.name} declares no column ${name}`);
  const builder = createColumnBuilder(kind);
  for (const value of values) builder.push(value);
  writer.text(name);
  writer.text(CLICKHOUSE_TYPES[kind]);
  builder.writeTo(writer);
}

function invalid(code: BlockFault, message: string): BlockResult {
  return { kind: 'invalid', code, message };
}
