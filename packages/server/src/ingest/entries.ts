import {
  type AnyTable,
  type Block,
  createBatch,
  floatsOf,
  idHalvesOf,
  l7FlowLog,
  traceAlias,
  withColumns,
} from '@thalweg/model';
import type { IndexWriter } from './index-entry.ts';
import type { RootTable } from './roots.ts';
import type { Entry } from './segments.ts';
import { traceKeysOf } from './trace-keys.ts';

/** The rows of a checked block with the columns that the server fills, ready for the spool. */
export function entriesOf(
  table: AnyTable,
  block: Block,
  token: string,
  {
    roots,
    index,
    nowMs,
  }: {
    readonly roots: RootTable;
    readonly index: IndexWriter;
    readonly nowMs: number;
  },
): Entry[] {
  const arrived =
    'ingest_time' in table.columns
      ? { ingest_time: new BigUint64Array(block.rows).fill(BigInt(nowMs) * 1_000n) }
      : {};
  const entry = (added: Parameters<typeof withColumns>[2]): Entry =>
    entryOf(table, token, block.rows, withColumns(table, block, { ...added, ...arrived }));
  if (table.name !== l7FlowLog.name) return [entry({})];
  const traceKeys = traceKeysOf(block);
  const rootHashes = roots.rootsOf(
    {
      rows: block.rows,
      wireIds: idHalvesOf(block, 'wire_id'),
      parentWireIds: idHalvesOf(block, 'parent_wire_id'),
      probabilities: floatsOf(block, 'link_probability'),
      traceKeys: traceKeys.nodes,
      rowIds: idHalvesOf(block, '_id'),
    },
    Math.floor(nowMs / 1e3),
  );
  // The way to the rows first: what is found by it must not be late.
  return [...index.entriesOf(block, rootHashes, traceKeys), entry({ root_hash: rootHashes })];
}

/** Roots that were joined since the last call: the marks that some were, and what was joined. */
export function aliasEntries(roots: RootTable, index: IndexWriter, nowMs: number): Entry[] {
  const aliases = roots.takeAliases();
  if (aliases.length === 0) return [];
  const batch = createBatch(traceAlias);
  const time = Math.floor(nowMs / 1e3);
  for (const alias of aliases) {
    batch.push({ time, old_root_hash: alias.old, new_root_hash: alias.new });
  }
  return [...index.marksOf(aliases, time), entryOf(traceAlias, '', batch.rows, [batch.encode()])];
}

function entryOf(
  { name }: AnyTable,
  token: string,
  rows: number,
  pieces: readonly Uint8Array[],
): Entry {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { table: name, token, rows, bytes, pieces };
}
