import { type AnyTable, type Column, l7FlowLog, qualifiedName, TABLES } from '@thalweg/model';
import { FUNCTION_NAMES, functionType } from './functions.ts';

/** Counters that rows imply: name to ClickHouse expression over the table's columns. */
export const DERIVED: Readonly<Record<string, { readonly sql: string; readonly doc: string }>> = {
  log_count: { sql: '1', doc: 'Rows.' },
  request: { sql: '`type` != 1', doc: 'Requests seen.' },
  response: { sql: '`type` != 0', doc: 'Responses seen.' },
  error: { sql: '`response_status` IN (3, 4)', doc: 'Answers that are errors.' },
  client_error: { sql: '`response_status` = 4', doc: "Errors of the client's making." },
  server_error: { sql: '`response_status` = 3', doc: "Errors of the server's making." },
  timeout: { sql: '`response_status` = 2', doc: 'Requests without an answer in time.' },
  session_length: { sql: '`request_length` + `response_length`', doc: 'Bytes of both bodies.' },
};

export function findTable(name: string, database: string | undefined): AnyTable | undefined {
  return TABLES.find(
    (table) =>
      (table.name === name && (database === undefined || table.database === database)) ||
      `${table.database}.${table.name}` === name,
  );
}

export function tableSql(table: AnyTable): string {
  return qualifiedName(table);
}

export function derivedOf(table: AnyTable): Readonly<Record<string, { sql: string; doc: string }>> {
  return table.name === l7FlowLog.name ? DERIVED : {};
}

/** A number that is worth adding up or averaging, not an identifier or a name. */
function isMetric(column: Column): boolean {
  return column.unit !== undefined && column.kind !== 'micros';
}

export interface Listing {
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

/** Answers SHOW from the declaration of the tables; `tables` are those asked about. */
export function listCatalogue(
  what: 'databases' | 'tables' | 'tags' | 'metrics' | 'functions',
  tables: readonly AnyTable[],
): Listing {
  if (what === 'databases') {
    return {
      columns: ['name'],
      values: [...new Set(tables.map((t) => t.database))].map((d) => [d]),
    };
  }
  if (what === 'tables') {
    return {
      columns: ['name', 'database', 'description'],
      values: tables.map((table) => [table.name, table.database, table.doc]),
    };
  }
  if (what === 'functions') {
    const values = FUNCTION_NAMES.map((name) => [name, functionType(name)]);
    return { columns: ['name', 'type'], values };
  }
  return what === 'tags' ? listTags(tables) : listMetrics(tables);
}

function listTags(tables: readonly AnyTable[]): Listing {
  const values = tables.flatMap((table) =>
    Object.entries(table.columns)
      .filter(([, column]) => !isMetric(column))
      .map(([name, column]) => [name, tagType(column), column.doc, table.name]),
  );
  return { columns: ['name', 'type', 'description', 'table'], values };
}

function tagType(column: Column): string {
  if (column.names !== undefined) return 'int_enum';
  if (column.kind === 'seconds' || column.kind === 'micros') return 'time';
  if (column.kind === 'id') return 'id';
  if (column.kind === 'category' || column.kind === 'text') return 'string';
  return column.kind === 'texts' || column.kind === 'floats' || column.kind === 'ids'
    ? 'array'
    : 'int';
}

function listMetrics(tables: readonly AnyTable[]): Listing {
  const values = tables.flatMap((table) => [
    ...Object.entries(table.columns)
      .filter(([, column]) => isMetric(column))
      .map(([name, column]) => [name, column.unit ?? '', column.doc, table.name]),
    ...Object.entries(derivedOf(table)).map(([name, { doc }]) => [name, '', doc, table.name]),
  ]);
  return { columns: ['name', 'unit', 'description', 'table'], values };
}
