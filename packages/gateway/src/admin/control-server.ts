import { createServer, type Server, type ServerResponse } from 'node:http';
import { configuredNodes } from '../core/node-source.ts';
import type { UpstreamObject } from '../core/objects.ts';
import type { Upstream } from '../core/upstream.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { DEFAULT_PREFIX, type Store, type StoredObject } from '../store/store.ts';
import { KINDS, singular } from './kinds.ts';
import { described } from './schema-api.ts';
import { SCHEMAS } from './schemas.ts';

export interface ControlParts {
  readonly store: Store;
  readonly plugins: readonly Plugin[];
  upstreams(): readonly Upstream[];
  /** Which routes a request like this one is compared with, and why each does not match. */
  explain(ask: ExplainAsk): unknown;
  counters(): Readonly<Record<string, number>>;
}

export interface ExplainAsk {
  readonly method: string;
  readonly host: string;
  readonly uri: string;
}

interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The control API: what runs here, read by the person beside the machine. No key: loopback only. */
export function createControlServer(parts: ControlParts): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://control');
    const segments = url.pathname.split('/').filter((segment) => segment !== '');
    request.resume();
    if (segments[0] !== 'v1') {
      reply(response, { status: 404, body: { error_msg: 'not found' } });
      return;
    }
    reply(response, answer(parts, request.method ?? 'GET', segments.slice(1), url.searchParams));
  });
}

function answer(
  parts: ControlParts,
  method: string,
  [what = '', id, third]: readonly string[],
  query: URLSearchParams,
): ControlAnswer {
  const missing = { status: 404, body: { error_msg: 'not found' } };
  if (method === 'PUT' && what === 'plugins' && id === 'reload')
    return { status: 200, body: 'done' };
  if (method === 'POST' && what === 'gc') return { status: 200, body: {} };
  if (method !== 'GET') return missing;
  switch (what) {
    case 'schema':
      return { status: 200, body: schemas(parts.plugins) };
    case 'healthcheck':
      return id === undefined ? allHealth(parts) : oneHealth(parts, id, third);
    case 'routes':
    case 'services':
    case 'upstreams':
      return {
        status: 200,
        body: parts.store.list(`/${what}/`).map((one) => effective(parts.store, one)),
      };
    case 'route':
    case 'service':
    case 'upstream':
      return one(parts.store, parts.store.get(`/${what}s/${id}`));
    case 'plugin_metadatas':
      return { status: 200, body: parts.store.list('/plugin_metadata/').map(({ value }) => value) };
    case 'plugin_metadata': {
      const stored = parts.store.get(`/plugin_metadata/${id}`);
      return stored === undefined ? missing : { status: 200, body: stored.value };
    }
    case 'counters':
      return { status: 200, body: parts.counters() };
    case 'debug':
      return id === 'match' ? { status: 200, body: parts.explain(askOf(query)) } : missing;
    default:
      return missing;
  }
}

function askOf(query: URLSearchParams): ExplainAsk {
  return {
    method: query.get('method') ?? 'GET',
    host: query.get('host') ?? '',
    uri: query.get('uri') ?? '/',
  };
}

function one(store: Store, stored: StoredObject | undefined): ControlAnswer {
  if (stored === undefined) return { status: 404, body: { error_msg: 'not found' } };
  return { status: 200, body: effective(store, stored) };
}

/** With defaults, and nodes as a list. */
function effective({ prefix }: Store, stored: StoredObject): Readonly<Record<string, unknown>> {
  const { key, value, createdIndex, modifiedIndex } = stored;
  const isUpstream = key.startsWith('/upstreams/');
  const own = isUpstream ? withNodeList(value) : value;
  const upstream = value['upstream'];
  const inner =
    typeof upstream === 'object' && upstream !== null ? { upstream: withNodeList(upstream) } : {};
  return { key: prefix + key, value: { ...own, ...inner }, createdIndex, modifiedIndex };
}

function withNodeList(upstream: object): Readonly<Record<string, unknown>> {
  const object: UpstreamObject = upstream;
  const defaults = { type: 'roundrobin', scheme: 'http', pass_host: 'pass', hash_on: 'vars' };
  return { ...defaults, ...object, nodes: configuredNodes(object) };
}

function schemas(plugins: readonly Plugin[]): Readonly<Record<string, unknown>> {
  const main = KINDS.flatMap(({ path }) => {
    const schema = SCHEMAS[path];
    return schema === undefined ? [] : [[singular(path), schema]];
  });
  const each = plugins.map((plugin) => [plugin.name, described(plugin)]);
  return { main: Object.fromEntries(main), plugins: Object.fromEntries(each), stream_plugins: {} };
}

function allHealth({ upstreams }: ControlParts): ControlAnswer {
  const checked = upstreams().filter(({ health }) => health !== undefined);
  return { status: 200, body: checked.map(healthOf) };
}

function oneHealth(parts: ControlParts, kind: string, id: string | undefined): ControlAnswer {
  if (!['routes', 'services', 'upstreams', 'stream_routes'].includes(kind)) {
    return { status: 400, body: { error_msg: `invalid src type ${kind}` } };
  }
  if (parts.store.get(`/${kind}/${id}`) === undefined) {
    return { status: 404, body: { error_msg: `${kind}[${id}] not found` } };
  }
  const found = parts.upstreams().find(({ name }) => name === `${DEFAULT_PREFIX}/${kind}/${id}`);
  if (found?.health === undefined) {
    return { status: 404, body: { error_msg: `no checker for ${kind}[${id}]` } };
  }
  return { status: 200, body: healthOf(found) };
}

function healthOf({ name, health, nodes, object }: Upstream): Readonly<Record<string, unknown>> {
  const checks = object.checks as { readonly active?: { readonly type?: string } } | undefined;
  return {
    name,
    type: checks?.active?.type ?? 'http',
    nodes: nodes().map((node) => {
      const known = health?.of(node);
      return {
        ip: node.address,
        port: node.port,
        hostname: node.host,
        status: known?.state ?? 'healthy',
        counter: known?.counters ?? {},
        ...(known?.reason === undefined ? {} : { reason: known.reason }),
      };
    }),
  };
}

function reply(response: ServerResponse, { status, body }: ControlAnswer): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
}
