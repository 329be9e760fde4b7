import { randomUUID } from 'node:crypto';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { refusalOf, withoutEnd } from '../sql-guard.ts';
import { FILE_HEADER } from './child-messages.ts';
import type { Engine } from './engine.ts';
import { parseParam, placeholderTypes } from './params.ts';

const unpack = promisify(gunzip);
const pack = promisify(gzip);

const BODY_BYTES_MAX = 256 * 2 ** 20;
/** As ClickHouse: parameters such as lists of ids travel in the address. */
const URL_BYTES_MAX = 2 ** 20;
/** Parameters of the HTTP interface itself; all others are the query's settings. */
const NOT_SETTINGS = new Set(
  'query database default_format query_id session_id session_timeout wait_end_of_query enable_http_compression http_headers_progress_interval_ms send_progress_in_http_headers compress decompress user password role'.split(
    ' ',
  ),
);
const SETTING_NAME = /^[a-z][a-z0-9_]{0,63}$/;
const INSERT =
  /^\s*INSERT\s+INTO\s+([\w.`]+(?:\s*\([^()]*\))?)\s+(?:SETTINGS\s+[\s\S]+?\s+)?FORMAT\s+(\w+)\s*$/i;
const READ = /^[\s(]*(?:SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN)\b/i;
const UNKNOWN_TABLE = 60;
const UNKNOWN_DATABASE = 81;

export interface DoorOptions {
  readonly engine: Engine;
  /** Real paths of directories whose files an INSERT may name. */
  readonly spoolDirs: readonly string[];
  /** Where an INSERT's body waits: never inline, its bytes after a blank line would run as SQL. */
  readonly temporaryDir: string;
}

/** ClickHouse's HTTP interface over the engine: ping, queries with parameters, INSERT. */
export function createDoor(options: DoorOptions): Server {
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
    else await answerInsert(insert, query === null ? undefined : body, url, request, response);
  }

  async function answerInsert(
    [, target = '', format = '']: RegExpExecArray,
    body: Buffer | undefined,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const named = request.headers[FILE_HEADER];
    const isOwn = typeof named !== 'string';
    const file = isOwn
      ? join(options.temporaryDir, `body-${process.pid}-${bodies++}`)
      : allowedFile(named, options.spoolDirs);
    try {
      if (isOwn) writeFileSync(file, body ?? '', { mode: 0o600 });
      const sql = `INSERT INTO ${target} FROM INFILE '${file}'${settingsOf(url.searchParams)} FORMAT ${format}`;
      // Not killed with its client: half an insert helps nobody, and the token tells a retry.
      const result = await options.engine.run(
        sql,
        {},
        {
          format: 'Null',
          signal: NEVER,
          mark: file,
        },
      );
      response.setHeader(
        'x-clickhouse-summary',
        JSON.stringify({ written_rows: String(result.rowsRead) }),
      );
      response.end();
    } finally {
      if (isOwn) rmSync(file, { force: true });
    }
  }

  async function answerQuery(
    text: string,
    search: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const isRead = READ.test(text);
    const refusal = refusalOf(text, isRead ? 'read' : 'write');
    if (refusal !== undefined) throw new Error(`Code: 62. ${refusal}`);
    let sql = withoutEnd(text);
    let format = search.get('default_format') ?? 'TabSeparated';
    const ending = /\s+FORMAT\s+(\w+)\s*$/i.exec(sql);
    if (ending !== null) {
      format = ending[1] ?? format;
      sql = sql.slice(0, ending.index);
    }
    const mark = randomUUID();
    // On its own line: a trailing comment must not swallow the limits.
    if (isRead && !/^\s*(?:SHOW|DESC|DESCRIBE|EXISTS)\b/i.test(sql)) {
      sql += `\n${settingsOf(search, ['readonly = 1', `log_comment = '${mark}'`])}`;
    } else sql += `\n/* ${mark} */`;
    const types = placeholderTypes(sql);
    const params: Record<string, ReturnType<typeof parseParam>> = {};
    for (const [name, value] of search) {
      if (!name.startsWith('param_')) continue;
      const key = name.slice('param_'.length);
      params[key] = parseParam(value, types.get(key) ?? 'String');
    }
    const signal = goneSignal(response);
    const result = await options.engine.run(sql, params, { format, signal, mark });
    const bytes = result.bytes();
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

const NEVER = new AbortController().signal;

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

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error.cause instanceof Error ? error.cause.message : error.message).replace(
    /^Error: /,
    '',
  );
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

/** The file's real path when it lies in an allowed directory; else throws. */
function allowedFile(file: string, directories: readonly string[]): string {
  const real = realpathSync(file);
  const isInside = directories.some((directory) => real.startsWith(directory + sep));
  if (!isInside || /['\\*?{}]/.test(real)) {
    throw new Error(`Code: 291. ${file} is not in a spool directory`);
  }
  return real;
}

function settingsOf(search: URLSearchParams, always: readonly string[] = []): string {
  const settings = [...always];
  for (const [name, value] of search) {
    if (name.startsWith('param_') || NOT_SETTINGS.has(name) || name === 'readonly') continue;
    if (!SETTING_NAME.test(name)) throw new Error(`Code: 115. Unknown setting ${name}`);
    const isNumber = /^-?\d+(?:\.\d+)?$/.test(value);
    settings.push(
      `${name} = ${isNumber ? value : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`}`,
    );
  }
  return settings.length === 0 ? '' : ` SETTINGS ${settings.join(', ')}`;
}
