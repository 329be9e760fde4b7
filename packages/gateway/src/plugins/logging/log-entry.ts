import { REDACTED } from '@thalweg/wire';
import type { HeaderFields } from '../../core/http/header-fields.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { resolveTemplate } from '../../core/template.ts';
import type { GatewayFacts } from '../plugin.ts';

export type LogEntry = Readonly<Record<string, unknown>>;

/** The bodies that were asked for; undefined is not logged. */
export interface LoggedBodies {
  readonly request: string | undefined;
  readonly response: string | undefined;
}

/** Nesting of `log_format`; what lies deeper is left out. Source: APISIX. */
const DEPTH_MAX = 5;
/** Variables that are numbers in a log, as APISIX writes them. */
const NUMERIC: ReadonlySet<string> = new Set([
  'status',
  'request_time',
  'request_length',
  'bytes_sent',
  'body_bytes_sent',
  'upstream_response_time',
]);
/** Fields whose values open doors: a log shows only that they were there. */
const SECRET: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'apikey',
  'x-api-key',
]);

/** `log_format`: values that begin with `$` are variables; those without value are left out. */
export function formattedEntry(context: RequestContext, format: LogEntry): LogEntry {
  return {
    ...formatted(context, format, 1),
    route_id: context.route?.id ?? 'no-matched',
    ...(context.route?.serviceId === undefined ? {} : { service_id: context.route.serviceId }),
  };
}

export function formatted(context: RequestContext, format: LogEntry, depth: number): LogEntry {
  const entry: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(format)) {
    const shown = formattedValue(context, value, depth);
    if (shown !== undefined) entry[key] = shown;
  }
  return entry;
}

function formattedValue(context: RequestContext, value: unknown, depth: number): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    // Checked edge: JSON objects have text keys.
    return depth >= DEPTH_MAX ? undefined : formatted(context, value as LogEntry, depth + 1);
  }
  if (typeof value !== 'string' || !value.includes('$')) return value;
  const name = /^\$(\w+)$/.exec(value)?.[1];
  if (name === undefined) return resolveTemplate(context, value).text;
  const found = context.variable(name);
  if (found === undefined || found === '') return undefined;
  const number = NUMERIC.has(name) ? Number(found) : Number.NaN;
  return Number.isNaN(number) ? found : number;
}

/** The entry that is written when no format is given. Times in ms. */
export function fullEntry(
  context: RequestContext,
  facts: GatewayFacts,
  bodies: LoggedBodies,
): LogEntry {
  const { route, response, peer, head, consumer } = context;
  const port = peer.localPort;
  const scheme = peer.isTls ? 'https' : 'http';
  return {
    request: {
      url: `${scheme}://${context.host}:${port}${head.target}`,
      uri: head.target,
      method: head.method,
      headers: fieldsObject(context.headers),
      querystring: argumentsObject(context),
      size: context.receivedBytes,
      ...(bodies.request === undefined ? {} : { body: bodies.request }),
    },
    response: {
      status: response?.status ?? 0,
      headers: response === undefined ? {} : fieldsObject(response.fields),
      size: context.sentBytes,
      ...(bodies.response === undefined ? {} : { body: bodies.response }),
    },
    server: { hostname: facts.hostname, version: facts.version },
    upstream: context.variable('upstream_addr'),
    service_id: route?.serviceId ?? '',
    route_id: route?.id ?? 'no-matched',
    ...(consumer === undefined ? {} : { consumer: { username: consumer.username } }),
    client_ip: context.clientIp,
    start_time: Math.floor(context.startMs),
    ...latencies(context),
  };
}

function latencies({ startMs, endMs, tries }: RequestContext): LogEntry {
  const latency = endMs - startMs;
  if (tries.length === 0) return { latency, apisix_latency: latency };
  const upstream = tries.reduce((sum, one) => sum + ((one.endMs || endMs) - one.startMs), 0);
  return {
    latency,
    upstream_latency: upstream,
    apisix_latency: Math.max(0, latency - upstream),
  };
}

function fieldsObject({ list }: HeaderFields): LogEntry {
  const object: Record<string, string | string[]> = {};
  for (const one of list) {
    const { key } = one.name;
    const value = SECRET.has(key) ? REDACTED : one.value;
    const known = object[key];
    object[key] = known === undefined ? value : [...[known].flat(), value];
  }
  return object;
}

function argumentsObject(context: RequestContext): LogEntry {
  const object: Record<string, string | string[]> = {};
  for (const [key, value] of context.arguments()) {
    const known = Object.hasOwn(object, key) ? object[key] : undefined;
    object[key] = known === undefined ? value : [...[known].flat(), value];
  }
  return object;
}
