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
  categories: 'Array(LowCardinality(String))',
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
/**
 * Smaller parts are one file, not two a column: an insert then writes and syncs 1 file in place of 200,
 * a quarter of its CPU. Merged parts are larger, and take less space with a file for each column.
 */
const WIDE_PART_BYTES = 32 * 2 ** 20;
/**
 * Of tables that are read by whole rows: a granule of one file holds all columns of its rows, and 78 files
 * are not opened for five of them (8 of 20 ms). Costs a scan of few columns a tenth more, from the
 * page cache; larger parts may not be in it, and would be read whole.
 */
const WIDE_PART_BYTES_OF_ROWS = 256 * 2 ** 20;
/** Up to three days a partition is an hour: expiry then gives space back hour by hour. */
const HOURLY_RETENTION_MAX = 72;

/** `database.table`, quoted. */
export function qualifiedName(table: AnyTable): string {
  return `${quoteName(table.database)}.${quoteName(table.name)}`;
}

/** Types that hold the same values and differ in how they are stored: from, to. */
const SAME_VALUES: readonly (readonly [string, string])[] = [
  ['String', 'LowCardinality(String)'],
  ['Array(String)', 'Array(LowCardinality(String))'],
];

/** True when a stored column can become one of the kind with no value changed. */
export function isSameValues(storedType: string, kind: ColumnKind): boolean {
  return SAME_VALUES.some(([from, to]) => from === storedType && to === CLICKHOUSE_TYPES[kind]);
}

/** The statements that create the database and the table; each may be run again. */
export function createStatements(table: AnyTable, options: DdlOptions = {}): string[] {
  const onCluster =
    options.cluster === undefined ? '' : ` ON CLUSTER ${quoteName(options.cluster)}`;
  const engine = options.engine ?? 'MergeTree';
  const columns = Object.entries(table.columns);
  const lines = [
    ...columns.map(([name, column]) => columnLine(name, column)),
    ...columns.flatMap(([name, column]) => indexLine(name, column) ?? []),
  ];
  const time = secondsOf(table);
  const partition =
    table.partition ?? (table.retentionHours <= HOURLY_RETENTION_MAX ? 'hour' : 'day');
  const window = engine.startsWith('Replicated')
    ? 'replicated_deduplication_window'
    : 'non_replicated_deduplication_window';
  return [
    `CREATE DATABASE IF NOT EXISTS ${quoteName(table.database)}${onCluster}`,
    [
      `CREATE TABLE IF NOT EXISTS ${qualifiedName(table)}${onCluster} (`,
      lines.map((line) => `  ${line}`).join(',\n'),
      `) ENGINE = ${engine}`,
      `PARTITION BY ${partition === 'hour' ? 'toStartOfHour' : 'toDate'}(${time})`,
      `ORDER BY (${sortKey(table).join(', ')})`,
      ttlOf(table, table.retentionHours),
      `SETTINGS ttl_only_drop_parts = 1, ${window} = ${DEDUPLICATION_WINDOW},`,
      // An insert that was answered is on disk, also after a loss of power.
      `  fsync_after_insert = 1, fsync_part_directory = 1,`,
      `  min_bytes_for_wide_part = ${table.isReadByRows === true ? WIDE_PART_BYTES_OF_ROWS : WIDE_PART_BYTES}`,
    ].join('\n'),
  ];
}

/** Drops a table; on a cluster the call answers when its name is free again. */
export function dropStatement(table: AnyTable, options: DdlOptions = {}): string {
  const onCluster =
    options.cluster === undefined ? '' : ` ON CLUSTER ${quoteName(options.cluster)}`;
  return `DROP TABLE IF EXISTS ${qualifiedName(table)}${onCluster} SYNC`;
}

/**
 * Changes how long a table's rows are kept. Answers at once: the store reads the times of rows that
 * it has in the background, and drops a part when its last row is out.
 */
export function retentionStatements(
  table: AnyTable,
  hours: number,
  options: DdlOptions = {},
): string[] {
  const onCluster =
    options.cluster === undefined ? '' : ` ON CLUSTER ${quoteName(options.cluster)}`;
  const alter = `ALTER TABLE ${qualifiedName(table)}${onCluster} MODIFY`;
  return [
    // Without it the store would rewrite every row.
    `${alter} SETTING materialize_ttl_recalculate_only = 1`,
    `${alter} ${ttlOf(table, hours)} SETTINGS alter_sync = 0, mutations_sync = 0`,
  ];
}

function ttlOf(table: AnyTable, hours: number): string {
  return `TTL ${secondsOf(table)} + INTERVAL ${hours} HOUR`;
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
  const index = indexLine(name, column)?.replace('INDEX', 'INDEX IF NOT EXISTS');
  return [
    `${alter} COLUMN IF NOT EXISTS ${columnLine(name, column)}`,
    ...(index === undefined ? [] : [`${alter} ${index}`]),
  ];
}

/**
 * Gives a column the declared type and codec: for rows to come, and for old ones when they are merged
 * or, for another type, in the background. Until then the store converts what it reads.
 */
export function modifyStatement(table: AnyTable, name: string, options: DdlOptions = {}): string {
  const column = table.columns[name];
  if (column === undefined) throw new Error(`BUG: ${table.name} declares no column ${name}`);
  const onCluster =
    options.cluster === undefined ? '' : ` ON CLUSTER ${quoteName(options.cluster)}`;
  return `ALTER TABLE ${qualifiedName(table)}${onCluster} MODIFY COLUMN ${columnLine(name, column)} SETTINGS alter_sync = 0, mutations_sync = 0`;
}

const CODECS = {
  delta: 'Delta, ZSTD(1)',
  'double-delta': 'DoubleDelta, ZSTD(1)',
  gorilla: 'Gorilla, ZSTD(1)',
  multiples: 'GCD, T64, ZSTD(1)',
  // Level 1 does not see that a list of several texts repeats.
  repeats: 'ZSTD(3)',
} as const;

/** The columns and expressions that rows are sorted by. */
export function sortKey(table: AnyTable): string[] {
  const names = table.orderBy.map(quoteName);
  if (table.orderBySeconds === undefined) return names;
  return [intervalOf(table, table.orderBySeconds), ...names];
}

/**
 * The number of the interval of `orderBySeconds` that a row is in, as the sort key spells it: with a
 * plain number, for the store finds a key by its text (`toIntervalSecond(10)` becomes another text).
 */
function intervalOf(table: AnyTable, seconds: number): string {
  return `intDiv(toUnixTimestamp(${secondsOf(table)}), ${seconds})`;
}

/** A TTL takes whole seconds only. */
function secondsOf(table: AnyTable): string {
  const time = quoteName(table.timeColumn);
  return table.columns[table.timeColumn]?.kind === 'millis' ? `toDateTime(${time}, 'UTC')` : time;
}

function columnLine(name: string, column: Column): string {
  return `${quoteName(name)} ${CLICKHOUSE_TYPES[column.kind]} CODEC(${codecOf(column)})`;
}

/** As `system.columns` spells it, but for the byte width that the store adds to some. */
export function codecOf(column: Column): string {
  return column.codec === undefined ? 'ZSTD(1)' : CODECS[column.codec];
}

function indexLine(name: string, { index }: Column): string | undefined {
  if (index === undefined) return undefined;
  const start = `INDEX ${quoteName(`${name}_${index}`)}`;
  return index === 'bloom'
    ? `${start} ${quoteName(name)} TYPE bloom_filter(0.01) GRANULARITY 4`
    : `${start} bitShiftRight(${quoteName(name)}, 16) TYPE bloom_filter(0.001) GRANULARITY 1`;
}

function quoteName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
