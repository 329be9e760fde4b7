import { refusalOf, withoutEnd } from './sql-guard.ts';
import {
  type QueryLimits,
  type QueryOptions,
  type QueryResult,
  type Store,
  StoreError,
  type StoreErrorCode,
} from './store.ts';

/** Settings of a statement, by name, as they stand behind `SETTINGS`. */
export type Settings = Readonly<Record<string, string | number>>;

export interface Statement {
  readonly sql: string;
  readonly format: string;
  readonly settings: Settings;
  readonly params: NonNullable<QueryOptions['params']>;
}

/** How long a call waits, and what ends it before. */
export interface Call {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The way to an engine. Each call rejects with `StoreError`. */
export interface StoreLine {
  /** The answer in the statement's format. The engine ends what is aborted. */
  read(statement: Statement, call: Call): Promise<Buffer>;
  execute(sql: string, call: Call): Promise<void>;
  /** Inserts a file of Native blocks. */
  insertFile(table: string, file: string, settings: Settings, call: Call): Promise<void>;
}

export const ANSWER_BYTES_MAX = 512 * 2 ** 20;
const DEFAULT_LIMITS: QueryLimits = { timeoutMs: 30_000, memoryBytes: 2 ** 30, rowsMax: 100_000 };
const INSERT_TIMEOUT_MS = 120_000;
/** The client gives up this much later than the engine: its answer says which limit it was. */
const TIMEOUT_MARGIN_MS = 5_000;
const BY_KEY: Settings = { max_threads: 1, allow_experimental_analyzer: 0 };
/** Timeout, memory of the query or the server, rows or bytes read or answered. */
const LIMIT_CODES = new Set([159, 160, 241, 158, 307, 396]);
/** Passes by itself or with an operator's help: no space, too many parts, queries, read-only. */
const RETRY_CODES = new Set([243, 252, 202, 242]);

/** The store's contract over a line to ClickHouse. `end` releases what stands behind it. */
export function createSqlStore(line: StoreLine, end: () => Promise<void>): Store {
  async function query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    return parseAnswer(await read(sql, 'JSONCompact', options));
  }

  async function read(sql: string, format: string, options: QueryOptions): Promise<Buffer> {
    refuse(sql, 'read');
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const settings = {
      output_format_json_quote_64bit_integers: 1,
      max_execution_time: limits.timeoutMs / 1e3,
      max_memory_usage: limits.memoryBytes,
      max_result_rows: limits.rowsMax,
      result_overflow_mode: 'throw',
      ...(options.isByKey === true ? BY_KEY : {}),
    };
    const { params = {}, signal } = options;
    return line.read(
      { sql: withoutEnd(sql), format, settings, params },
      { signal, timeoutMs: limits.timeoutMs + TIMEOUT_MARGIN_MS },
    );
  }

  async function execute(sql: string): Promise<void> {
    refuse(sql, 'write');
    await line.execute(withoutEnd(sql), { timeoutMs: INSERT_TIMEOUT_MS });
  }

  async function insertFile(table: string, file: string, token: string): Promise<void> {
    if (!/^[\w.`]+$/.test(table)) throw new Error(`BUG: ${table} is not a table's name`);
    const settings = {
      insert_deduplicate: 1,
      insert_deduplication_token: token,
      // One block, so that one token stands for all rows of the file.
      min_insert_block_size_rows: 2 ** 20,
      min_insert_block_size_bytes: 2 ** 30,
      max_insert_threads: 1,
    };
    await line.insertFile(table, file, settings, { timeoutMs: INSERT_TIMEOUT_MS });
  }

  async function health(): Promise<{ version: string }> {
    const limits = { timeoutMs: 5_000 };
    const { rows } = await query('SELECT version()', { limits });
    return { version: String(rows[0]?.[0]) };
  }

  return {
    query,
    queryNative: (sql, options = {}) => read(sql, 'Native', options),
    execute,
    insertFile,
    health,
    close: end,
  };
}

/** What the engine said, by the number of its error; 0: it gave none. */
export function engineError(code: number, message: string): StoreError {
  const kind: StoreErrorCode = LIMIT_CODES.has(code)
    ? 'store_limit'
    : RETRY_CODES.has(code)
      ? 'store_unavailable'
      : 'store_query_failed';
  return new StoreError(kind, message.trim().slice(0, 2_000));
}

function refuse(sql: string, use: 'read' | 'write'): void {
  const refusal = refusalOf(sql, use);
  if (refusal !== undefined) throw new StoreError('store_query_failed', refusal);
}

function parseAnswer(bytes: Buffer): QueryResult {
  try {
    // JSONCompact: the engine writes both lists.
    const { meta, data } = JSON.parse(bytes.toString()) as {
      meta: QueryResult['columns'];
      data: QueryResult['rows'];
    };
    return { columns: meta, rows: data };
  } catch (cause) {
    throw new StoreError('store_query_failed', 'the answer is not JSON', { cause });
  }
}
