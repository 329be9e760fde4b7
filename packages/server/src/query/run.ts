import type { Precision } from '../flow/flow-tables.ts';
import { type Store, StoreError } from '../storage/store.ts';
import { SQL_TABLES } from './catalogue.ts';
import { generateSql, knownTable } from './generate.ts';
import { parseSql } from './parse.ts';
import { listCatalogue } from './show.ts';
import { enumValues, valuesSelect } from './tag-values.ts';
import { SqlError } from './tokens.ts';

const LIMITS = { timeoutMs: 60_000, memoryBytes: 2 ** 30, rowsMax: 1_000_000 };

export interface SqlAnswer {
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
  readonly schemas: readonly { readonly name: string; readonly type: string }[];
  /** The statement that the store ran; empty for SHOW. */
  readonly sql: string;
}

/**
 * Runs a user's statement. It is parsed, and written anew from its tree. Throws `SqlError` for a
 * mistake in it and `StoreError` where the store refuses; a limit is `store_limit`.
 */
export async function runUserSql(
  store: Store,
  sql: string,
  options: {
    readonly database?: string | undefined;
    /** Of flow tables whose name has none. */
    readonly precision?: Precision | undefined;
    readonly signal?: AbortSignal;
  } = {},
): Promise<SqlAnswer> {
  const { database, precision = '1m', signal } = options;
  const statement = parseSql(sql);
  if (statement.kind === 'show') {
    const { table } = statement;
    const inside = statement.database ?? database;
    const tables =
      table === undefined
        ? SQL_TABLES.filter((known) => inside === undefined || known.database === inside)
        : [knownTable(table.name, table.position, database)];
    return { ...listCatalogue(statement.what, tables), schemas: [], sql: '' };
  }
  if (statement.kind === 'values' && statement.of === 'enum') {
    return { ...enumValues(statement, database), schemas: [], sql: '' };
  }
  const select = statement.kind === 'values' ? valuesSelect(statement, database) : statement.select;
  const generated = generateSql(select, { database, precision });
  const { columns, rows } = await store
    .query(generated.sql, { limits: LIMITS, ...(signal === undefined ? {} : { signal }) })
    .catch((error: unknown) => {
      throw isUsersMistake(error) ? mistakeOf(error) : error;
    });
  const isWide = columns.map(({ type }) => /^(Nullable\()?U?Int64/.test(type));
  return {
    columns: generated.labels,
    values: rows.map((row) => row.map((value, at) => (isWide[at] ? narrow(value) : value))),
    schemas: columns.map(({ type }, at) => ({ name: generated.labels[at] ?? '', type })),
    sql: generated.sql,
  };
}

/** A number where it is exact; else its digits. */
function narrow(value: unknown): unknown {
  const number = Number(value);
  return typeof value === 'string' && Number.isSafeInteger(number) ? number : value;
}

/** Types that do not agree, aggregates in WHERE and the like: only the engine can tell. */
function isUsersMistake(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === 'store_query_failed';
}

function mistakeOf(error: StoreError): SqlError {
  const [first = ''] = error.message
    .replace(/^Code: \d+\. DB::Exception: /, '')
    .split(/: (?:while|In scope|In query)/i);
  const text = first.slice(0, 300).trim();
  return new SqlError(text, 0, 'check types, aggregates and GROUP BY');
}
