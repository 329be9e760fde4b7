import type { AnyTable, Column, ColumnKind } from './column.ts';

/** ClickHouse's type of each kind, as it stands in the DDL and in a Native block's header. */
export const CLICKHOUSE_TYPES: Readonly<Record<ColumnKind, string>> = {
  seconds: "DateTime('UTC')",
  micros: "DateTime64(6, 'UTC')",
  millis: "DateTime64(3, 'UTC')",
  u8: 'UInt8',
  u16: 'UInt16',
  u32: 'UInt32',
  id: 'UInt64',
  i32: 'Int32',
  f32: 'Float32',
  f64: 'Float64',
  category: 'LowCardinality(String)',
  text: 'String',
  bytes: 'String',
  texts: 'Array(String)',
  floats: 'Array(Float32)',
  ids: 'Array(UInt64)',
};

/** Where the table is to live. By default: one server, no replicas. */
export interface DdlOptions {
  /** The engine's name, such as `ReplicatedMergeTree`. */
  readonly engine?: string;
  /** Adds `ON CLUSTER`. */
  readonly cluster?: string;
}

/** Inserts whose token is remembered by a table: far more than one restart can repeat. */
const DEDUPLICATION_WINDOW = 10_000;
/** Up to three days a partition is an hour: expiry then gives space back hour by hour. */
const HOURLY_RETENTION_MAX = 72;

/** `database.table`, quoted. */
export function qualifiedName(table: AnyTable): string {
  return `${quoteName(table.database)}.${quoteName(table.name)}`;
}

/** The statements that create the database and the table; each may be run again. */
export function createStatements(table: AnyTable, options: DdlOptions = {}): string[] {
  const onCluster =
    options.cluster === undefined ? '' : ` ON CLUSTER ${quoteName(options.cluster)}`;
  const engine = options.engine ?? 'MergeTree';
  const columns = Object.entries(table.columns);
  const lines = [
    ...columns.map(([name, column]) => columnLine(name, column)),
    ...columns.filter(([, column]) => column.index === 'bloom').map(([name]) => indexLine(name)),
  ];
  const time = secondsOf(table);
  const isHourly = table.retentionHours <= HOURLY_RETENTION_MAX;
  const window = engine.startsWith('Replicated')
    ? 'replicated_deduplication_window'
    : 'non_replicated_deduplication_window';
  return [
    `CREATE DATABASE IF NOT EXISTS ${quoteName(table.database)}${onCluster}`,
    [
      `CREATE TABLE IF NOT EXISTS ${qualifiedName(table)}${onCluster} (`,
      lines.map((line) => `  ${line}`).join(',\n'),
      `) ENGINE = ${engine}`,
      `PARTITION BY ${isHourly ? 'toStartOfHour' : 'toDate'}(${time})`,
      `ORDER BY (${table.orderBy.map(quoteName).join(', ')})`,
      `TTL ${time} + INTERVAL ${table.retentionHours} HOUR`,
      `SETTINGS ttl_only_drop_parts = 1, ${window} = ${DEDUPLICATION_WINDOW},`,
      // An insert that was answered is on disk, also after a loss of power.
      `  fsync_after_insert = 1, fsync_part_directory = 1`,
    ].join('\n'),
  ];
}

/** Adds a column that a newer version declares to a table that an older one created. */
export function addColumnStatements(
  table: AnyTable,
  name: string,
  options: DdlOptions = {},
): string[] {
  const column = table.columns[name];
  if (column === undefined) throw new Error(`BUG: ${table.name} declares no column ${name}`);
  const onCluster =
    options.cluster === undefined ? '' : ` ON CLUSTER ${quoteName(options.cluster)}`;
  const alter = `ALTER TABLE ${qualifiedName(table)}${onCluster} ADD`;
  const statements = [`${alter} COLUMN IF NOT EXISTS ${columnLine(name, column)}`];
  if (column.index === 'bloom') {
    statements.push(`${alter} ${indexLine(name).replace('INDEX', 'INDEX IF NOT EXISTS')}`);
  }
  return statements;
}

const CODECS = { delta: 'Delta', 'double-delta': 'DoubleDelta', gorilla: 'Gorilla' } as const;

/** A TTL takes whole seconds only. */
function secondsOf(table: AnyTable): string {
  const time = quoteName(table.timeColumn);
  return table.columns[table.timeColumn]?.kind === 'millis' ? `toDateTime(${time}, 'UTC')` : time;
}

function columnLine(name: string, column: Column): string {
  const before = column.codec === undefined ? '' : `${CODECS[column.codec]}, `;
  return `${quoteName(name)} ${CLICKHOUSE_TYPES[column.kind]} CODEC(${before}ZSTD(1))`;
}

function indexLine(name: string): string {
  return `INDEX ${quoteName(`${name}_bloom`)} ${quoteName(name)} TYPE bloom_filter(0.01) GRANULARITY 4`;
}

function quoteName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
