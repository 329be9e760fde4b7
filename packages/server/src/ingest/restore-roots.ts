import { l7FlowLog, qualifiedName, traceAlias } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import type { RootTable } from './roots.ts';

const ROWS_MAX = 200_000;

/** Takes up the traces of the last minutes, so that a restart does not split them. */
export async function restoreRoots(
  store: Store,
  roots: RootTable,
  nowS: number,
  windowS: number,
): Promise<void> {
  const since = {
    params: { since: nowS - windowS, most: ROWS_MAX },
    limits: { rowsMax: ROWS_MAX },
  };
  const rows = await store.query(
    `SELECT wire_id, root_hash FROM ${qualifiedName(l7FlowLog)}
     WHERE time >= toDateTime({since:UInt32}) AND wire_id != 0
     ORDER BY time DESC LIMIT {most:UInt32}`,
    since,
  );
  const aliases = await store.query(
    `SELECT old_root_hash, new_root_hash FROM ${qualifiedName(traceAlias)}
     WHERE time >= toDateTime({since:UInt32}) ORDER BY time DESC LIMIT {most:UInt32}`,
    since,
  );
  for (const [member, root] of [...rows.rows, ...aliases.rows]) {
    roots.restore(BigInt(String(member)), BigInt(String(root)), nowS);
  }
}
