/** How much a query may take. Everything has a limit; these are the caps, not the defaults. */
export interface QueryLimits {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly rowsMax: number;
}

export interface QueryOptions {
  /** Values for `{name:Type}` placeholders; never spliced into the text. */
  readonly params?: Readonly<Record<string, string | number | readonly (string | number)[]>>;
  readonly limits?: Partial<QueryLimits>;
  readonly signal?: AbortSignal;
  /**
   * It reads few rows, found by key: one thread, and the engine's older planner, which takes 78 columns
   * 2 ms sooner and three columns half a millisecond.
   */
  readonly isByKey?: boolean;
}

export interface QueryResult {
  /** Names and ClickHouse types, in column order. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Values as JSONCompact gives them; 64-bit integers are decimal strings. */
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * The one contract of the column store: an embedded ClickHouse (chdb in a child process) or a
 * ClickHouse by URL. SQL here is ours; a user's SQL is parsed and regenerated before it comes in.
 *
 * Errors are `StoreError`, with a stable code: `store_unavailable` (retry), `store_query_failed`,
 * `store_limit` (time, memory or rows), `store_aborted`, `store_locked` (another process has it).
 */
export interface Store {
  query(sql: string, options?: QueryOptions): Promise<QueryResult>;
  /**
   * The same answer as columns: Native blocks, one behind the other, none for no rows. For many
   * rows: nothing becomes text on the way. No LowCardinality in the answer: cast it to String.
   */
  queryNative(sql: string, options?: QueryOptions): Promise<Uint8Array>;
  /** DDL and other statements without an answer. One statement a call. */
  execute(sql: string): Promise<void>;
  /**
   * Inserts the Native block in `file` (an absolute path). When it resolves the rows are on disk.
   * A block whose `token` was inserted before is recognised and changes nothing.
   */
  insertFile(table: string, file: string, token: string): Promise<void>;
  /** Whether it answers now, and what it is. */
  health(): Promise<{ readonly version: string }>;
  close(): Promise<void>;
}

export type StoreErrorCode =
  | 'store_unavailable'
  | 'store_query_failed'
  | 'store_limit'
  | 'store_locked'
  | 'store_aborted';

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
