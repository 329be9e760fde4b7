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
import { indexEntries } from './index-entry.ts';
import type { RootTable } from './roots.ts';
import type { Entry } from './segments.ts';

/** The rows of a checked block with the columns that the server fills, ready for the spool. */
export function entriesOf(
  table: AnyTable,
  block: Block,
  token: string,
  { roots, nowMs }: { readonly roots: RootTable; readonly nowMs: number },
): Entry[] {
  const arrived =
    'ingest_time' in table.columns
      ? { ingest_time: new Array<number>(block.rows).fill(nowMs * 1e3) }
      : {};
  const entry = (added: Parameters<typeof withColumns>[2]): Entry => ({
    table: table.name,
    token,
    rows: block.rows,
    bytes: withColumns(table, block, { ...added, ...arrived }),
  });
  if (table.name !== l7FlowLog.name) return [entry({})];
  const rootHashes = rootsOf(block, roots, Math.floor(nowMs / 1e3));
  // The way to the rows first: what is found by it must not be late.
  return [...indexEntries(block, rootHashes), entry({ root_hash: rootHashes })];
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

/** All rows are joined before one gets its root: inside a batch no alias is needed. */
function rootsOf(block: Block, roots: RootTable, nowS: number): BigUint64Array {
  const parents = idsOf(block, 'parent_wire_id');
  const rowIds = idsOf(block, '_id');
  const probabilities = valuesOf(block, 'link_probability');
  const traceIds = valuesOf(block, 'trace_id');
  const wireIds = idsOf(block, 'wire_id');
  const rows = Array.from(wireIds, (wireId, row) => ({
    wireId,
    parentWireId: parents[row] ?? 0n,
    // 0.9 as a 32-bit float is a little less than 0.9.
    probability: Number(probabilities[row] ?? 0) + 1e-6,
    traceId: String(traceIds[row] ?? ''),
    rowId: rowIds[row] ?? 0n,
  }));
  for (const row of rows) roots.join(row, nowS);
  return wireIds.map((_, at) => {
    const row = rows[at];
    return row === undefined ? 0n : roots.rootOf(row, nowS);
  });
}
