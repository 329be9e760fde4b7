import { type OctetText, type SpanToWrite, spanAttribute } from '@thalweg/wire';
import type { Node } from '../../core/balance/balancer.ts';
import type { MatchedRoute, PhaseTime, RequestContext } from '../../core/request-context.ts';
import type { UpstreamTry } from '../../core/upstream.ts';
import { hostFor } from '../../core/upstream-request.ts';
import { newRandomId, type RandomId, SPAN_ID_BYTES } from '../trace-ids.ts';

/** What is known of a request's trace from its first phase on. */
export interface TraceState {
  readonly traceId: RandomId;
  readonly spanId: RandomId;
  /** Octets; empty for a root. */
  readonly parentSpanId: OctetText;
  readonly traceState: string;
  readonly isSampled: boolean;
  /** Ids of the CLIENT spans as octets, by the index of the try. */
  readonly clientIds: OctetText[];
}

/** Attributes that a configuration asks for. */
export interface WantedAttributes {
  /** Variables without `$`; `name=value` is a fixed attribute. */
  readonly variables: readonly string[];
  /** Names of request headers in lower case; `*` at the end stands for the rest. */
  readonly headers: readonly string[];
}

/** The spans of requests. What many of them have alike is written once and kept. */
export interface RequestSpans {
  /** The SERVER span, with APISIX's attributes: the older and the current conventions. */
  server(context: RequestContext, trace: TraceState): SpanToWrite;
  /** The CLIENT span of the try `index`. Source: OpenTelemetry semantic conventions, HTTP spans. */
  client(context: RequestContext, trace: TraceState, index: number): SpanToWrite;
  /** One plugin's part of one phase, under the SERVER span; named as APISIX names them. */
  phase(trace: TraceState, time: PhaseTime): SpanToWrite;
}

const KIND_INTERNAL = 1;
const KIND_SERVER = 2;
const KIND_CLIENT = 3;
const HTTP_TARGET = spanAttribute('http.target');
const URL_PATH = spanAttribute('url.path');
const URL_FULL = spanAttribute('url.full');
const RESEND_COUNT = spanAttribute('http.request.resend_count');
const ERROR_TYPE = spanAttribute('error.type');

export function createRequestSpans(wanted: WantedAttributes): RequestSpans {
  const host = remembered(both('net.host.name'));
  const method = remembered(both('http.method', 'http.request.method'));
  const clientMethod = remembered(both('http.request.method'));
  const scheme = remembered(both('http.scheme', 'url.scheme'));
  const userAgent = remembered(both('http.user_agent', 'user_agent.original'));
  const source = remembered(both('apisix.response_source'));
  const status = remembered(both('http.status_code', 'http.response.status_code'));
  const clientStatus = remembered(both('http.response.status_code'));
  const routes = new WeakMap<MatchedRoute, OctetText>();
  const nodes = new WeakMap<Node, OctetText>();
  const hasWanted = wanted.variables.length > 0 || wanted.headers.length > 0;

  function server(context: RequestContext, trace: TraceState): SpanToWrite {
    const { route, response, head } = context;
    const agent = utf8(context.headers.get('user-agent'));
    const code = response?.status;
    const attributes =
      host(context.host) +
      method(head.method) +
      scheme(context.peer.isTls ? 'https' : 'http') +
      HTTP_TARGET(context.path + queryOf(head.target)) +
      URL_PATH(context.path) +
      (agent === undefined ? '' : userAgent(agent)) +
      (route === undefined ? '' : kept(routes, route, routeAttributes)) +
      (response === undefined ? '' : source(response.source)) +
      (code === undefined ? '' : status(code)) +
      (hasWanted ? wantedAttributes(context, wanted) : '');
    const isError = code !== undefined && code >= 500;
    return {
      traceId: trace.traceId.octets,
      spanId: trace.spanId.octets,
      parentSpanId: trace.parentSpanId,
      traceState: trace.traceState,
      name: route === undefined ? context.method : `${head.method} ${route.uri}`,
      kind: KIND_SERVER,
      startMs: context.startMs,
      endMs: context.endMs,
      attributes,
      error: isError ? `${response?.source ?? 'nginx'} error: ${code}` : '',
    };
  }

  function client(context: RequestContext, trace: TraceState, index: number): SpanToWrite {
    const made = context.tries[index];
    if (made === undefined) throw new Error(`BUG: no try ${index}`);
    const hasAnswered = made.headerMs > 0;
    const error = errorOf(made, hasAnswered);
    const attributes =
      clientMethod(context.method) +
      URL_FULL(fullUrl(context, made.node)) +
      kept(nodes, made.node, nodeAttributes) +
      (hasAnswered && made.status !== undefined ? clientStatus(made.status) : '') +
      (index > 0 ? RESEND_COUNT(index) : '') +
      (error === '' ? '' : ERROR_TYPE(error));
    return {
      traceId: trace.traceId.octets,
      spanId: trace.clientIds[index] ?? '',
      parentSpanId: trace.spanId.octets,
      traceState: trace.traceState,
      name: context.method,
      kind: KIND_CLIENT,
      startMs: made.startMs,
      endMs: made.endMs || context.endMs,
      attributes,
      error,
    };
  }

  function phase(trace: TraceState, { plugin, phase: name, startMs, endMs }: PhaseTime) {
    return {
      traceId: trace.traceId.octets,
      spanId: newRandomId(SPAN_ID_BYTES).octets,
      parentSpanId: trace.spanId.octets,
      traceState: trace.traceState,
      name: `apisix.phase.${name}.plugins.${plugin}`,
      kind: KIND_INTERNAL,
      startMs,
      endMs,
      attributes: '',
      error: '',
    };
  }

  return { server, client, phase };
}

