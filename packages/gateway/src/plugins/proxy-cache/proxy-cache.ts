import type { Answer } from '../../core/answer.ts';
import { errorPage } from '../../core/answer.ts';
import type { HeaderFields } from '../../core/http/header-fields.ts';
import type { PluginConf } from '../../core/objects.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { resolveTemplate } from '../../core/template.ts';
import { definePlugin, type Outcome, type PluginEnvironment } from '../plugin.ts';
import { RESPONSE_BODY_BYTES } from '../response-body-bytes.ts';
import { readDirectives, secondsOf } from './cache-control.ts';
import { type CachedAnswer, createMemoryCache, type MemoryCache } from './memory-cache.ts';

interface ProxyCache {
  readonly cache_strategy: 'disk' | 'memory';
  readonly cache_zone: string;
  readonly cache_key: readonly string[];
  readonly cache_bypass?: readonly string[];
  readonly no_cache?: readonly string[];
  readonly cache_method: readonly string[];
  readonly cache_http_status: readonly number[];
  readonly hide_cache_headers: boolean;
  readonly cache_control: boolean;
  /** Seconds. */
  readonly cache_ttl: number;
  readonly consumer_isolation: boolean;
  readonly cache_set_cookie: boolean;
  readonly max_resp_body_size: number;
}

type CacheStatus = 'HIT' | 'MISS' | 'EXPIRED' | 'STALE' | 'BYPASS';

/** What was decided for one request; `key` only where the answer may be kept. */
interface Decision {
  readonly status: CacheStatus;
  readonly key: string | undefined;
  /** Set when the head has come and the body is being kept. */
  keeping: { readonly fields: CachedAnswer['fields']; readonly ttlMs: number } | undefined;
  readonly pieces: Buffer[];
  size: number;
}

/** Of a zone: the default of APISIX's `memory_size`. */
const ZONE_BYTES = 50 << 20;
const OWN_ZONES: readonly PluginConf[] = [
  { name: 'disk_cache_one', disk_path: '/tmp/disk_cache_one' },
  { name: 'memory_cache' },
];
const NAMES = {
  type: 'array',
  items: { type: 'string', pattern: '(^[^\\$].+$|^\\$[0-9a-zA-Z_]+$)' },
} as const;
/** Fields that belong to one connection or are written anew for each answer. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'apisix-cache-status',
  'age',
]);

/** Keeps answers in memory and gives them again. */
export const proxyCache = definePlugin<ProxyCache>({
  name: 'proxy-cache',
  priority: 1085,
  summary: 'Keeps answers in memory and gives them again.',
  schema: {
    type: 'object',
    properties: {
      cache_strategy: { type: 'string', enum: ['disk', 'memory'], default: 'disk' },
      cache_zone: { type: 'string', minLength: 1, maxLength: 100, default: 'disk_cache_one' },
      cache_key: { ...NAMES, minItems: 1, default: ['$host', '$request_uri'] },
      cache_bypass: { ...NAMES, minItems: 1 },
      no_cache: { ...NAMES, minItems: 1 },
      cache_method: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { type: 'string', enum: ['GET', 'POST', 'HEAD'] },
        default: ['GET', 'HEAD'],
      },
      cache_http_status: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { type: 'integer', minimum: 200, maximum: 599 },
        default: [200, 301, 404],
      },
      hide_cache_headers: { type: 'boolean', default: false },
      cache_control: { type: 'boolean', default: false },
      cache_ttl: { type: 'integer', minimum: 1, default: 300 },
      consumer_isolation: { type: 'boolean', default: true },
      cache_set_cookie: { type: 'boolean', default: false },
      max_resp_body_size: RESPONSE_BODY_BYTES,
    },
  },
  check({ cache_strategy, cache_zone }, { attributes }) {
    const zone = zonesOf(attributes).find(({ name }) => name === cache_zone);
    if (zone === undefined) return `cache_zone ${cache_zone} not found`;
    const hasDisk = zone['disk_path'] !== undefined;
    if (hasDisk === (cache_strategy === 'disk')) return undefined;
    return `invalid or empty cache_zone for cache_strategy: ${cache_strategy}`;
  },
  respond(question, environment) {
    const { zone, keys } = question as Purge;
    const cache = cacheOf(zone, environment);
    return keys.map((key) => cache.purge(key)).includes(true);
  },
  create(conf, environment) {
    const cache = cacheOf(conf.cache_zone, environment);
    const decided = Symbol('decision');
    return {
      access(context) {
        if (context.head.method === 'PURGE') return purge(context, conf, environment);
        const { status, key, answer, outcome } = decide(context, conf, cache, environment.now());
        const decision: Decision = { status, key, keeping: undefined, pieces: [], size: 0 };
        context.setSlot(decided, decision);
        return answer === undefined ? outcome : hit(answer, environment.now());
      },
      header_filter(context) {
        const decision = context.slot<Decision>(decided);
        const { response } = context;
        if (decision === undefined || response === undefined) return;
        if (decision.status !== 'HIT') keepHead(context, conf, decision, environment.now());
        if (conf.hide_cache_headers) {
          for (const name of ['cache-control', 'expires']) response.fields.remove(name);
        }
        response.fields.set('Apisix-Cache-Status', decision.status);
      },
      body_filter(context, bytes, isLast) {
        const decision = context.slot<Decision>(decided);
        if (decision?.keeping === undefined) return bytes;
        decision.size += bytes.length;
        if (decision.size > conf.max_resp_body_size) decision.keeping = undefined;
        else if (bytes.length > 0) decision.pieces.push(bytes);
        if (isLast) keep(context, cache, decision, environment.now());
        return bytes;
      },
    };
  },
});

