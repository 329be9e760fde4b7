import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { configuredNodes } from '../core/node-source.ts';
import type { UpstreamObject } from '../core/objects.ts';
import { OWN_SERVER } from '../core/own-server.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { DEFAULT_PREFIX, type Store, type StoredObject } from '../store/store.ts';
import { KINDS, singular } from './kinds.ts';
import type { ProcessReport, UpstreamHealth } from './process-report.ts';
import { described } from './schema-api.ts';
import { SCHEMAS } from './schemas.ts';

export interface ControlParts {
  readonly store: Store;
  readonly plugins: readonly Plugin[];
  readonly report: ProcessReport;
  /** Which routes a request like this one is compared with, and why each does not match. */
  explain(ask: ExplainAsk): unknown;
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

const MISSING: ControlAnswer = { status: 404, body: { error_msg: 'not found' } };

/** The control API: what runs here, read by the person beside the machine. No key: loopback only. */
export function createControlServer(parts: ControlParts): Server {
  return createServer(OWN_SERVER, (request, response) => {
    request.resume();
    void serve(parts, request, response);
  });
}

async function serve(
  parts: ControlParts,
  { method = 'GET', url: target = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(target, 'http://control');
  const segments = url.pathname.split('/').filter((segment) => segment !== '');
  const answered =
    segments[0] === 'v1'
      ? await answer(parts, method, segments.slice(1), url.searchParams)
      : MISSING;
  reply(response, answered);
}

async function answer(
  parts: ControlParts,
  method: string,
  [what = '', id, third]: readonly string[],
  query: URLSearchParams,
): Promise<ControlAnswer> {
  if (method === 'PUT' && what === 'plugins' && id === 'reload')
    return { status: 200, body: 'done' };
  if (method === 'POST' && what === 'gc') return { status: 200, body: {} };
  if (method !== 'GET') return MISSING;
  switch (what) {
    case 'schema':
      return { status: 200, body: schemas(parts.plugins) };
    case 'healthcheck':
      return healthAnswer(parts, await parts.report.health(), id, third);
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
      return stored === undefined ? MISSING : { status: 200, body: stored.value };
    }
    case 'counters':
      return { status: 200, body: await parts.report.counters() };
    case 'debug':
      return id === 'match' ? { status: 200, body: parts.explain(askOf(query)) } : MISSING;
    default:
      return MISSING;
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
  if (stored === undefined) return MISSING;
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
  const each = (served: readonly Plugin[]): Readonly<Record<string, unknown>> =>
    Object.fromEntries(served.map((plugin) => [plugin.name, described(plugin)]));
  return {
    main: Object.fromEntries(main),
    plugins: each(plugins.filter(({ subsystems }) => subsystems.includes('http'))),
    stream_plugins: each(plugins.filter(({ subsystems }) => subsystems.includes('stream'))),
  };
}

function healthAnswer(
  { store }: ControlParts,
  all: readonly UpstreamHealth[],
  kind: string | undefined,
  id: string | undefined,
): ControlAnswer {
  if (kind === undefined) return { status: 200, body: all };
  if (!['routes', 'services', 'upstreams', 'stream_routes'].includes(kind)) {
    return { status: 400, body: { error_msg: `invalid src type ${kind}` } };
  }
  if (store.get(`/${kind}/${id}`) === undefined) {
    return { status: 404, body: { error_msg: `${kind}[${id}] not found` } };
  }
  const found = all.find(({ name }) => name === `${DEFAULT_PREFIX}/${kind}/${id}`);
  if (found === undefined) {
    return { status: 404, body: { error_msg: `no checker for ${kind}[${id}]` } };
  }
  return { status: 200, body: found };
}

function reply(response: ServerResponse, { status, body }: ControlAnswer): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
}
