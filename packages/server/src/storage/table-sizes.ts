import { TABLES } from '@thalweg/model';
import type { Store } from './store.ts';

export interface TableSize {
  /** `database.table`. */
  readonly table: string;
  readonly rows: number;
  /** Compressed, with marks and indexes; without parts that are merged already but not yet gone. */
  readonly bytes: number;
  readonly parts: number;
}

/** What each declared table takes on the store's disk. */
export async function tableSizes(store: Store): Promise<TableSize[]> {
  const { rows } = await store.query(
    `SELECT concat(database, '.', table) AS name, sum(rows), sum(bytes_on_disk), count()
     FROM system.parts WHERE active AND database IN {databases:Array(String)}
     GROUP BY name ORDER BY name`,
    { params: { databases: [...new Set(TABLES.map(({ database }) => database))] } },
  );
  return rows.map(([table, count, bytes, parts]) => ({
    table: String(table),
    rows: Number(count),
    bytes: Number(bytes),
    parts: Number(parts),
  }));
}
