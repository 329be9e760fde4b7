import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { runUserSql } from '../query/run.ts';
import { SqlError } from '../query/tokens.ts';
import type { Store } from '../storage/store.ts';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { untilGone } from './until-gone.ts';

const Asked = z.object({
  db: z.string().max(64).optional(),
  sql: z.string().min(1).max(65_536),
  data_precision: z
    .enum(['1s', '1m'])
    .or(z.literal('').transform(() => undefined))
    .optional(),
});

/**
 * POST /v1/query/ (a form or JSON) and GET /v1/query in DeepFlow's envelope. A mistake in the SQL is answered with the
 * same envelope and, as everywhere, with `error`: code, message, fix and position.
 */
export function addQueryRoutes(app: FastifyInstance, { store }: Services): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  for (const url of ['/v1/query', '/v1/query/']) {
    app.post(url, (request, reply) => answerSql(store, request.body, reply));
    app.get(url, (request, reply) => answerSql(store, request.query, reply));
  }
}

async function answerSql(store: Store, asked: unknown, reply: FastifyReply): Promise<unknown> {
  const { db, sql, data_precision: precision } = parseInput(Asked, asked);
  try {
    const database = db === '' ? undefined : db;
    const own = untilGone(store, reply);
    const { sql: generated, ...result } = await runUserSql(own, sql, { database, precision });
    return { OPT_STATUS: 'SUCCESS', DESCRIPTION: '', result, debug: { sql: generated } };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const { message, position, fix } = error;
    return reply.status(400).send({
      OPT_STATUS: 'INVALID_PARAMETERS',
      DESCRIPTION: message,
      result: null,
      debug: null,
      error: { code: 'sql_invalid', message, fix, position },
    });
  }
}
