/**
 * What a column can hold. Each kind fixes three things at once: ClickHouse's type, the array that
 * carries it in memory, and its bytes in a Native block.
 *
 * `micros` and `millis` are times since the epoch (`DateTime64`, int64). `category` is a string with
 * few distinct values and travels as a dictionary, `categories` a list of such strings. `id` is an unsigned 64-bit number. `bytes` are
 * any bytes: a message kept as it came.
 */
export type ColumnKind =
  | 'seconds'
  | 'micros'
  | 'millis'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'id'
  | 'i32'
  | 'f32'
  | 'f64'
  | 'category'
  | 'text'
  | 'bytes'
  | 'texts'
  | 'categories'
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
  /**
   * A skip index for needle-in-a-haystack look-ups: of the values (`bloom`), or of ids that count up
   * (`runs`: of `value >> 16`, a few bytes for thousands of rows).
   */
  readonly index?: 'bloom' | 'runs';
  /**
   * For neighbours that differ little (`delta`, `double-delta`), for floats (`gorilla`), for whole
   * multiples of one number without order (`multiples`), for lists that repeat (`repeats`).
   */
  readonly codec?: 'delta' | 'double-delta' | 'gorilla' | 'multiples' | 'repeats';
}

export interface Table<Columns extends Readonly<Record<string, Column>>> {
  readonly database: string;
  readonly name: string;
  readonly doc: string;
  readonly columns: Columns;
  readonly orderBy: readonly (keyof Columns & string)[];
  /** Sorts by intervals of that many seconds first: rows of one time lie together. */
  readonly orderBySeconds?: number;
  /** Few rows are often read with all their columns, which then lie together in all but large parts. */
  readonly isReadByRows?: boolean;
  /** What expires at once. Default: an hour up to three days of retention, else a day. */
  readonly partition?: 'hour' | 'day';
  /** The `seconds` or `millis` column that partitions and expires rows. */
  readonly timeColumn: keyof Columns & string;
  /** How long rows are kept unless the operator chooses otherwise. */
  readonly retentionHours: number;
  /**
   * Tables whose rows these rows explain: theirs is the choice of hours, and these outlive the longest
   * of them by as much as the declarations say.
   */
  readonly retentionFollows?: readonly string[];
  /** Its rows can be made again from other tables: one of another shape is made anew. */
  readonly isDerived?: boolean;
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
  readonly orderBySeconds?: number;
  readonly isReadByRows?: boolean;
  readonly partition?: 'hour' | 'day';
  readonly timeColumn: string;
  readonly retentionHours: number;
  readonly retentionFollows?: readonly string[];
  readonly isDerived?: boolean;
  readonly writer: TableWriter;
}

/** Declares a table; the type keeps the column names, so that a misspelt one does not compile. */
export function defineTable<const Columns extends Readonly<Record<string, Column>>>(
  table: Table<Columns>,
): Table<Columns> {
  return table;
}
