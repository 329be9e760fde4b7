import { getHeapStatistics } from 'node:v8';
import type { BatchBook } from '../../core/batch-book.ts';
import type { GatewayFacts } from '../plugin.ts';
import { labelsText } from './series-table.ts';

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export interface ProcessMetricsParts {
  readonly prefix: string;
  readonly facts: GatewayFacts;
  readonly batches: BatchBook;
  /** Samples of requests that had no series. */
  refused(): number;
}

/** Gauges that say something of one process, without the prefix: those of several are summed. */
const OF_A_PROCESS = new Set([
  'batch_process_entries',
  'nginx_http_current_connections',
  'shared_dict_capacity_bytes',
  'shared_dict_free_space_bytes',
  'stream_active_connections',
]);
/** APISIX calls it a gauge; it counts since the start. */
const REQUESTS_TOTAL = 'http_requests_total';

/** Whether a gauge counts since the start, so that it outlives its process. */
export const isCounted = (name: string): boolean => name === REQUESTS_TOTAL;

export const isOfProcess = (name: string): boolean => isCounted(name) || OF_A_PROCESS.has(name);

/** What is true of this process, or the whole gateway, at this moment, in the text format. */
export function processMetrics({ prefix, facts, batches, refused }: ProcessMetricsParts): string {
  const indexes = facts.modifyIndexes();
  const all = batches.list();
  const waiting = (count: 'pending' | 'dropped'): readonly Sample[] =>
    all.map((counters) => [
      {
        name: counters.label.name,
        route_id: counters.label.routeId,
        server_addr: counters.label.serverAddr,
      },
      counters[count],
    ]);
  const streams = facts.streams();
  const heap = getHeapStatistics();
  const free = Math.max(0, heap.heap_size_limit - heap.used_heap_size);

  function metric(name: string, type: string, help: string, samples: readonly Sample[]): string {
    if (samples.length === 0) return '';
    const lines = samples.map(([labels, value]) => {
      const inner = labelsText(Object.keys(labels), Object.values(labels));
      return `${prefix}${name}${inner === '' ? '' : `{${inner}}`} ${value}\n`;
    });
    return `# HELP ${prefix}${name} ${help}\n# TYPE ${prefix}${name} ${type}\n${lines.join('')}`;
  }

  return [
    metric(
      'batch_process_entries',
      'gauge',
      'Log entries and traces held or being sent.',
      waiting('pending'),
    ),
    metric(
      'batch_process_dropped_entries_total',
      'counter',
      'Log entries and traces that were lost.',
      waiting('dropped'),
    ),
    metric(
      'etcd_modify_indexes',
      'gauge',
      'Newest index of the store, by kind of object.',
      Object.entries(indexes ?? {}).map(([key, value]) => [{ key }, value]),
    ),
    metric(
      'etcd_reachable',
      'gauge',
      'Whether the store of the configuration can be reached.',
      indexes === undefined ? [] : [[{}, facts.isStoreReachable() ? 1 : 0]],
    ),
    metric(REQUESTS_TOTAL, 'gauge', 'Requests of clients since the start.', [
      [{}, facts.requestsTotal()],
    ]),
    metric(
      'nginx_http_current_connections',
      'gauge',
      'Connections of clients.',
      Object.entries(facts.connections()).map(([state, value]) => [{ state }, value]),
    ),
    metric('nginx_metric_errors_total', 'counter', 'Samples refused: too many series.', [
      [{}, refused()],
    ]),
    metric('node_info', 'gauge', 'This gateway.', [
      [{ hostname: facts.hostname, version: facts.version }, 1],
    ]),
    metric('shared_dict_capacity_bytes', 'gauge', 'Memory that may be used: the heap.', [
      [{ name: 'heap' }, heap.heap_size_limit],
    ]),
    metric('shared_dict_free_space_bytes', 'gauge', 'Memory not used yet: the heap.', [
      [{ name: 'heap' }, free],
    ]),
    metric(
      'stream_connection_total',
      'counter',
      'Connections of stream routes.',
      [...streams.totals].map(([route, value]) => [{ route }, value]),
    ),
    metric(
      'stream_active_connections',
      'gauge',
      'Connections of stream routes under way.',
      [...streams.active].map(([listen_addr, value]) => [{ listen_addr }, value]),
    ),
    metric(
      'stream_datagrams_dropped_total',
      'counter',
      'Datagrams that no session took.',
      streams.dropped === 0 ? [] : [[{}, streams.dropped]],
    ),
    metric(
      'upstream_status',
      'gauge',
      'Health of the nodes that are checked: 1 or 0.',
      facts
        .upstreamStates()
        .map(({ name, ip, port, isHealthy }) => [
          { name, ip, port: String(port) },
          Number(isHealthy),
        ]),
    ),
  ].join('');
}