/** Those of config.yaml, and the two that APISIX has by itself. */
function zonesOf({ zones }: PluginConf): readonly PluginConf[] {
  return [...(Array.isArray(zones) ? (zones as readonly PluginConf[]) : []), ...OWN_ZONES];
}

/** All configurations of one zone share its memory. */
function cacheOf(zone: string, environment: PluginEnvironment): MemoryCache {
  const caches = environment.lasting(() => new Map<string, MemoryCache>());
  const known = caches.get(zone);
  if (known !== undefined) return known;
  const found = zonesOf(environment.attributes).find(({ name }) => name === zone);
  const made = createMemoryCache({ bytesMax: bytesOf(found?.['memory_size']) });
  caches.set(zone, made);
  return made;
}

/** `50m`, as nginx writes sizes. */
function bytesOf(size: unknown): number {
  const found = typeof size === 'string' ? /^(\d+)([kmg]?)$/i.exec(size) : null;
  if (found === null) return ZONE_BYTES;
  const unit = { '': 0, k: 10, m: 20, g: 30 }[found[2]?.toLowerCase() ?? ''] ?? 0;
  return Math.max(1, Number(found[1]) * 2 ** unit);
}

/** What every process of the gateway forgets. */
interface Purge {
  readonly zone: string;
  readonly keys: readonly string[];
}

function purge(
  context: RequestContext,
  conf: ProxyCache,
  environment: PluginEnvironment,
): Outcome | Promise<Outcome> {
  const keys = ['GET', 'POST'].map((method) => keyOf(context, conf, method));
  const asked: Purge = { zone: conf.cache_zone, keys };
  const outcome = (purged: readonly unknown[]): Outcome => ({
    ...errorPage(purged.includes(true) ? 200 : 404),
    source: 'apisix',
  });
  const purged = environment.askAll(asked);
  return purged instanceof Promise ? purged.then(outcome) : outcome(purged);
}

/** Methods, host and URI in one key that no other can be spelled as. HEAD is answered from GET. */
function keyOf(context: RequestContext, conf: ProxyCache, method: string): string {
  const parts = conf.cache_key.map((part) => resolveTemplate(context, part).text);
  const owner = conf.consumer_isolation ? (context.consumer?.username ?? '') : '';
  return JSON.stringify([method === 'HEAD' ? 'GET' : method, owner, ...parts]);
}

interface Decided {
  readonly status: CacheStatus;
  readonly key?: string;
  readonly answer?: CachedAnswer;
  readonly outcome?: Outcome;
}

