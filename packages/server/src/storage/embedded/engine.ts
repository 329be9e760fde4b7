import { isMainThread } from 'node:worker_threads';
import type { ChdbResult, Session } from 'chdb';
import { SESSIONS } from './engine-limits.ts';

// The only module that touches chdb. One engine in one process, on its main thread.

export interface Engine {
  /**
   * Runs on libuv's pool. A free session is waited for; each runs one query at a time. A query whose
   * signal is aborted is killed, or not started when it still waits: both reject. A session takes no
   * query id, so the kill goes by `mark`: words in the statement that no other one has. Values are in
   * the statement: chdb runs statements with parameters one after the other, of all sessions together.
   */
  run(
    sql: string,
    options: { readonly format: string; readonly signal: AbortSignal; readonly mark: string },
  ): Promise<ChdbResult>;
  /** Ends the engine once nothing runs. */
  close(): Promise<void>;
}

const OF_SESSIONS = [
  // Lists of ids are in the statement; the engine's own limit is 256 KiB.
  `max_query_size = ${64 * 2 ** 20}`,
  // Starting the threads costs every answer half a millisecond, and few are long.
  'output_format_parallel_formatting = 0',
].join(', ');

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
  for (const session of sessions) {
    await session.queryAsync(`SET ${OF_SESSIONS}`, { format: 'Null' });
  }
  const free = [...sessions];
  // Its own: when every other session is taken, a kill must not wait for one of them.
  const killer = new Session(directory, options);
  let kills: Promise<unknown> = Promise.resolve();
  const waiting: ((session: Session) => void)[] = [];
  let onIdle: (() => void) | undefined;

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
    async run(sql, { format, signal, mark }) {
      const session = await take();
      const onAbort = (): void => kill(mark);
      try {
        if (signal.aborted) throw new Error('Code: 394. the client is gone (QUERY_WAS_CANCELLED)');
        signal.addEventListener('abort', onAbort, { once: true });
        return await session.queryAsync(sql, { format });
      } catch (error) {
        // What a failed query had written comes with the session's next answer: thrown away here.
        await session.queryAsync('SELECT 1', { format: 'Null' }).catch(() => undefined);
        throw error;
      } finally {
        signal.removeEventListener('abort', onAbort);
        const next = waiting.shift();
        if (next === undefined) free.push(session);
        else next(session);
        if (free.length === SESSIONS) onIdle?.();
      }
    },
    close: async () => {
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        if (free.length === SESSIONS) resolve();
      });
      await kills;
      for (const session of [...sessions, killer]) session.close();
    },
  };
}
