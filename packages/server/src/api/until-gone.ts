import type { FastifyReply } from 'fastify';
import type { Store } from '../storage/store.ts';

/** The store for one request: its queries end when the client closes the connection. */
export function untilGone(store: Store, reply: FastifyReply): Store {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return {
    ...store,
    query: (sql, options = {}) => {
      const { signal = gone.signal } = options;
      return store.query(sql, { ...options, signal });
    },
  };
}
