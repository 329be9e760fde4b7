import {
  type AnyTable,
  addColumnStatements,
  CLICKHOUSE_TYPES,
  codecOf,
  createStatements,
  type DdlOptions,
  dropStatement,
  isSameValues,
  modifyStatement,
} from '@thalweg/model';
import { type Store, StoreError } from './store.ts';

/**
 * Creates what is missing: databases, tables, columns; a changed codec, or a type that holds the same
 * values, is for rows to come at once and for old ones in the background. What
 * only a new table can have (its order, its indexes) an old one goes without: slower, never wrong.
 * A derived table that lacks a column is dropped and created: who derives it fills it anew. Rejects with `StoreError`
 * `store_query_failed` when a stored column has another type than the declaration says: rows are
 * never converted behind the operator's back. Columns that are not declared are left alone.
 */
export async function prepareSchema(
  store: Store,
  tables: readonly AnyTable[],
  options: DdlOptions = {},
): Promise<void> {
  for (const table of tables) {
    const create = async (): Promise<void> => {
      for (const statement of createStatements(table, options)) await store.execute(statement);
    };
    await create();
    const { rows } = await store.query(
      'SELECT name, type, compression_codec FROM system.columns WHERE database = {database:String} AND table = {table:String}',
      { params: { database: table.database, table: table.name } },
    );
    const stored = new Map(
      rows.map(([name, type, codec]) => [
        String(name),
        { type: String(type), codec: String(codec).replace(WIDTH, '$1') },
      ]),
    );
    if (table.isDerived === true && Object.keys(table.columns).some((name) => !stored.has(name))) {
      await store.execute(dropStatement(table, options));
      await create();
      continue;
    }
    for (const [name, column] of Object.entries(table.columns)) {
      const found = stored.get(name);
      const type = CLICKHOUSE_TYPES[column.kind];
      if (found === undefined) {
        for (const statement of addColumnStatements(table, name, options)) {
          await store.execute(statement);
        }
      } else if (found.type !== type && !isSameValues(found.type, column.kind)) {
        throw new StoreError(
          'store_query_failed',
          `column ${table.database}.${table.name}.${name} is ${found.type}, this version needs ${type}: move the table away (RENAME TABLE) or convert it, then start again`,
        );
      } else if (found.type !== type || found.codec !== `CODEC(${codecOf(column)})`) {
        await store.execute(modifyStatement(table, name, options));
      }
    }
  }
}

/** The store adds the width of the values to a codec's name: Delta(8). */
const WIDTH = /\b(Delta|DoubleDelta|Gorilla|GCD|T64)\([^)]*\)/g;
