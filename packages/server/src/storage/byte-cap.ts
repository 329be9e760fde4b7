import { type AnyTable, qualifiedName } from '@thalweg/model';
import type { Store } from './store.ts';

export interface DroppedPartition {
  /** The store's id of it: the hour in seconds, or the day as YYYYMMDD. */
  readonly partition: string;
  /** As they were when it was looked at; compressed bytes on disk. */
  readonly rows: number;
  readonly bytes: number;
}

/** In one round; the next round goes on. */
const PARTITIONS_MAX = 500;

/**
 * Drops the oldest partitions while the table's active parts take more than `bytesMax`. The newest
 * partition stays, whatever its size: rows arrive there. `onDrop` hears of each one that is gone.
 */
export async function dropOldestPartitions(
  store: Store,
  table: AnyTable,
  bytesMax: number,
  onDrop: (dropped: DroppedPartition) => void,
): Promise<void> {
  const { rows } = await store.query(
    `SELECT partition_id, sum(rows), sum(bytes_on_disk) FROM system.parts
     WHERE active AND database = {database:String} AND table = {table:String}
     GROUP BY partition_id ORDER BY length(partition_id), partition_id`,
    { params: { database: table.database, table: table.name } },
  );
  const partitions = rows.map(([partition, count, bytes]) => ({
    partition: String(partition),
    rows: Number(count),
    bytes: Number(bytes),
  }));
  let total = partitions.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const one of partitions.slice(0, -1).slice(0, PARTITIONS_MAX)) {
    if (total <= bytesMax) return;
    if (!/^\w+$/.test(one.partition)) throw new Error(`BUG: ${one.partition} is no partition id`);
    await store.execute(`ALTER TABLE ${qualifiedName(table)} DROP PARTITION ID '${one.partition}'`);
    total -= one.bytes;
    onDrop(one);
  }
}
