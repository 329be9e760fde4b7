import {
  type AnyTable,
  BLOCK_LIMITS,
  type Block,
  type Column,
  type ColumnKind,
  readBlock,
} from '@thalweg/model';
import { StoreError } from '../storage/store.ts';

/** Columns that a query answers, in the shape that `readBlock` checks. */
export function answerShape(columns: Readonly<Record<string, ColumnKind>>): AnyTable {
  const described = Object.entries(columns).map(([name, kind]): [string, Column] => [
    name,
    { kind, doc: '' },
  ]);
  const [first = ''] = Object.keys(columns);
  return {
    database: '',
    name: 'answer',
    doc: '',
    columns: Object.fromEntries(described),
    orderBy: [first],
    timeColumn: first,
    retentionHours: 1,
    writer: 'server',
  };
}

/** The blocks of an answer. Throws `StoreError` when it is not what the shape says. */
export function blocksOf(shape: AnyTable, answer: Uint8Array): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < answer.length; ) {
    // A header without rows ends an answer that has none.
    if (answer[at + 1] === 0) break;
    const rest = answer.subarray(at, at + BLOCK_LIMITS.bytesMax);
    const read = readBlock(shape, rest, { columns: 'all' });
    if (read.kind === 'invalid') {
      throw new StoreError('store_query_failed', `the answer is no block: ${read.message}`);
    }
    blocks.push(read.block);
    at += read.block.size;
  }
  return blocks;
}
