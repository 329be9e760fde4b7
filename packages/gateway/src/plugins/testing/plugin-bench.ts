import { createValidator } from '../../admin/validator.ts';
import { createBatchBook } from '../../core/batch-book.ts';
import { HeaderFields } from '../../core/http/header-fields.ts';
import { locate } from '../../core/locate.ts';
import { makeContext } from '../../core/make-context.ts';
import type { PluginConf } from '../../core/objects.ts';
import { createOwnLog } from '../../core/own-log.ts';
import type { MatchedRoute, RequestContext, ResponseState } from '../../core/request-context.ts';
import { createSoloHub } from '../../workers/hub.ts';
import type { Handlers, Plugin, PluginEnvironment } from '../plugin.ts';

/** A plugin on the bench: its handlers, made as the gateway makes them, and what it has said. */
export interface BenchedPlugin {
  readonly handlers: Handlers;
  readonly environment: PluginEnvironment;
  readonly warnings: readonly string[];
}

/** Makes `plugin` of a configuration with its defaults filled in; parts can be given. */
export function onBench(
  plugin: Plugin,
  conf: PluginConf,
  given: Partial<PluginEnvironment> = {},
): BenchedPlugin {
  const warnings: string[] = [];
  const states = new Map<string, unknown>();
  const hub = createSoloHub();
  const environment: PluginEnvironment = {
    origin: { kind: 'routes', id: 'r1' },
    metadata: () => undefined,
    settings: () => undefined,
    attributes: {},
    consumers: { byName: () => undefined, find: () => undefined },
    now: Date.now,
    upstream: () => undefined,
    plugin: (name) => `unknown plugin [${name}]`,
    publicApi: () => undefined,
    proto: () => undefined,
    shared: (key, make) => state(key, make),
    lasting: (make) => state('', make),
    common: hub.common,
    process: hub.process,
    askAll: (question) => [plugin.respond(question, environment)],
    batches: createBatchBook(),
    ownLog: createOwnLog(() => undefined, Date.now),
    facts: {
      id: 'gateway-id',
      hostname: 'gw-1',
      version: '3.18.0',
      httpsPorts: [],
      requestsTotal: () => 7,
      connections: () => ({
        active: 3,
        accepted: 5,
        handled: 5,
        reading: 0,
        writing: 1,
        waiting: 2,
      }),
      streams: () => ({ totals: new Map([['s1', 2]]), active: new Map(), dropped: 0 }),
      modifyIndexes: () => ({ routes: 4 }),
      isStoreReachable: () => true,
      upstreamStates: () => [],
    },
    warn: (message) => warnings.push(message),
    ...given,
  };

  function state<State>(key: string, make: () => State): State {
    if (!states.has(key)) states.set(key, make());
    // Checked edge: the plugin that asks for the key has made it.
    return states.get(key) as State;
  }

  const filled = createValidator().filled(plugin.schema, conf);
  return { handlers: plugin.create(filled, environment), environment, warnings };
}

export interface BenchRequest {
  readonly method?: string;
  readonly host?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly route?: Partial<MatchedRoute>;
}

/** A request as it stands after matching; nobody sent it. */
export function request({
  method = 'GET',
  host = 'api.test',
  target = '/orders/1?a=b',
  headers = {},
  route,
}: BenchRequest = {}): RequestContext {
  const context = makeContext({ method, host, target });
  for (const [name, value] of Object.entries(headers)) context.headers.add(name, value);
  locate(context, {
    deletesTailSlash: false,
    isServletLike: false,
    keepsEncodedSlash: false,
    trusted: undefined,
    realIp: { from: undefined, field: 'x-real-ip', isRecursive: false },
  });
  if (route !== undefined) {
    context.route = {
      id: 'r1',
      uri: '/orders/*',
      host: '',
      object: {},
      serviceId: undefined,
      service: undefined,
      ...route,
    };
  }
  return context;
}

/** Gives the request an answer, as the pipeline does before `header_filter`. */
export function answered(
  context: RequestContext,
  status: number,
  source: ResponseState['source'] = 'upstream',
  headers: Readonly<Record<string, string>> = {},
): RequestContext {
  const fields = new HeaderFields();
  for (const [name, value] of Object.entries(headers)) fields.add(name, value);
  context.response = { status, fields, source };
  return context;
}

/** One finished try at a node on loopback. */
export function tryAt(context: RequestContext, port: number, status: number, elapsedMs = 4): void {
  const startMs = context.startMs + 1;
  context.tries.push({
    node: {
      host: '127.0.0.1',
      address: '127.0.0.1',
      port,
      weight: 1,
      priority: 0,
      key: `127.0.0.1:${port}`,
    },
    startMs,
    status,
    connectedMs: startMs,
    headerMs: startMs + 1,
    endMs: startMs + elapsedMs,
  });
}
