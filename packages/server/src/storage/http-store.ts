import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { formatParam, placeholderTypes } from './embedded/params.ts';
import { refusalOf, withoutEnd } from './sql-guard.ts';
import {
  type QueryLimits,
  type QueryOptions,
  type QueryResult,
  type Store,
  StoreError,
  type StoreErrorCode,
} from './store.ts';

/** Where ClickHouse's HTTP interface is: a unix socket or a URL. */
export interface StoreAddress {
  readonly socketPath?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The header that names a file to insert; without it the file's bytes are sent. */
  readonly fileHeader?: string;
}

const DEFAULT_LIMITS: QueryLimits = { timeoutMs: 30_000, memoryBytes: 2 ** 30, rowsMax: 100_000 };
const INSERT_TIMEOUT_MS = 120_000;
const KILL_TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 512 * 2 ** 20;
/** The client gives up this much later than the engine: its answer says which limit it was. */
const TIMEOUT_MARGIN_MS = 5_000;
/** Timeout, memory of the query or the server, rows or bytes read or answered. */
const LIMIT_CODES = new Set([159, 160, 241, 158, 307, 396]);

/** Passes by itself or with an operator's help: no space, too many parts, queries, read-only. */
const RETRY_CODES = new Set([243, 252, 202, 242]);

interface Call {
  readonly search: URLSearchParams;
  readonly timeoutMs: number;
  readonly body?: string;
  readonly file?: string;
  readonly signal?: AbortSignal | undefined;
}

/** The store's contract over ClickHouse's HTTP interface. `end` releases what stands behind it. */
export function createHttpStore(address: StoreAddress, end: () => Promise<void>): Store {
  const call = (options: Call): Promise<Buffer> => send(address, options);

  async function query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    return parseAnswer(await read(sql, 'JSONCompact', options));
  }

  async function read(sql: string, format: string, options: QueryOptions): Promise<Buffer> {
    refuse(sql, 'read');
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const search = new URLSearchParams({
      default_format: format,
      output_format_json_quote_64bit_integers: '1',
      readonly: '1',
      max_execution_time: String(limits.timeoutMs / 1e3),
      max_memory_usage: String(limits.memoryBytes),
      max_result_rows: String(limits.rowsMax),
      result_overflow_mode: 'throw',
    });
    const queryId = randomUUID();
    search.set('query_id', queryId);
    const types = placeholderTypes(sql);
    for (const [name, value] of Object.entries(options.params ?? {})) {
      search.set(`param_${name}`, formatParam(value, types.get(name) ?? 'String'));
    }
    const { signal } = options;
    const body = withoutEnd(sql);
    try {
      return await call({ search, body, signal, timeoutMs: limits.timeoutMs });
    } catch (error) {
      if (error instanceof StoreError && error.code === 'store_aborted') await kill(queryId);
      throw error;
    }
  }

  /** A ClickHouse goes on with a query when its client has gone. The embedded one ends it itself. */
  async function kill(queryId: string): Promise<void> {
    if (address.socketPath !== undefined) return;
    const body = `KILL QUERY WHERE query_id = '${queryId}' ASYNC`;
    await call({ search: new URLSearchParams(), body, timeoutMs: KILL_TIMEOUT_MS }).catch(
      () => undefined, // Its time limit ends it.
    );
  }

  async function queryNative(sql: string, options: QueryOptions = {}): Promise<Uint8Array> {
    return read(sql, 'Native', options);
  }

  async function execute(sql: string): Promise<void> {
    refuse(sql, 'write');
    const search = new URLSearchParams();
    await call({ search, body: withoutEnd(sql), timeoutMs: INSERT_TIMEOUT_MS });
  }

  async function insertFile(table: string, file: string, token: string): Promise<void> {
    if (!/^[\w.`]+$/.test(table)) throw new Error(`BUG: ${table} is not a table's name`);
    const search = new URLSearchParams({
      query: `INSERT INTO ${table} FORMAT Native`,
      insert_deduplicate: '1',
      insert_deduplication_token: token,
      // One block, so that one token stands for all rows of the file.
      min_insert_block_size_rows: '1048576',
      min_insert_block_size_bytes: '1073741824',
      max_insert_threads: '1',
    });
    await call({ search, file, timeoutMs: INSERT_TIMEOUT_MS });
  }

  async function health(): Promise<{ version: string }> {
    const limits = { timeoutMs: 5_000 };
    const { rows } = await query('SELECT version()', { limits });
    return { version: String(rows[0]?.[0]) };
  }

  return { query, queryNative, execute, insertFile, health, close: end };
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

function send(address: StoreAddress, call: Call): Promise<Buffer> {
  const { search, timeoutMs, file } = call;
  const signals = [AbortSignal.timeout(timeoutMs + TIMEOUT_MARGIN_MS)];
  if (call.signal !== undefined) signals.push(call.signal);
  const signal = AbortSignal.any(signals);
  const isNamed = file !== undefined && address.fileHeader !== undefined;
  const headers: Record<string, string> = { ...address.headers };
  if (isNamed && address.fileHeader !== undefined) headers[address.fileHeader] = file;
  const path = `/?${search.toString()}`;
  const common = { method: 'POST', path, headers, signal };
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(transportError(cause, call));
    const receive = (response: IncomingMessage): void => {
      collect(response).then((bytes) => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(answerError(response, bytes));
      }, fail);
    };
    const outgoing =
      address.socketPath !== undefined
        ? requestHttp({ ...common, socketPath: address.socketPath }, receive)
        : address.url?.startsWith('https:')
          ? requestHttps(new URL(path, address.url), common, receive)
          : requestHttp(new URL(path, address.url), common, receive);
    outgoing.on('error', fail);
    if (file === undefined || isNamed) outgoing.end(call.body ?? '');
    else {
      createReadStream(file)
        .on('error', (error) => outgoing.destroy(error))
        .pipe(outgoing);
    }
  });
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new Error('BUG: the response has a text encoding');
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) throw new Error(`answer over ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answerError(response: IncomingMessage, bytes: Buffer): StoreError {
  const message = bytes.toString().trim().slice(0, 2_000);
  const code = Number(response.headers['x-clickhouse-exception-code'] ?? 0);
  const kind: StoreErrorCode = LIMIT_CODES.has(code)
    ? 'store_limit'
    : RETRY_CODES.has(code) || response.statusCode === 502 || response.statusCode === 503
      ? 'store_unavailable'
      : 'store_query_failed';
  return new StoreError(kind, message);
}

function transportError(cause: unknown, call: Call): StoreError {
  if (call.signal?.aborted === true) {
    return new StoreError('store_aborted', 'the query was aborted', { cause });
  }
  const isTimeout = cause instanceof Error && cause.name === 'TimeoutError';
  return isTimeout || (cause instanceof Error && cause.name === 'AbortError')
    ? new StoreError('store_limit', `no answer in ${call.timeoutMs} ms`, { cause })
    : new StoreError('store_unavailable', 'the store does not answer', { cause });
}
