import type { Services } from './services.ts';

/** One of the server's own, as of now. */
export interface OwnMetric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Pairs of sender and receiver that `/metrics` shows, the latest first; all are counted. */
const SENDERS_SHOWN = 200;

/** What `/metrics` says and what the server keeps as series of itself. */
export function ownMetrics(services: Services): OwnMetric[] {
  const { ingest, receivers, retention, agents, metrics: series } = services;
  const { refused, lastError, ...counters } = ingest.counters();
  const lost = agents.lost();
  return [
    ...named('thalweg_ingest_', counters),
    ...Object.entries(refused).map(([code, value]) =>
      metric('thalweg_ingest_refused', value, { code }),
    ),
    ...named('thalweg_metrics_', series.live.counters()),
    ...[...retention.dropped()].flatMap(([table, dropped]) =>
      named('thalweg_retention_dropped_', dropped, { table }),
    ),
    metric('thalweg_ingest_is_failing', lastError === '' ? 0 : 1),
    ...Object.entries(receivers.counters()).map(([counter, value]) =>
      metric('thalweg_receivers', value, { counter }),
    ),
    ...receivers.door
      .senders()
      .slice(0, SENDERS_SHOWN)
      .flatMap(({ sender, receiver, requests, failed, bytes, rows, rejected }) =>
        named('thalweg_sender_', { requests, failed, bytes, rows, rejected }, { sender, receiver }),
      ),
    metric('thalweg_agents', agents.list().length),
    metric('thalweg_agents_lost_events', lost.events),
    metric('thalweg_agents_dropped_rows', lost.rows),
    metric('thalweg_server_resident_memory_bytes', process.memoryUsage.rss()),
  ];
}

/** Prometheus's text format. Values of labels are ours, or addresses: nothing to escape. */
export function metricsText(metrics: readonly OwnMetric[]): string {
  const lines = metrics.map(({ name, labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
  });
  return `${lines.join('\n')}\n`;
}

function metric(name: string, value: number, labels: OwnMetric['labels'] = {}): OwnMetric {
  return { name, labels, value };
}

function named(
  prefix: string,
  values: Readonly<Record<string, number>> | object,
  labels: OwnMetric['labels'] = {},
): OwnMetric[] {
  return Object.entries(values).map(([name, value]) =>
    metric(prefix + snake(name), Number(value), labels),
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
