import type { Store, StoredObject } from '../store/store.ts';
import { buildChain, type Chain, layered } from './chain.ts';
import type { Consumer } from './consumer.ts';
import type { ConsumerDirectory } from './consumer-book.ts';
import { compileExpression } from './match/expression.ts';
import { parseIpRanges } from './match/ip-range.ts';
import { parseRoutePattern } from './match/route-pattern.ts';
import { createRouter, type RouteEntry, type Router } from './match/router.ts';
import type { PluginsObject, RouteObject, ServiceObject } from './objects.ts';
import type { PluginHost } from './plugin-host.ts';
import { readsBody } from './post-arguments.ts';
import type { MatchedRoute, RequestContext } from './request-context.ts';
import { timeoutsOf, type Upstream, type UpstreamTimeouts } from './upstream.ts';
import type { UpstreamBook } from './upstream-book.ts';

/** How paths are matched: `apisix.router.http`. */
export const ROUTER_MODES = [
  'radixtree_host_uri',
  'radixtree_uri',
  'radixtree_uri_with_parameter',
] as const;
export type RouterName = (typeof ROUTER_MODES)[number];

/** A route with all it refers to, ready for requests. */
export interface ReadyRoute {
  /** The route as reached by one of its patterns and hosts. */
  matchedBy(uri: string, host: string): MatchedRoute;
  readonly chain: Chain;
  /** Undefined when the route has none, or refers to one that is gone. */
  readonly upstream: Upstream | undefined;
  readonly timeouts: UpstreamTimeouts | undefined;
  readonly allowsUpgrade: boolean;
  /** Status of the answer while something that it refers to is missing. */
  readonly missing: 404 | 502 | 503 | undefined;
  /** The chain with the plugins of a consumer and its group over the route's own. */
  chainFor(consumer: Consumer): Chain;
}

/** A route in the router, with what was made ready of it at some version of all else. */
interface RoutePlace {
  readonly stored: StoredObject;
  ready: ReadyRoute | undefined;
  version: number;
}

/** The stored objects as requests need them; follows each change of the store. */
export interface Catalogue {
  match(context: RequestContext): ReadyRoute | undefined;
  globalChains(): readonly Chain[];
  /** Some route is matched by what the body holds. */
  readsBody(): boolean;
  explain: Router<RoutePlace>['explain'];
  /** What references stand for has changed. */
  refresh(): void;
}

export interface CatalogueParts {
  readonly store: Store;
  readonly routerName: RouterName;
  readonly plugins: PluginHost;
  readonly upstreams: UpstreamBook;
  readonly consumers: ConsumerDirectory;
}

