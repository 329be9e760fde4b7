import type { Block } from './block.ts';
import { valuesOf } from './block-values.ts';
import { createByteWriter } from './byte-writer.ts';
import type { AnyTable } from './column.ts';
import { createColumnBuilder } from './column-builder.ts';
import { CLICKHOUSE_TYPES } from './ddl.ts';
import { readBlock } from './native-block.ts';

/**
 * The rows that `isWanted` names, at least one, as a block of their own. Decodes and encodes every
 * column: for the rare block of which a part is refused.
 */
export function selectRows(
  table: AnyTable,
  block: Block,
  isWanted: (row: number) => boolean,
): Block {
  const rows = Array.from({ length: block.rows }, (_, row) => row).filter(isWanted);
  const writer = createByteWriter(block.size);
  writer.varint(block.columns.size);
  writer.varint(rows.length);
  for (const [name, { kind }] of block.columns) {
    const values = valuesOf(block, name);
    const builder = createColumnBuilder(kind);
    for (const row of rows) builder.push(values[row] ?? '');
    writer.text(name);
    writer.text(CLICKHOUSE_TYPES[kind]);
    builder.writeTo(writer);
  }
  const names = new Set(block.columns.keys());
  const columns = Object.entries(table.columns).filter(([name]) => names.has(name));
  const part = { ...table, columns: Object.fromEntries(columns) };
  const read = readBlock(part, writer.view().slice(), { columns: 'all' });
  if (read.kind === 'invalid')
    throw new Error(`BUG: ${read.code} of our own block: ${read.message}`);
  return read.block;
}
