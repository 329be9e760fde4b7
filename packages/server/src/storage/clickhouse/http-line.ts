import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { formatParam, placeholderTypes } from '../params.ts';
import {
  ANSWER_BYTES_MAX,
  type Call,
  engineError,
  type Settings,
  type StoreLine,
} from '../sql-store.ts';
import { StoreError } from '../store.ts';

/** Where ClickHouse's HTTP interface is. */
export interface HttpAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Post extends Call {
  readonly search: URLSearchParams;
  /** The body, or a file that is it. */
  readonly body: string | { readonly file: string };
}

const KILL_TIMEOUT_MS = 5_000;

/** ClickHouse's HTTP interface. */
export function createHttpLine(address: HttpAddress): StoreLine {
  /** A ClickHouse goes on with a query when its client has gone. */
  async function kill(queryId: string): Promise<void> {
    const body = `KILL QUERY WHERE query_id = '${queryId}' ASYNC`;
    await send(address, {
      search: new URLSearchParams(),
      body,
      timeoutMs: KILL_TIMEOUT_MS,
    }).catch(
      () => undefined, // Its time limit ends it.
    );
  }

  return {
    read: async ({ sql, format, settings, params }, call) => {
      const search = searchOf({ ...settings, readonly: 1 });
      const queryId = randomUUID();
      search.set('default_format', format);
      search.set('query_id', queryId);
      const types = placeholderTypes(sql);
      for (const [name, value] of Object.entries(params)) {
        search.set(`param_${name}`, formatParam(value, types.get(name) ?? 'String'));
      }
      try {
        return await send(address, { ...call, search, body: sql });
      } catch (error) {
        if (error instanceof StoreError && error.code === 'store_aborted') await kill(queryId);
        throw error;
      }
    },
    execute: async (sql, call) => {
      await send(address, { ...call, search: new URLSearchParams(), body: sql });
    },
    insertFile: async (table, file, settings, call) => {
      const search = searchOf(settings);
      search.set('query', `INSERT INTO ${table} FORMAT Native`);
      await send(address, { ...call, search, body: { file } });
    },
  };
}

function searchOf(settings: Settings): URLSearchParams {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) search.set(name, String(value));
  return search;
}

function send({ url, headers }: HttpAddress, post: Post): Promise<Buffer> {
  const { search, timeoutMs, body } = post;
  const signals = [AbortSignal.timeout(timeoutMs)];
  if (post.signal !== undefined) signals.push(post.signal);
  const options = { method: 'POST', headers, signal: AbortSignal.any(signals) };
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(transportError(cause, post));
    const receive = (response: IncomingMessage): void => {
      collect(response).then((bytes) => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(answerError(response, bytes));
      }, fail);
    };
    const target = new URL(`/?${search.toString()}`, url);
    const request = target.protocol === 'https:' ? requestHttps : requestHttp;
    const outgoing = request(target, options, receive);
    outgoing.on('error', fail);
    if (typeof body === 'string') outgoing.end(body);
    else {
      createReadStream(body.file)
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
  const code = Number(response.headers['x-clickhouse-exception-code'] ?? 0);
  const error = engineError(code, bytes.toString());
  const isGateway = response.statusCode === 502 || response.statusCode === 503;
  return isGateway && error.code === 'store_query_failed'
    ? new StoreError('store_unavailable', error.message)
    : error;
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
