import type { FastifyInstance } from 'fastify';
import { apiError } from '../errors.ts';
import { tableSizes } from '../storage/table-sizes.ts';
import { metricsText, ownMetrics } from './own-metrics.ts';
import type { Services } from './services.ts';

/** Of the latest senders; all are counted. */
const SENDERS_SHOWN = 50;

/** How the server is: for probes, for `thalweg doctor`, and for Prometheus. */
export function addHealthRoutes(app: FastifyInstance, services: Services): void {
  const { store, ingest, receivers, retention, agents, version } = services;
  app.get('/healthz', () => ({ status: 'alive' }));
  app.get('/readyz', async () => {
    await store.health().catch((cause: unknown) => {
      throw apiError('store_unavailable', {}, { cause });
    });
    return { status: 'ready' };
  });
  app.get('/api/status', async () => ({
    version,
    store: await store.health().then(
      (health) => ({ isUp: true, version: health.version }),
      (error: unknown) => ({ isUp: false, reason: error instanceof Error ? error.message : '' }),
    ),
    tables: await tableSizes(store).catch(() => []),
    agents: agents.list(),
    lost: agents.lost(),
    ingest: ingest.counters(),
    receivers: {
      counters: receivers.counters(),
      senders: receivers.door.senders().slice(0, SENDERS_SHOWN),
      lastError: receivers.lastError(),
    },
    /** What caps of bytes dropped since the start, by table. */
    droppedByCap: Object.fromEntries(retention.dropped()),
  }));
  app.get('/metrics', (_request, reply) => {
    reply.header('content-type', 'text/plain; version=0.0.4');
    return metricsText(ownMetrics(services));
  });
}
