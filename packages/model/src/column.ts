/**
 * What a column can hold. Each kind fixes three things at once: ClickHouse's type, the array that
 * carries it in memory, and its bytes in a Native block.
 *
 * Times are microseconds since the epoch (`DateTime64(6)`, int64). `category` is a string with few
 * distinct values and travels as a dictionary. `id` is an unsigned 64-bit number.
 */
export type ColumnKind =
  | 'seconds'
  | 'micros'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'id'
  | 'i32'
  | 'f32'
  | 'category'
  | 'text'
  | 'texts'
  | 'floats'
  | 'ids';

/** Who fills a column: the agent when it sees the exchange, or the server when it stores the row. */
export type ColumnOrigin = 'agent' | 'server';

export interface Column {
  readonly kind: ColumnKind;
  /** One sentence for the docs page, the SQL catalogue and the UI's tooltips. */
  readonly doc: string;
  /** The unit of a number; absent for a plain count or an identifier. */
  readonly unit?: 'µs' | 'bytes' | 'probability';
  readonly origin?: ColumnOrigin;
  /** Numbers with names: value to name, as the UI and `Enum(x)` show them. */
  readonly names?: Readonly<Record<number, string>>;
  /** A skip index for needle-in-a-haystack look-ups. */
  readonly index?: 'bloom';
  readonly codec?: 'delta';
}

export interface Table<Columns extends Readonly<Record<string, Column>>> {
  readonly database: string;
  readonly name: string;
  readonly doc: string;
  readonly columns: Columns;
  readonly orderBy: readonly (keyof Columns & string)[];
  /** The `seconds` column that partitions and expires rows. */
  readonly timeColumn: keyof Columns & string;
  readonly retentionHours: number;
  /** Who may send rows: agents and receivers, or the server alone. */
  readonly writer: TableWriter;
}

export type TableWriter = 'sender' | 'server';

/** Any declared table. Its own shape, not `Table<…>`: that one's names make it invariant. */
export interface AnyTable {
  readonly database: string;
  readonly name: string;
  readonly doc: string;
  readonly columns: Readonly<Record<string, Column>>;
  readonly orderBy: readonly string[];
  readonly timeColumn: string;
  readonly retentionHours: number;
  readonly writer: TableWriter;
}

/** Declares a table; the type keeps the column names, so that a misspelt one does not compile. */
export function defineTable<const Columns extends Readonly<Record<string, Column>>>(
  table: Table<Columns>,
): Table<Columns> {
  return table;
}
