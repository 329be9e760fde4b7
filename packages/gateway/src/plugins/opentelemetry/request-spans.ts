import type { AttributeValue, SpanToWrite } from '@thalweg/wire';
import type { PhaseTime, RequestContext } from '../../core/request-context.ts';
import type { UpstreamTry } from '../../core/upstream.ts';
import { hostFor } from '../../core/upstream-request.ts';
import { newSpanId } from '../trace-ids.ts';

/** What is known of a request's trace from its first phase on. */
export interface TraceState {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly isSampled: boolean;
  /** Ids of the CLIENT spans, by the index of the try. */
  readonly clientIds: string[];
}

/** Attributes that a configuration asks for. */
export interface WantedAttributes {
  /** Variables without `$`; `name=value` is a fixed attribute. */
  readonly variables: readonly string[];
  /** Names of request headers in lower case; `*` at the end stands for the rest. */
  readonly headers: readonly string[];
}

const KIND_INTERNAL = 1;
const KIND_SERVER = 2;
const KIND_CLIENT = 3;

/** The SERVER span, with APISIX's attributes: the older and the current conventions. */
export function serverSpan(
  context: RequestContext,
  trace: TraceState,
  wanted: WantedAttributes,
): SpanToWrite {
  const { route, method, response } = context;
  const attributes: [string, AttributeValue][] = [];
  const add = (name: string, value: AttributeValue | undefined): void => {
    if (value !== undefined) attributes.push([name, value]);
  };
  const scheme = context.peer.isTls ? 'https' : 'http';
  const userAgent = utf8(context.headers.get('user-agent'));
  const originalMethod = context.head.method;
  add('net.host.name', context.host);
  add('http.method', originalMethod);
  add('http.scheme', scheme);
  add('http.target', context.path + queryOf(context.head.target));
  add('http.user_agent', userAgent);
  add('http.request.method', originalMethod);
  add('url.scheme', scheme);
  add('url.path', context.path);
  add('user_agent.original', userAgent);
  if (route !== undefined) {
    add('apisix.route_id', route.id);
    add('apisix.route_name', route.object.name);
    add('http.route', route.uri);
    add('apisix.service_id', route.serviceId);
    add('apisix.service_name', route.service?.name);
  }
  const status = response?.status;
  add('apisix.response_source', response?.source);
  add('http.status_code', status);
  add('http.response.status_code', status);
  addWanted(context, wanted, attributes);
  const isError = status !== undefined && status >= 500;
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    traceState: trace.traceState,
    name: route === undefined ? method : `${originalMethod} ${route.uri}`,
    kind: KIND_SERVER,
    startMs: context.startMs,
    endMs: context.endMs,
    attributes,
    error: isError ? `${response?.source ?? 'nginx'} error: ${status}` : '',
  };
}

function addWanted(
  context: RequestContext,
  { variables, headers }: WantedAttributes,
  attributes: [string, AttributeValue][],
): void {
  for (const name of variables) {
    const at = name.indexOf('=');
    const value = at > 0 ? name.slice(at + 1) : utf8(context.variable(name));
    if (value !== undefined) attributes.push([at > 0 ? name.slice(0, at) : name, value]);
  }
  if (headers.length === 0) return;
  const added = new Set<string>();
  for (const key of context.headers.keys) {
    if (added.has(key) || !headers.some((pattern) => matches(pattern, key))) continue;
    added.add(key);
    attributes.push([key, utf8(context.headers.joined(key)) ?? '']);
  }
}

function matches(pattern: string, key: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}

/** The CLIENT span of one try. Source: OpenTelemetry semantic conventions, HTTP client spans. */
export function clientSpan(
  context: RequestContext,
  trace: TraceState,
  made: UpstreamTry,
  index: number,
): SpanToWrite {
  const { node, status } = made;
  const { upstream } = context;
  const scheme = context.upstreamScheme ?? upstream?.object.scheme ?? 'http';
  const host = upstream === undefined ? node.key : hostFor(context, upstream, node);
  const hasAnswered = made.headerMs > 0;
  const attributes: [string, AttributeValue][] = [
    ['http.request.method', context.method],
    ['url.full', `${scheme}://${host}${context.upstreamUri ?? context.head.target}`],
    ['server.address', node.host],
    ['server.port', node.port],
    ['network.peer.address', node.address],
    ['network.peer.port', node.port],
  ];
  if (hasAnswered && status !== undefined) attributes.push(['http.response.status_code', status]);
  if (index > 0) attributes.push(['http.request.resend_count', index]);
  const error = errorOf(made, hasAnswered);
  if (error !== '') attributes.push(['error.type', error]);
  return {
    traceId: trace.traceId,
    spanId: trace.clientIds[index] ?? '',
    parentSpanId: trace.spanId,
    traceState: trace.traceState,
    name: context.method,
    kind: KIND_CLIENT,
    startMs: made.startMs,
    endMs: made.endMs || context.endMs,
    attributes,
    error,
  };
}

/** One plugin's part of one phase, under the SERVER span; named as APISIX names them. */
export function phaseSpan(
  trace: TraceState,
  { plugin, phase, startMs, endMs }: PhaseTime,
): SpanToWrite {
  return {
    traceId: trace.traceId,
    spanId: newSpanId(),
    parentSpanId: trace.spanId,
    traceState: trace.traceState,
    name: `apisix.phase.${phase}.plugins.${plugin}`,
    kind: KIND_INTERNAL,
    startMs,
    endMs,
    attributes: [],
    error: '',
  };
}

/** For a client every status from 400 up is an error; without an answer it is what happened. */
function errorOf({ status }: UpstreamTry, hasAnswered: boolean): string {
  if (hasAnswered) return status !== undefined && status >= 400 ? String(status) : '';
  if (status === undefined) return 'cancelled';
  return status === 504 ? 'timeout' : 'connection_error';
}

/** Octets of fields are read as latin1; most that are not ASCII are UTF-8. */
function utf8(text: string | undefined): string | undefined {
  if (text === undefined || !/[\x80-\xff]/.test(text)) return text;
  return Buffer.from(text, 'latin1').toString();
}

function queryOf(target: string): string {
  const at = target.indexOf('?');
  return at < 0 ? '' : target.slice(at);
}