function decide(
  context: RequestContext,
  conf: ProxyCache,
  cache: MemoryCache,
  nowMs: number,
): Decided {
  const { method } = context.head;
  if (!conf.cache_method.includes(method)) return { status: 'MISS' };
  if (hasValue(context, conf.cache_bypass)) return { status: 'BYPASS' };
  const asked = readDirectives(
    conf.cache_control ? context.headers.joined('cache-control') : undefined,
  );
  if (asked.has('no-store') || asked.has('no-cache')) return { status: 'BYPASS' };
  const key = keyOf(context, conf, method);
  const answer = cache.find(key, (name) => context.headers.joined(name));
  // What is answered to HEAD has no body that GET could be given.
  const own = method === 'HEAD' ? {} : { key };
  if (answer === undefined) {
    const isOnly = asked.has('only-if-cached');
    return isOnly
      ? { status: 'MISS', outcome: { ...errorPage(504), source: 'apisix' } }
      : { status: 'MISS', ...own };
  }
  const ageMs = nowMs - answer.storedMs;
  if (ageMs > answer.ttlMs) return { status: 'EXPIRED', ...own };
  const maxAge = secondsOf(asked, 'max-age');
  const minFresh = secondsOf(asked, 'min-fresh');
  const isTooOld = maxAge !== undefined && ageMs > maxAge * 1_000;
  const isTooShort = minFresh !== undefined && answer.ttlMs - ageMs < minFresh * 1_000;
  if (isTooOld || isTooShort) return { status: 'STALE', ...own };
  return { status: 'HIT', answer };
}

function hit({ status, fields, body, storedMs }: CachedAnswer, nowMs: number): Answer {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of fields) headers[name] = [...(headers[name] ?? []), value];
  headers['Age'] = [String(Math.floor((nowMs - storedMs) / 1_000))];
  return { status, headers, body };
}

function hasValue(context: RequestContext, templates: readonly string[] = []): boolean {
  return templates.some((template) => {
    const { text } = resolveTemplate(context, template);
    return text !== '' && text !== '0';
  });
}

/** Begins to keep an answer of the upstream, if it may be kept. */
function keepHead(
  context: RequestContext,
  conf: ProxyCache,
  decision: Decision,
  nowMs: number,
): void {
  const { response } = context;
  if (response === undefined || decision.key === undefined || response.source !== 'upstream')
    return;
  const { fields, status } = response;
  if (!conf.cache_http_status.includes(status) || hasValue(context, conf.no_cache)) return;
  const said = readDirectives(fields.joined('cache-control'));
  if (['private', 'no-store', 'no-cache'].some((name) => said.has(name))) return;
  if (fields.has('set-cookie') && !conf.cache_set_cookie) return;
  if (varyOf(fields).includes('*')) return;
  const ttlMs = conf.cache_control ? ttlOf(fields, nowMs) : undefined;
  if (ttlMs !== undefined && ttlMs <= 0) return;
  const kept = fields.list.flatMap(({ name, spelling, value }) =>
    NOT_KEPT.has(name.key) ? [] : [[spelling, value] as const],
  );
  decision.keeping = { fields: kept, ttlMs: ttlMs ?? conf.cache_ttl * 1_000 };
}

function varyOf(fields: HeaderFields): readonly string[] {
  return (fields.joined('vary') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** What the upstream allows; undefined when it says nothing. Source: RFC 9111 §4.2.1. */
function ttlOf(fields: HeaderFields, nowMs: number): number | undefined {
  const said = readDirectives(fields.joined('cache-control'));
  const seconds = secondsOf(said, 's-maxage') ?? secondsOf(said, 'max-age');
  if (seconds !== undefined) return seconds * 1_000;
  const expires = fields.get('expires');
  if (expires === undefined) return undefined;
  const untilMs = Date.parse(expires);
  return Number.isNaN(untilMs) ? 0 : untilMs - nowMs;
}

function keep(
  context: RequestContext,
  cache: MemoryCache,
  decision: Decision,
  nowMs: number,
): void {
  const { key, keeping } = decision;
  const { response } = context;
  if (key === undefined || keeping === undefined || response === undefined) return;
  // One buffer of its own: pieces of the socket's would hold more memory than they count for.
  const body = Buffer.concat(decision.pieces);
  const { status } = response;
  const { fields, ttlMs } = keeping;
  const answer = { status, fields, body, storedMs: nowMs, ttlMs };
  cache.store(key, varyOf(response.fields), (name) => context.headers.joined(name), answer);
}
