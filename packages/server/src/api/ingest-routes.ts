import { TABLES } from '@thalweg/model';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { apiError } from '../errors.ts';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';

const Count = z.coerce.number().int().nonnegative().default(0);
const Headers = z.object({
  'x-thalweg-token': z.string().min(1).max(128),
  'x-thalweg-agent': z.string().min(1).max(128).default('unnamed'),
  'x-thalweg-lost-events': Count,
  'x-thalweg-dropped-rows': Count,
  'content-encoding': z.enum(['gzip', 'identity']).default('identity'),
});
const Params = z.object({ table: z.string().max(64) });

/** Rows from agents: 200 says that they are on disk, 503 that the sender should come back. */
export function addIngestRoutes(app: FastifyInstance, { ingest, agents, now }: Services): void {
  const tables = TABLES.filter(({ writer }) => writer === 'sender').map(({ name }) => name);
  app.post('/api/ingest/:table', async (request, reply) => {
    const { table } = parseInput(Params, request.params);
    if (!tables.includes(table))
      throw apiError('table_not_found', { table, tables: tables.join() });
    const headers = parseInput(Headers, request.headers);
    const agent = headers['x-thalweg-agent'];
    if (!(request.body instanceof Uint8Array)) {
      throw apiError('bad_request', { reason: 'the body is not application/octet-stream' });
    }
    const accepted = await ingest.accept(table, request.body, {
      agent,
      token: headers['x-thalweg-token'],
      encoding: headers['content-encoding'],
    });
    const report = {
      name: agent,
      lastSeenMs: now(),
      lostEvents: headers['x-thalweg-lost-events'],
      droppedRows: headers['x-thalweg-dropped-rows'],
    };
    agents.seen(report, accepted.status === 'kept' ? accepted.rows : 0);
    switch (accepted.status) {
      case 'kept':
        return { rows: accepted.rows, dropped: accepted.dropped };
      case 'refused':
        throw apiError('ingest_refused', { reason: `${accepted.code}: ${accepted.message}` });
      case 'busy':
        reply.header('retry-after', String(accepted.retryAfterS));
        throw apiError(accepted.code);
    }
  });
}
