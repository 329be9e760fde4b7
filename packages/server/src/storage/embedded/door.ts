import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { parseParam, placeholderTypes } from '../params.ts';
import type { Settings } from '../sql-store.ts';
import type { Engine } from './engine.ts';
import { messageOf, runInsert, runStatement } from './statements.ts';

const unpack = promisify(gunzip);
const pack = promisify(gzip);

const BODY_BYTES_MAX = 256 * 2 ** 20;
/** As ClickHouse: parameters such as lists of ids travel in the address. */
const URL_BYTES_MAX = 2 ** 20;
/** Parameters of the HTTP interface itself; all others are the query's settings. */
const NOT_SETTINGS = new Set(
  'query database default_format query_id session_id session_timeout wait_end_of_query enable_http_compression http_headers_progress_interval_ms send_progress_in_http_headers compress decompress user password role readonly'.split(
    ' ',
  ),
);
const INSERT =
  /^\s*INSERT\s+INTO\s+([\w.`]+(?:\s*\([^()]*\))?)\s+(?:SETTINGS\s+[\s\S]+?\s+)?FORMAT\s+(\w+)\s*$/i;
const UNKNOWN_TABLE = 60;
const UNKNOWN_DATABASE = 81;

export interface DoorOptions {
  readonly engine: Engine;
  /**
   * Real path of the directory where an INSERT's body waits: never inline, its bytes after a blank
   * line would run as SQL.
   */
  readonly temporaryDir: string;
}

/** ClickHouse's HTTP interface over the engine: ping, queries with parameters, INSERT. */
export function createDoor({ engine, temporaryDir }: DoorOptions): Server {
  let bodies = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://store');
    if (url.pathname === '/ping') {
      response.end('Ok.\n');
      return;
    }
    const body = await bodyOf(request);
    const query = url.searchParams.get('query');
    const sql = query ?? body.toString();
    const insert = INSERT.exec(sql);
    if (insert === null) await answerQuery(sql, url.searchParams, request, response);
    else await answerInsert(insert, query === null ? '' : body, url.searchParams, response);
  }

  async function answerInsert(
    [, target = '', format = '']: RegExpExecArray,
    body: Buffer | string,
    search: URLSearchParams,
    response: ServerResponse,
  ): Promise<void> {
    const file = join(temporaryDir, `body-${process.pid}-${bodies++}`);
    try {
      writeFileSync(file, body, { mode: 0o600 });
      const insert = { target, format, file, settings: settingsIn(search) };
      const rows = await runInsert(engine, insert, [temporaryDir]);
      response.setHeader('x-clickhouse-summary', JSON.stringify({ written_rows: String(rows) }));
      response.end();
    } finally {
      rmSync(file, { force: true });
    }
  }

  async function answerQuery(
    sql: string,
    search: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const types = placeholderTypes(sql);
    const params: Record<string, ReturnType<typeof parseParam>> = {};
    for (const [name, value] of search) {
      if (!name.startsWith('param_')) continue;
      const key = name.slice('param_'.length);
      params[key] = parseParam(value, types.get(key) ?? 'String');
    }
    const { format, bytes } = await runStatement(
      engine,
      {
        sql,
        format: search.get('default_format') ?? 'TabSeparated',
        settings: settingsIn(search),
        params,
      },
      goneSignal(response),
    );
    response.setHeader('x-clickhouse-format', format);
    const isPacked =
      search.get('enable_http_compression') === '1' &&
      /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    if (isPacked) response.setHeader('content-encoding', 'gzip');
    response.end(isPacked ? await pack(bytes, { level: 1 }) : bytes);
  }

  return createServer({ maxHeaderSize: URL_BYTES_MAX }, (request, response) => {
    response.setHeader('x-clickhouse-server-display-name', 'thalweg');
    answer(request, response).catch((error: unknown) => fail(response, error));
  });
}

/** Aborted when the client closes the connection before it has its answer. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

function fail(response: ServerResponse, error: unknown): void {
  const message = messageOf(error);
  const code = Number(/Code: (\d+)/.exec(message)?.[1] ?? 0);
  response.statusCode = code === UNKNOWN_TABLE || code === UNKNOWN_DATABASE ? 404 : 500;
  if (code > 0) response.setHeader('x-clickhouse-exception-code', String(code));
  response.end(message);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new Error('BUG: the request has a text encoding');
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Error(`Code: 307. body over ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (request.headers['content-encoding'] !== 'gzip') return body;
  return unpack(body, { maxOutputLength: BODY_BYTES_MAX });
}

function settingsIn(search: URLSearchParams): Settings {
  return Object.fromEntries(
    [...search].filter(([name]) => !name.startsWith('param_') && !NOT_SETTINGS.has(name)),
  );
}
