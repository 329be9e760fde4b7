import { isMainThread } from 'node:worker_threads';
import { type ChdbResult, Session } from 'chdb';
import { SESSIONS } from './engine-limits.ts';

// The only module that touches chdb. One engine in one process, on its main thread.

export interface Engine {
  /** Runs on libuv's pool. A free session is waited for; each runs one query at a time. */
  run(sql: string, params: Readonly<Record<string, unknown>>, format: string): Promise<ChdbResult>;
  close(): void;
}

/**
 * Opens the engine on a directory. Throws off the main thread (chdb in a worker ends the process
 * with SIGSEGV), and when another process has the directory.
 */
export function openEngine(directory: string, configFile: string): Engine {
  if (!isMainThread) {
    throw new Error('chdb runs on the main thread of its own process only, not in a worker');
  }
  const options = { connectionArgs: [`--config-file=${configFile}`] };
  const sessions = Array.from({ length: SESSIONS }, () => new Session(directory, options));
  const free = [...sessions];
  const waiting: ((session: Session) => void)[] = [];

  function take(): Promise<Session> {
    const session = free.pop();
    if (session !== undefined) return Promise.resolve(session);
    return new Promise((resolve) => waiting.push(resolve));
  }

  return {
    async run(sql, params, format) {
      const session = await take();
      try {
        return Object.keys(params).length > 0
          ? await session.queryBindAsync(sql, params, { format })
          : await session.queryAsync(sql, { format });
      } finally {
        const next = waiting.shift();
        if (next === undefined) free.push(session);
        else next(session);
      }
    },
    close: () => {
      for (const session of sessions) session.close();
    },
  };
}
