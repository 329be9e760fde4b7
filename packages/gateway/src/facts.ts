import { hostname } from 'node:os';
import type { ClientCounters } from './core/http/client-connection.ts';
import type { Upstream } from './core/upstream.ts';
import type { GatewayFacts } from './plugins/plugin.ts';
import type { Store } from './store/store.ts';
import type { StreamCounters } from './stream/stream-counters.ts';

export interface FactsParts {
  readonly id: string;
  readonly version: string;
  readonly httpsPorts: readonly number[];
  readonly counters: ClientCounters;
  readonly streams: StreamCounters;
  /** Undefined when a file is all the configuration there is. */
  readonly store: Store | undefined;
  upstreams(): readonly Upstream[];
}

/** What plugins may tell the world about this process. */
export function createFacts(parts: FactsParts): GatewayFacts {
  const { id, version, httpsPorts, counters, store, streams } = parts;
  return {
    id,
    hostname: hostname(),
    version,
    httpsPorts,
    requestsTotal: () => counters.requests,
    connections() {
      const { active, accepted, waiting } = counters;
      const writing = active - waiting;
      return { active, accepted, handled: accepted, reading: 0, writing, waiting };
    },
    streams: () => ({
      totals: streams.totals,
      active: streams.active,
      dropped: streams.droppedTotal(),
    }),
    modifyIndexes: () => (store === undefined ? undefined : indexesOf(store)),
    isStoreReachable: () => store?.isReachable() ?? true,
    upstreamStates: () => parts.upstreams().flatMap(statesOf),
  };
}

function statesOf({ name, health, nodes }: Upstream) {
  if (health === undefined) return [];
  return nodes().map((node) => ({
    name,
    ip: node.address,
    port: node.port,
    isHealthy: health.isUsable(node),
  }));
}

/** The newest index of each kind, under the names that APISIX's metrics have. */
function indexesOf(store: Store): Readonly<Record<string, number>> {
  const kinds = [
    ...['routes', 'services', 'ssls', 'consumers', 'global_rules', 'upstreams'],
    ...['stream_routes', 'protos'],
  ];
  const newest = kinds.map((kind) => {
    const indexes = store.list(`/${kind}/`).map(({ modifiedIndex }) => modifiedIndex);
    return [kind, Math.max(0, ...indexes)] as const;
  });
  const max = Math.max(0, ...newest.map(([, index]) => index));
  return {
    ...Object.fromEntries(newest),
    prev_index: store.revision(),
    max_modify_index: max,
    x_etcd_index: store.revision(),
  };
}