/** One value under each of some keys. */
function both(...keys: readonly string[]): (value: string | number) => OctetText {
  const writers = keys.map(spanAttribute);
  return (value) => writers.map((write) => write(value)).join('');
}

/** What was made of the last value serves as long as the value is the same. */
function remembered<Value>(make: (value: Value) => OctetText): (value: Value) => OctetText {
  let last: Value | undefined;
  let text = '';
  return (value) => {
    if (value !== last) {
      text = make(value);
      last = value;
    }
    return text;
  };
}

function kept<Key extends object>(
  texts: WeakMap<Key, OctetText>,
  key: Key,
  make: (key: Key) => OctetText,
): OctetText {
  let text = texts.get(key);
  if (text === undefined) {
    text = make(key);
    texts.set(key, text);
  }
  return text;
}

function routeAttributes({ id, uri, object, serviceId, service }: MatchedRoute): OctetText {
  const optional = (name: string, value: string | undefined): OctetText =>
    value === undefined ? '' : spanAttribute(name)(value);
  return [
    spanAttribute('apisix.route_id')(id),
    optional('apisix.route_name', object.name),
    spanAttribute('http.route')(uri),
    optional('apisix.service_id', serviceId),
    optional('apisix.service_name', service?.name),
  ].join('');
}

function nodeAttributes(node: Node): OctetText {
  return [
    spanAttribute('server.address')(node.host),
    spanAttribute('server.port')(node.port),
    spanAttribute('network.peer.address')(node.address),
    spanAttribute('network.peer.port')(node.port),
  ].join('');
}

function fullUrl(context: RequestContext, node: Node): string {
  const { upstream } = context;
  const scheme = context.upstreamScheme ?? upstream?.object.scheme ?? 'http';
  const host = upstream === undefined ? node.key : hostFor(context, upstream, node);
  return `${scheme}://${host}${context.upstreamUri ?? context.head.target}`;
}

function wantedAttributes(
  context: RequestContext,
  { variables, headers }: WantedAttributes,
): OctetText {
  let text = '';
  for (const name of variables) {
    const at = name.indexOf('=');
    const value = at > 0 ? name.slice(at + 1) : utf8(context.variable(name));
    if (value !== undefined) text += spanAttribute(at > 0 ? name.slice(0, at) : name)(value);
  }
  if (headers.length === 0) return text;
  for (const key of context.headers.keys()) {
    if (!headers.some((pattern) => matches(pattern, key))) continue;
    text += spanAttribute(key)(utf8(context.headers.joined(key)) ?? '');
  }
  return text;
}

function matches(pattern: string, key: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
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
