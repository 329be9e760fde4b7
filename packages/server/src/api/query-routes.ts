import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { runUserSql } from '../query/run.ts';
import { SqlError } from '../query/tokens.ts';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { untilGone } from './until-gone.ts';

const Body = z.object({
  db: z.string().max(64).optional(),
  sql: z.string().min(1).max(65_536),
  data_precision: z.string().optional(),
});

/**
 * POST /v1/query/ in DeepFlow's envelope, a form or JSON. A mistake in the SQL is answered with the
 * same envelope and, as everywhere, with `error`: code, message, fix and position.
 */
export function addQueryRoutes(app: FastifyInstance, { store }: Services): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.post('/v1/query/', async (request, reply) => {
    const { db, sql } = parseInput(Body, request.body);
    try {
      const own = untilGone(store, reply);
      const { sql: generated, ...result } = await runUserSql(own, sql, { database: db });
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
  });
}
