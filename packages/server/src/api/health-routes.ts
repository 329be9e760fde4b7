import type { FastifyInstance } from 'fastify';
import { apiError } from '../errors.ts';
import { tableSizes } from '../storage/table-sizes.ts';
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
    return metrics(services);
  });
}

function metrics({ ingest, receivers, retention, agents, metrics: series }: Services): string {
  const { refused, lastError, ...counters } = ingest.counters();
  const lost = agents.lost();
  const lines = [
    ...Object.entries(counters).map(([name, value]) => `thalweg_ingest_${snake(name)} ${value}`),
    ...Object.entries(refused).map(
      ([code, count]) => `thalweg_ingest_refused{code="${code}"} ${count}`,
    ),
    ...Object.entries(series.live.counters()).map(
      ([name, value]) => `thalweg_metrics_${snake(name)} ${value}`,
    ),
    ...[...retention.dropped()].flatMap(([table, { partitions, rows, bytes }]) => [
      `thalweg_retention_dropped_partitions{table="${table}"} ${partitions}`,
      `thalweg_retention_dropped_rows{table="${table}"} ${rows}`,
      `thalweg_retention_dropped_bytes{table="${table}"} ${bytes}`,
    ]),
    `thalweg_ingest_is_failing ${lastError === '' ? 0 : 1}`,
    ...Object.entries(receivers.counters()).map(
      ([name, value]) => `thalweg_receivers{counter="${name}"} ${value}`,
    ),
    `thalweg_agents ${agents.list().length}`,
    `thalweg_agents_lost_events ${lost.events}`,
    `thalweg_agents_dropped_rows ${lost.rows}`,
    `thalweg_server_resident_memory_bytes ${process.memoryUsage.rss()}`,
  ];
  return `${lines.join('\n')}\n`;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
