import { isMainThread } from 'node:worker_threads';
import type { ChdbResult, Session } from 'chdb';
import { SESSIONS } from './engine-limits.ts';

// The only module that touches chdb. One engine in one process, on its main thread.

export interface Engine {
  /**
   * Runs on libuv's pool. A free session is waited for; each runs one query at a time. A query whose
   * signal is aborted is killed, or not started when it still waits: both reject. A session takes no
   * query id, so the kill goes by `mark`: words in the statement that no other one has. A comment will
   * not do where there are params: the engine writes such a statement anew, without comments.
   */
  run(
    sql: string,
    params: Readonly<Record<string, unknown>>,
    options: { readonly format: string; readonly signal: AbortSignal; readonly mark: string },
  ): Promise<ChdbResult>;
  close(): void;
}

/**
 * Opens the engine on a directory. Rejects off the main thread (chdb in a worker ends the process
 * with SIGSEGV), and when another process has the directory.
 */
export async function openEngine(directory: string, configFile: string): Promise<Engine> {
  if (!isMainThread) {
    throw new Error('chdb runs on the main thread of its own process only, not in a worker');
  }
  // Only now: a worker that has but loaded the library ends the process with SIGSEGV, too.
  const { Session } = await import('chdb');
  const options = { connectionArgs: [`--config-file=${configFile}`] };
  const sessions = Array.from({ length: SESSIONS }, () => new Session(directory, options));
  const free = [...sessions];
  // Its own: when every other session is taken, a kill must not wait for one of them.
  const killer = new Session(directory, options);
  let kills: Promise<unknown> = Promise.resolve();
  const waiting: ((session: Session) => void)[] = [];

  function take(): Promise<Session> {
    const session = free.pop();
    if (session !== undefined) return Promise.resolve(session);
    return new Promise((resolve) => waiting.push(resolve));
  }

  function kill(mark: string): void {
    const sql = `KILL QUERY WHERE position(query, '${mark}') > 0 AND query NOT LIKE 'KILL %' ASYNC`;
    kills = kills.then(() => killer.queryAsync(sql, { format: 'Null' })).catch(() => undefined);
  }

  return {
    async run(sql, params, { format, signal, mark }) {
      const session = await take();
      const onAbort = (): void => kill(mark);
      try {
        if (signal.aborted) throw new Error('Code: 394. the client is gone (QUERY_WAS_CANCELLED)');
        signal.addEventListener('abort', onAbort, { once: true });
        return Object.keys(params).length > 0
          ? await session.queryBindAsync(sql, params, { format })
          : await session.queryAsync(sql, { format });
      } catch (error) {
        // What a failed query had written comes with the session's next answer: thrown away here.
        await session.queryAsync('SELECT 1', { format: 'Null' }).catch(() => undefined);
        throw error;
      } finally {
        signal.removeEventListener('abort', onAbort);
        const next = waiting.shift();
        if (next === undefined) free.push(session);
        else next(session);
      }
    },
    close: () => {
      for (const session of [...sessions, killer]) session.close();
    },
  };
}
