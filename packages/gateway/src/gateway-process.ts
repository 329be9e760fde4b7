import { lookup } from 'node:dns/promises';
import { performance } from 'node:perf_hooks';
import { openAccessLog, STREAM_FORMAT } from './access-log.ts';
import { type AdminAnswer, createAdminApi } from './admin/admin-api.ts';
import { createAdminServer } from './admin/admin-server.ts';
import { createControlServer, type ExplainAsk } from './admin/control-server.ts';
import { openProcessReport } from './admin/process-report.ts';
import { pluginViolation } from './admin/validator.ts';
import { ownAdminKey } from './config/admin-key.ts';
import { durationMs, type Listen } from './config/config.ts';
import { createBatchBook } from './core/batch-book.ts';
import { createCatalogue } from './core/catalogue.ts';
import { createCertificateBook, versionBounds } from './core/certificates.ts';
import { createCoarseClock } from './core/clock.ts';
import { createConsumerDirectory } from './core/consumer-book.ts';
import { destinationOf } from './core/destination.ts';
import { createPassiveWatch } from './core/health/passive.ts';
import { createProber } from './core/health/prober.ts';
import type { ClientCounters } from './core/http/client-connection.ts';
import { createDateText } from './core/http/message.ts';
import { createUpstreamPool } from './core/http/upstream-pool.ts';
import { createUpstreamSessions } from './core/http2/upstream-sessions.ts';
import { listenOn, openListeners, proxyUrl } from './core/listeners.ts';
import { locate, type PlaceSettings } from './core/locate.ts';
import { makeContext } from './core/make-context.ts';
import { parseIpRanges } from './core/match/ip-range.ts';
import type { ProtoObject } from './core/objects.ts';
import type { OwnLog } from './core/own-log.ts';
import { createPipeline, type PipelineCounters } from './core/pipeline.ts';
import { createPluginHost } from './core/plugin-host.ts';
import { openPluginListeners } from './core/plugin-listeners.ts';
import { environmentReader, type ReferenceReader, resolvedConf } from './core/references.ts';
import { createSecretBook } from './core/secrets/secret-book.ts';
import { openNativeSockets } from './core/sockets/native-sockets.ts';
import { createNodeConnector } from './core/sockets/node-connection.ts';
import { createUpstreamBook } from './core/upstream-book.ts';
import { createFacts } from './facts.ts';
import type { Gateway, GatewayOptions } from './main.ts';
import type { Rules } from './rules.ts';
import type { Store } from './store/store.ts';
import { createStreamCounters } from './stream/stream-counters.ts';
import { openStreamListeners } from './stream/stream-listeners.ts';
import { createStreamRoutes } from './stream/stream-routes.ts';
import type { Hub } from './workers/hub.ts';

/** One process of a gateway: all of it, or a part. */
export interface GatewayProcessOptions extends Omit<GatewayOptions, 'standaloneFile' | 'warn'> {
  readonly ownLog: OwnLog;
  readonly rules: Rules;
  readonly store: Store;
  readonly hub: Hub;
  /** The store is a file: there is no Admin API. */
  readonly isStandalone: boolean;
  /** Clients come to it. */
  readonly serves: boolean;
  /** Has the Admin API, the control API and the ports of plugins. */
  readonly administers: boolean;
  /** Resolves when every process has what the store holds. */
  settled?(): Promise<void>;
}

/** The release whose interface is spoken, as `Server` and `X-API-VERSION` show it. */
const INTERFACE_VERSION = '3.18.0';
const SWEEP_MS = 50;
const PROBE_MS = 250;
const SECRETS_MS = 1_000;
/** Requests wait so long at the start for secrets that are elsewhere. */
const SECRETS_WAIT_MS = 3_000;
/** Requests under way get so long at the end. */
const GRACE_MS = 5_000;

