import { setTimeout as sleep } from 'node:timers/promises';
import { createPoster, type PostAnswer } from './post.ts';
import type { Spool, SpooledBatch } from './spool.ts';

export interface UploadCounters {
  readonly rowsSent: number;
  /** Rows that the server refused for good, with its last reason in `lastError`. */
  readonly rowsRefused: number;
  readonly lastError: string;
}

export interface Uploader {
  /** Sends what is spooled, oldest first, until the signal; waits and retries while refused. */
  run(signal: AbortSignal): Promise<void>;
  /** Sends what is spooled now, without waiting for a server that is away. For a clean end. */
  drain(): Promise<void>;
  counters(): UploadCounters;
}

const POLL_MS = 100;
const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

type Outcome = { kind: 'done' } | { kind: 'later'; afterMs: number };

/**
 * Posts spooled batches to `<server>/api/ingest/<table>`. A batch leaves the spool when the server
 * has it on disk (200) or says that it never will (4xx but 408 and 429).
 */
export function createUploader(options: {
  spool: Spool;
  serverUrl: string;
  token: string | undefined;
  /** Sent along with each batch: the agent's name and what it lost so far. */
  headers: () => Readonly<Record<string, string>>;
}): Uploader {
  const { spool, serverUrl, token, headers } = options;
  let rowsSent = 0;
  let rowsRefused = 0;
  let lastError = '';
  let backoffMs = BACKOFF_MIN_MS;
  const post = createPoster();

  async function send(batch: SpooledBatch): Promise<Outcome> {
    const url = new URL(`/api/ingest/${batch.table}`, serverUrl);
    let answer: PostAnswer;
    try {
      answer = await post(url, {
        body: await spool.read(batch),
        headers: {
          ...headers(),
          'content-type': 'application/octet-stream',
          'content-encoding': batch.encoding,
          'x-thalweg-token': batch.token,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        timeoutMs: REQUEST_TIMEOUT_MS,
      });
    } catch (cause) {
      lastError = `no answer from ${url.origin}: ${messageOf(cause)}`;
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
      return { kind: 'later', afterMs: backoffMs };
    }
    backoffMs = BACKOFF_MIN_MS;
    if (answer.status >= 200 && answer.status < 300) {
      rowsSent += batch.rows;
      lastError = '';
      await spool.sent(batch);
      return { kind: 'done' };
    }
    lastError = `${answer.status} from ${url.href}: ${answer.text.slice(0, 300)}`;
    const isFinal = answer.status === 400 || answer.status === 413 || answer.status === 422;
    if (!isFinal) return { kind: 'later', afterMs: retryAfterMs(answer) };
    rowsRefused += batch.rows;
    await spool.remove(batch);
    return { kind: 'done' };
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const batch = spool.oldest();
      const outcome = batch === undefined ? undefined : await send(batch);
      if (outcome?.kind === 'done') continue;
      await sleep(outcome?.afterMs ?? POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async function drain(): Promise<void> {
    for (let batch = spool.oldest(); batch !== undefined; batch = spool.oldest()) {
      if ((await send(batch)).kind === 'later') return;
    }
  }

  return { run, drain, counters: () => ({ rowsSent, rowsRefused, lastError }) };
}

function retryAfterMs({ retryAfter }: PostAnswer): number {
  const seconds = Number(retryAfter);
  const ms = Number.isFinite(seconds) && seconds > 0 ? seconds * 1e3 : BACKOFF_MIN_MS;
  return Math.min(ms, BACKOFF_MAX_MS);
}

/** Where a name has several addresses the error of all of them has a code and no words. */
function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.cause instanceof Error) return cause.cause.message;
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