export function createCatalogue(parts: CatalogueParts): Catalogue {
  const { store, plugins, upstreams, consumers, routerName } = parts;
  const hasParameters = routerName === 'radixtree_uri_with_parameter';
  const mode = routerName === 'radixtree_host_uri' ? 'host-first' : 'uri-first';
  const router = createRouter<RoutePlace>(mode);
  /** Raised when something that a route may refer to has changed: what was made ready before is old. */
  let version = 0;
  let globals: readonly Chain[] | undefined;
  const bodyReaders = new Set<string>();

  function changed(key: string, now: StoredObject | undefined): void {
    const [, kind = '', id = ''] = key.split('/');
    if (now === undefined) plugins.forget(kind, id);
    upstreams.changed(kind, id, now);
    switch (kind) {
      case 'routes':
        putRoute(id, now);
        return;
      case 'global_rules':
        globals = undefined;
        return;
      case 'services':
        // A route without hosts has those of its service.
        for (const route of store.list('/routes/')) {
          const { service_id: serviceId } = route.value as RouteObject;
          if (String(serviceId) === id) putRoute(idOf(route), route);
        }
        break;
      case 'consumers':
        consumers.changed();
        break;
      case 'plugin_metadata':
        plugins.renew(id);
        globals = undefined;
        break;
      default:
    }
    version += 1;
  }

  function putRoute(id: string, stored: StoredObject | undefined): void {
    router.remove(id);
    bodyReaders.delete(id);
    if (stored === undefined) return;
    const route = stored.value as RouteObject;
    if (route.status === 0) return;
    const entry = entryOf(stored, route, serviceOf(route)?.hosts ?? [], hasParameters);
    if (entry === undefined) return;
    router.put(entry);
    if (readsBody(route.vars)) bodyReaders.add(id);
  }

  function serviceOf({ service_id: id }: RouteObject): ServiceObject | undefined {
    return id === undefined
      ? undefined
      : (store.get(`/services/${id}`)?.value as ServiceObject | undefined);
  }

  function resolve(stored: StoredObject): ReadyRoute {
    const route = stored.value as RouteObject;
    const id = idOf(stored);
    const service = serviceOf(route);
    const configId = route.plugin_config_id;
    const config = configId === undefined ? undefined : store.get(`/plugin_configs/${configId}`);
    const layers = [
      { plugins: service?.plugins, origin: { kind: 'services', id: String(route.service_id) } },
      {
        plugins: (config?.value as PluginsObject | undefined)?.plugins,
        origin: { kind: 'plugin_configs', id: String(configId) },
      },
      { plugins: route.plugins, origin: { kind: 'routes', id } },
    ];
    const chain = buildChain(layered(layers), plugins);
    const chains = new Map<Consumer, Chain>();
    const { upstream, isMissing } = upstreamOf(route, service, id);
    let matched: MatchedRoute = {
      id,
      uri: '',
      host: '',
      object: route,
      serviceId: route.service_id === undefined ? undefined : String(route.service_id),
      service,
    };
    return {
      chain,
      upstream,
      matchedBy(uri, host) {
        // Most requests reach a route the way the last one did.
        if (matched.uri !== uri || matched.host !== host) matched = { ...matched, uri, host };
        return matched;
      },
      timeouts: route.timeout === undefined ? undefined : timeoutsOf(route.timeout),
      allowsUpgrade: route.enable_websocket ?? service?.enable_websocket ?? false,
      missing: missingOf(route, service, config, isMissing),
      chainFor(consumer) {
        const known = chains.get(consumer);
        if (known !== undefined) return known;
        const { username, groupId } = consumer;
        const group = groupId === undefined ? undefined : store.get(`/consumer_groups/${groupId}`);
        const own = Object.entries(consumer.plugins).filter(
          ([name]) => plugins.find(name)?.isAuth !== true,
        );
        const made = buildChain(
          layered([
            ...layers,
            {
              plugins: (group?.value as PluginsObject | undefined)?.plugins,
              origin: { kind: 'consumer_groups', id: String(groupId) },
            },
            { plugins: Object.fromEntries(own), origin: { kind: 'consumers', id: username } },
          ]),
          plugins,
        );
        chains.set(consumer, made);
        return made;
      },
    };
  }

  function upstreamOf(route: RouteObject, service: ServiceObject | undefined, id: string) {
    // Of two in one object the reference stands, as in APISIX.
    if (route.upstream_id !== undefined) return byId(route.upstream_id);
    if (route.upstream !== undefined) return found(upstreams.own('routes', id, route.upstream));
    if (service?.upstream_id !== undefined) return byId(service.upstream_id);
    if (service?.upstream !== undefined) {
      return found(upstreams.own('services', String(route.service_id), service.upstream));
    }
    return { upstream: undefined, isMissing: false };
  }

  function byId(id: string | number) {
    const upstream = upstreams.stored(String(id));
    return { upstream, isMissing: upstream === undefined };
  }

  store.subscribe(({ key, now }) => changed(key, now));
  for (const stored of store.list('/')) changed(stored.key, stored);

  return {
    explain: router.explain,
    refresh() {
      plugins.renewSecrets();
      consumers.changed();
      globals = undefined;
      version += 1;
    },
    readsBody: () => bodyReaders.size > 0,
    match(context) {
      const found = router.match(context);
      if (found === undefined) return undefined;
      const at = found.route;
      if (at.ready === undefined || at.version !== version) {
        at.ready = resolve(at.stored);
        at.version = version;
      }
      const route = at.ready;
      context.matchedParameters = found.parameters;
      context.route = route.matchedBy(found.pattern.text, found.host);
      return route;
    },
    globalChains() {
      globals ??= store.list('/global_rules/').map((stored) =>
        buildChain(
          layered([
            {
              plugins: (stored.value as PluginsObject).plugins,
              origin: { kind: 'global_rules', id: idOf(stored) },
            },
          ]),
          plugins,
        ),
      );
      return globals;
    },
  };
}

function found(upstream: Upstream): { upstream: Upstream | undefined; isMissing: boolean } {
  return { upstream, isMissing: false };
}

function missingOf(
  route: RouteObject,
  service: ServiceObject | undefined,
  config: StoredObject | undefined,
  isUpstreamMissing: boolean,
): ReadyRoute['missing'] {
  if (route.service_id !== undefined && service === undefined) return 404;
  if (route.plugin_config_id !== undefined && config === undefined) return 503;
  return isUpstreamMissing ? 502 : undefined;
}

function idOf({ key }: StoredObject): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** Undefined when an expression or an address cannot be read: such a route would match too much. */
function entryOf(
  stored: StoredObject,
  route: RouteObject,
  serviceHosts: readonly string[],
  hasParameters: boolean,
): RouteEntry<RoutePlace> | undefined {
  const own = route.hosts ?? (route.host === undefined ? [] : [route.host]);
  const hosts = (own.length > 0 ? own : serviceHosts).map((host) => host.toLowerCase());
  const uris = route.uris ?? (route.uri === undefined ? [] : [route.uri]);
  const addresses =
    route.remote_addrs ?? (route.remote_addr === undefined ? [] : [route.remote_addr]);
  const ranges = addresses.length === 0 ? undefined : parseIpRanges(addresses);
  if (addresses.length > 0 && ranges === undefined) return undefined;
  const vars = compileExpression(route.vars ?? []);
  if (vars.kind === 'invalid') return undefined;
  const hasVars = (route.vars?.length ?? 0) > 0;
  return {
    route: { stored, ready: undefined, version: 0 },
    id: idOf(stored),
    hosts,
    patterns: uris.map((uri) => parseRoutePattern(uri, hasParameters)),
    priority: route.priority ?? 0,
    createdIndex: stored.createdIndex,
    methods: methodsOf(route.methods ?? []),
    acceptsAddress: ranges === undefined ? undefined : (address) => ranges.has(address),
    acceptsVariables: hasVars ? (context) => vars.holds((name) => context.values(name)) : undefined,
  };
}

/** As many as there are ways to choose among the methods of `METHODS`. */
const methodSets = new Map<string, ReadonlySet<string>>();

/** Routes with the same methods share a set, which is then at hand for all of them. */
function methodsOf(methods: readonly string[]): ReadonlySet<string> | undefined {
  if (methods.length === 0) return undefined;
  const key = methods.toSorted().join();
  const known = methodSets.get(key) ?? new Set(methods);
  methodSets.set(key, known);
  return known;
}