/** Does not close the store: it is another's. */
export async function openGatewayProcess(options: GatewayProcessOptions): Promise<Gateway> {
  const { config, environment, ownLog, rules, store, hub, serves, isStandalone } = options;
  const { apisix, nginx_config: nginx, deployment } = config;
  const now = Date.now;
  const { warn } = ownLog;
  // The origin never changes, and asking for it takes longer than for the time.
  const { timeOrigin } = performance;
  const preciseNow = (): number => timeOrigin + performance.now();
  const { validator, plugins: enabled, attributes } = rules;
  const counters: ClientCounters & PipelineCounters = {
    accepted: 0,
    active: 0,
    requests: 0,
    waiting: 0,
    refused: 0,
    pluginErrors: 0,
    unmatched: 0,
  };
  const streamCounters = createStreamCounters();
  let isDraining = false;
  const inlineKeys = new WeakMap<object, string>();

  const upstreams = createUpstreamBook({
    store,
    isHealthEnabled: !apisix.disable_upstream_healthcheck,
    hub,
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    now,
    random: Math.random,
  });
  const readEnvironment = environmentReader(environment);
  const secrets = createSecretBook({
    store,
    environment: readEnvironment,
    now,
    changed() {
      catalogue.refresh();
      certificates.changed();
    },
    warn,
  });
  const read: ReferenceReader = (reference) =>
    readEnvironment(reference) ?? secrets.read(reference);
  const consumers = createConsumerDirectory(store, (_plugin, conf) => resolvedConf(conf, read));
  const serverToken = apisix.enable_server_tokens ? `APISIX/${INTERFACE_VERSION}` : 'APISIX';
  const facts = createFacts({
    id: apisix.id ?? '',
    version: INTERFACE_VERSION,
    httpsPorts: apisix.ssl.enable ? apisix.ssl.listen.map(({ port }) => port) : [],
    counters,
    streams: streamCounters,
    store: isStandalone ? undefined : store,
    upstreams: () => upstreams.all(),
  });
  const batches = createBatchBook();
  const plugins = createPluginHost({
    plugins: enabled,
    attributes,
    metadata: (name) => store.get(`/plugin_metadata/${name}`)?.value,
    withDefaults: (schema, conf) => validator.filled(schema, resolvedConf(conf, read)),
    violation: (plugin, conf) => pluginViolation(rules, plugin, plugin.schema, conf),
    upstream: (given, name) =>
      'id' in given && Object.keys(given).length === 1
        ? upstreams.stored(String(given.id))
        : upstreams.own('inline', inlineKey(given, name), given),
    consumers,
    proto: (id) => (store.get(`/protos/${id}`)?.value as ProtoObject | undefined)?.content,
    facts,
    batches,
    ownLog,
    hasBackground: options.administers,
    hub,
    now,
    warn,
  });
  const catalogue = createCatalogue({
    store,
    routerName: apisix.router.http,
    plugins,
    upstreams,
    consumers,
  });
  const tlsOptions = {
    ...versionBounds(apisix.ssl.ssl_protocols.split(/\s+/)),
    ...(apisix.ssl.ssl_ciphers === undefined ? {} : { ciphers: apisix.ssl.ssl_ciphers }),
  };
  const certificates = createCertificateBook(store, tlsOptions, apisix.ssl.fallback_sni, read);
  store.subscribe(({ key }) => {
    if (key.startsWith('/ssls/')) certificates.changed();
  });
  const { real_ip_from, real_ip_header, real_ip_recursive } = nginx.http;
  const places: PlaceSettings = {
    deletesTailSlash: apisix.delete_uri_tail_slash,
    isServletLike: apisix.normalize_uri_like_servlet,
    keepsEncodedSlash: apisix.match_uri_encoded_slash,
    trusted: parseIpRanges(apisix.trusted_addresses ?? []),
    realIp: {
      from: parseIpRanges(real_ip_from.filter((address) => address !== 'unix:')),
      field: real_ip_header.toLowerCase(),
      isRecursive: real_ip_recursive === 'on',
    },
  };
  const accessLog = openAccessLog(nginx.http, options.dataFolder, { batches, now, warn });
  const streamLog = openAccessLog(
    { ...nginx.stream, access_log_format: nginx.stream.access_log_format ?? STREAM_FORMAT },
    options.dataFolder,
    { batches, now, warn },
  );
  const clock = createCoarseClock(now);
  const passive = createPassiveWatch();
  const native =
    options.sockets === 'node' || !serves
      ? undefined
      : openNativeSockets({ round: clock.tick, isShared: hub.process > 0, warn });
  const pool = createUpstreamPool(clock.now, native?.connect ?? createNodeConnector());
  const sessions = createUpstreamSessions(now);
  const destination = destinationOf(store, {
    idleMax: nginx.http.upstream.keepalive,
    idleMs: durationMs(nginx.http.upstream.keepalive_timeout),
    requestsMax: nginx.http.upstream.keepalive_requests,
  });
  const handle = createPipeline({
    catalogue,
    serverToken,
    isTracing: apisix.tracing,
    places,
    counters,
    admits: certificates.admitsRequest,
    warn,
    logged: accessLog.write,
    forwarding: {
      take: (to) => (to.isHttp2 ? sessions : pool).take(to),
      now: clock.now,
      preciseNow,
      destination,
      report: passive,
      showsUpstreamStatus: apisix.show_upstream_status_in_response_header,
    },
  });
  await secrets.settled(SECRETS_WAIT_MS);
  await upstreams.learn();
  const prober = createProber(upstreams.all, now, hub);
  const listeners = await openListeners({
    plain: serves ? apisix.node_listen : [],
    tls: serves && apisix.ssl.enable ? apisix.ssl.listen : [],
    certificates,
    tlsOptions,
    native,
    client: {
      settings: {
        headerTimeoutMs: durationMs(nginx.http.client_header_timeout),
        keepAliveTimeoutMs: durationMs(nginx.http.keepalive_timeout),
        bodyTimeoutMs: durationMs(nginx.http.client_body_timeout),
        sendTimeoutMs: durationMs(nginx.http.send_timeout),
      },
      counters,
      now: clock.now,
      preciseNow,
      date: createDateText(),
      handle,
      isDraining: () => isDraining,
    },
  });
  // Of several processes the first one serves streams: one client's datagrams belong together.
  const { stream_proxy: streamPorts } = apisix;
  const streams = await openStreamListeners({
    tcp: options.administers ? streamPorts.tcp : [],
    udp: options.administers ? streamPorts.udp : [],
    certificates,
    tlsOptions,
    trusted: parseIpRanges(nginx.stream.real_ip_from),
    sessions: {
      routes: createStreamRoutes({ store, plugins, upstreams }),
      counters: streamCounters,
      now,
      destination,
      report: passive,
      logged: streamLog.write,
      warn,
    },
  });
  const timers = [
    setInterval(() => {
      // What is set by the last round's time is also held against it: nothing ends early.
      const nowMs = clock.now();
      clock.tick();
      pool.sweep(nowMs);
      sessions.sweep(nowMs);
      listeners.sweep(nowMs);
    }, SWEEP_MS),
    setInterval(() => prober.tick(), PROBE_MS),
    setInterval(secrets.tick, SECRETS_MS),
  ];

  /** Asked for each request, so made once for each configuration. */
  function inlineKey(given: object, name: string): string {
    const known = inlineKeys.get(given) ?? `${name} ${JSON.stringify(given)}`;
    inlineKeys.set(given, known);
    return known;
  }

  function explain({ method, host, uri }: ExplainAsk): unknown {
    const context = makeContext({ method, host, target: uri });
    if (!locate(context, places)) return { error_msg: `bad uri: ${uri}` };
    const candidates = catalogue.explain(context);
    const winner = candidates.find(({ rejection }) => rejection === undefined);
    return { matched: winner?.id ?? null, candidates };
  }

  const report = openProcessReport({
    hub,
    upstreams: upstreams.all,
    counters: () => ({ ...counters }),
  });
  const ownPorts = await openPluginListeners(options.administers ? plugins.listeners : [], warn);
  const admin = await openAdmin();
  const control = await openControl();

  async function openAdmin() {
    const isWanted = options.administers && apisix.enable_admin && !isStandalone;
    if (!isWanted || deployment.role === 'data_plane') return undefined;
    const given = (deployment.admin.admin_key ?? []).filter(({ key }) => key !== '');
    const needsKey = given.length === 0 && deployment.admin.admin_key_required;
    const own = needsKey ? ownAdminKey(options.dataFolder) : undefined;
    const api = createAdminApi({
      store,
      validator,
      plugins: enabled,
      attributes,
      hasStreams: apisix.proxy_mode !== 'http',
      nowS: () => Math.floor(now() / 1_000),
      seal: rules.seal,
    });
    const server = createAdminServer({
      keys: own === undefined ? given : [{ key: own.key, role: 'admin' }],
      isKeyRequired: deployment.admin.admin_key_required,
      allowed: deployment.admin.allow_admin,
      hasCors: deployment.admin.enable_admin_cors,
      version: deployment.admin.admin_api_version === 'v3' ? 'v3' : 'v2',
      prefix: store.prefix,
      serverToken,
      async answer(request): Promise<AdminAnswer> {
        const answer = await api(request);
        // What was answered is in force.
        if (request.method !== 'GET') await options.settled?.();
        return answer;
      },
    });
    const { admin_listen: listen } = deployment.admin;
    const port = await listenOn(server, listen);
    const newKey = own?.isNew === true ? { key: own.key, path: own.path } : undefined;
    return { server, url: urlOf(listen, port), newKey };
  }

  async function openControl() {
    if (!options.administers || !apisix.enable_control) return undefined;
    const server = createControlServer({
      store,
      plugins: enabled,
      report,
      explain,
    });
    const port = await listenOn(server, apisix.control);
    return { server, url: urlOf(apisix.control, port) };
  }

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    isDraining = true;
    await Promise.all([listeners.close(GRACE_MS), streams.close(GRACE_MS)]);
    for (const timer of timers) clearInterval(timer);
    prober.close();
    pool.close();
    sessions.close();
    native?.close();
    for (const one of [admin, control]) {
      one?.server.closeAllConnections();
      one?.server.close();
    }
    ownPorts.close();
    await plugins.close();
    await Promise.all([accessLog.close(), streamLog.close()]);
  }

  return {
    proxies: listeners.bound.map((one) => proxyUrl(one, one.isTls)),
    adminUrl: admin?.url,
    controlUrl: control?.url,
    pluginUrls: ownPorts.urls,
    streams: streams.urls,
    newKey: admin?.newKey,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function urlOf({ ip }: Listen, port: number): string {
  return `http://${ip}:${port}`;
}
