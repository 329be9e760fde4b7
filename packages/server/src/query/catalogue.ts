import { type AnyTable, l7FlowLog, TABLES } from '@thalweg/model';
import { LOG, type Measures } from '../flow/measures.ts';
import { FLOW_SQL_TABLES, measuresOfFlow, splitPrecision } from './flow-sql.ts';

/** Every table that SQL can ask. */
export const SQL_TABLES: readonly AnyTable[] = [...TABLES, ...FLOW_SQL_TABLES];

/** By name, with or without database and precision: `flow_metrics.application.1m`. */
export function findTable(name: string, database: string | undefined): AnyTable | undefined {
  const bare = splitPrecision(name).name;
  return SQL_TABLES.find(
    (table) =>
      (table.name === bare && (database === undefined || table.database === database)) ||
      `${table.database}.${table.name}` === bare,
  );
}

/** What a table's rows measure besides what its columns hold. */
export function measuresOf(table: AnyTable): Measures {
  return table === l7FlowLog ? LOG : measuresOfFlow(table);
}
