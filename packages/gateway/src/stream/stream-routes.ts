import { buildChain, type Chain, layered } from '../core/chain.ts';
import { type IpRanges, parseIpRanges } from '../core/match/ip-range.ts';
import type { ServiceObject, StreamRouteObject } from '../core/objects.ts';
import type { PluginHost } from '../core/plugin-host.ts';
import type { MatchedRoute, Peer } from '../core/request-context.ts';
import type { Upstream } from '../core/upstream.ts';
import type { UpstreamBook } from '../core/upstream-book.ts';
import type { Store, StoredObject } from '../store/store.ts';

/** A stream route with all it refers to. */
export interface ReadyStreamRoute {
  readonly matched: MatchedRoute;
  readonly chain: Chain;
  /** Undefined when the route has none, or refers to one that is gone. */
  upstream(): Upstream | undefined;
}

/** The stored stream routes as connections need them; follows each change of the store. */
export interface StreamRoutes {
  /** The first that accepts it: by server name, then the older one. */
  match(peer: Peer): ReadyStreamRoute | undefined;
}

export interface StreamRoutesParts {
  readonly store: Store;
  readonly plugins: PluginHost;
  readonly upstreams: UpstreamBook;
}

interface Entry {
  readonly ready: ReadyStreamRoute;
  readonly names: readonly string[];
  readonly port: number | undefined;
  readonly clients: IpRanges | undefined;
  readonly servers: IpRanges | undefined;
}

const REFERRED = /^\/(stream_routes|services|upstreams|plugin_metadata)\//;

export function createStreamRoutes({ store, plugins, upstreams }: StreamRoutesParts): StreamRoutes {
  let entries: readonly Entry[] | undefined;
  store.subscribe(({ key }) => {
    if (REFERRED.test(key)) entries = undefined;
  });

  function entryOf({ key, value }: StoredObject): Entry {
    // Checked edge: the Admin API has validated it before it was stored.
    const route = value as StreamRouteObject;
    const id = key.slice('/stream_routes/'.length);
    const serviceId = route.service_id === undefined ? undefined : String(route.service_id);
    const service =
      serviceId === undefined
        ? undefined
        : (store.get(`/services/${serviceId}`)?.value as ServiceObject | undefined);
    const layers = [
      { plugins: service?.plugins, origin: { kind: 'services', id: serviceId ?? '' } },
      { plugins: route.plugins, origin: { kind: 'stream_routes', id } },
    ];
    const chain = buildChain(layered(layers), {
      find(name) {
        const plugin = plugins.find(name);
        return plugin?.subsystems.includes('stream') === true ? plugin : undefined;
      },
      instance: plugins.instance,
    });
    return {
      names: route.sni === undefined ? [] : [route.sni.toLowerCase()],
      port: route.server_port,
      clients: rangesOf(route.remote_addr),
      servers: rangesOf(route.server_addr),
      ready: {
        matched: { id, uri: '', host: '', object: route, serviceId, service },
        chain,
        upstream() {
          const { upstream_id: byId = service?.upstream_id } =
            route.upstream === undefined ? route : { upstream_id: route.upstream_id };
          if (byId !== undefined) return upstreams.stored(String(byId));
          if (route.upstream !== undefined) {
            return upstreams.own('stream_routes', id, route.upstream);
          }
          const own = service?.upstream;
          return own === undefined ? undefined : upstreams.own('services', serviceId ?? '', own);
        },
      },
    };
  }

  function ranked(): readonly Entry[] {
    entries ??= store
      .list('/stream_routes/')
      .toSorted((a, b) => a.createdIndex - b.createdIndex)
      .map(entryOf)
      // The longest name first: an exact one before those that end alike.
      .toSorted((a, b) => rankOf(b) - rankOf(a));
    return entries;
  }

  return {
    match: (peer) => ranked().find((entry) => accepts(entry, peer))?.ready,
  };
}

function rangesOf(address: string | undefined): IpRanges | undefined {
  return address === undefined ? undefined : parseIpRanges([address]);
}

function rankOf({ names: [name] }: Entry): number {
  if (name === undefined) return 0;
  return name.startsWith('*') ? name.length : name.length + 256;
}

function accepts({ names: [name], port, clients, servers }: Entry, peer: Peer): boolean {
  if (name !== undefined && !isNamed(name, peer.serverName?.toLowerCase())) return false;
  if (port !== undefined && port !== peer.localPort) return false;
  if (clients?.has(peer.address) === false) return false;
  return servers?.has(peer.localAddress) !== false;
}

/** `*.a.b` stands for one label or more. */
function isNamed(name: string, given: string | undefined): boolean {
  if (given === undefined) return false;
  return name.startsWith('*') ? given.endsWith(name.slice(1)) : given === name;
}
