import {
  type AnyTable,
  addColumnStatements,
  CLICKHOUSE_TYPES,
  createStatements,
  type DdlOptions,
} from '@thalweg/model';
import { type Store, StoreError } from './store.ts';

/**
 * Creates what is missing: databases, tables, columns. Rejects with `StoreError`
 * `store_query_failed` when a stored column has another type than the declaration says: rows are
 * never converted behind the operator's back. Columns that are not declared are left alone.
 */
export async function prepareSchema(
  store: Store,
  tables: readonly AnyTable[],
  options: DdlOptions = {},
): Promise<void> {
  for (const table of tables) {
    for (const statement of createStatements(table, options)) await store.execute(statement);
    const { rows } = await store.query(
      'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}',
      { params: { database: table.database, table: table.name } },
    );
    const stored = new Map(rows.map(([name, type]) => [String(name), String(type)]));
    for (const [name, { kind }] of Object.entries(table.columns)) {
      const type = stored.get(name);
      if (type === undefined) {
        for (const statement of addColumnStatements(table, name, options)) {
          await store.execute(statement);
        }
      } else if (type !== CLICKHOUSE_TYPES[kind]) {
        throw new StoreError(
          'store_query_failed',
          `column ${table.database}.${table.name}.${name} is ${type}, this version needs ${CLICKHOUSE_TYPES[kind]}: move the table away (RENAME TABLE) or convert it, then start again`,
        );
      }
    }
  }
}
