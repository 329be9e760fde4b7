import {
  type AnyTable,
  type Block,
  createBatch,
  idsOf,
  l7FlowLog,
  traceAlias,
  valuesOf,
  withColumns,
} from '@thalweg/model';
import type { RootTable } from './roots.ts';
import type { Entry } from './segments.ts';

/** The rows of a checked block with the columns that the server fills, ready for the spool. */
export function entryOf(
  table: AnyTable,
  block: Block,
  token: string,
  { roots, nowMs }: { readonly roots: RootTable; readonly nowMs: number },
): Entry {
  const isL7 = table.name === l7FlowLog.name;
  const bytes = withColumns(table, block, {
    ...(isL7 ? { root_hash: observeRows(block, roots, Math.floor(nowMs / 1e3)) } : {}),
    ...('ingest_time' in table.columns
      ? { ingest_time: new Array<number>(block.rows).fill(nowMs * 1e3) }
      : {}),
  });
  return { table: table.name, token, rows: block.rows, bytes };
}

/** Roots that were joined since the last call; undefined when there are none. */
export function aliasEntry(roots: RootTable, nowMs: number): Entry | undefined {
  const aliases = roots.takeAliases();
  if (aliases.length === 0) return undefined;
  const batch = createBatch(traceAlias);
  const time = Math.floor(nowMs / 1e3);
  for (const alias of aliases) {
    batch.push({ time, old_root_hash: alias.old, new_root_hash: alias.new });
  }
  return { table: traceAlias.name, token: '', rows: batch.rows, bytes: batch.encode() };
}

function observeRows(block: Block, roots: RootTable, nowS: number): BigUint64Array {
  const wireIds = idsOf(block, 'wire_id');
  const parents = idsOf(block, 'parent_wire_id');
  const rowIds = idsOf(block, '_id');
  const probabilities = valuesOf(block, 'link_probability');
  const traceIds = valuesOf(block, 'trace_id');
  return wireIds.map((wireId, row) =>
    roots.observe(
      {
        wireId,
        parentWireId: parents[row] ?? 0n,
        // 0.9 as a 32-bit float is a little less than 0.9.
        probability: Number(probabilities[row] ?? 0) + 1e-6,
        traceId: String(traceIds[row] ?? ''),
        rowId: rowIds[row] ?? 0n,
      },
      nowS,
    ),
  );
}
