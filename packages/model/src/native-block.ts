import { columnsFrom } from './batch.ts';
import type { Block, ColumnSpan } from './block.ts';
import { BLOCK_LIMITS, type BlockLimits } from './block-limits.ts';
import { createByteReader } from './byte-reader.ts';
import { createByteWriter } from './byte-writer.ts';
import type { AnyTable } from './column.ts';
import { skipColumn } from './column-reader.ts';
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

/**
 * The block with more columns of 64 bits behind its own: a head, the block's columns, which are not
 * copied, and the columns added.
 */
export function withColumns(
  table: AnyTable,
  block: Block,
  added: Readonly<Record<string, BigUint64Array<ArrayBuffer>>>,
): readonly Uint8Array[] {
  const names = Object.keys(added);
  const head = createByteWriter(20);
  head.varint(block.columns.size + names.length);
  head.varint(block.rows);
  const tail = createByteWriter(names.length * (64 + block.rows * 8));
  for (const name of names) {
    const values = added[name];
    const kind = table.columns[name]?.kind;
    if (kind !== 'id' && kind !== 'micros') {
      throw new Error(`BUG: ${table.name} declares no column ${name} of 64 bits`);
    }
    if (values?.length !== block.rows) {
      throw new Error(`BUG: ${values?.length} values of ${name}, ${block.rows} rows`);
    }
    tail.text(name);
    tail.text(CLICKHOUSE_TYPES[kind]);
    tail.raw(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return [head.view(), block.bytes.subarray(block.columnsStart, block.size), tail.view()];
}

function invalid(code: BlockFault, message: string): BlockResult {
  return { kind: 'invalid', code, message };
}
