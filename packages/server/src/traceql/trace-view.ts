import type { Span, TraceAnswer } from '@thalweg/model';
import { SPAN_KINDS } from './names.ts';
import { eventsOf, linksOf, resourceOf, scopeOf } from './span-parts.ts';
import type { Intrinsic, Scope, Value } from './syntax.ts';

/** A trace as TraceQL sees it: spans by index in pre-order, so a subtree is a range of indexes. */
export interface TraceView {
  readonly trace: TraceAnswer;
  readonly spans: readonly SpanView[];
}

export interface SpanView {
  readonly span: Span;
  readonly index: number;
  /** Index of the parent, -1 for a root. */
  readonly parent: number;
  /** One past the last index of its subtree. */
  readonly end: number;
  readonly childCount: number;
}

/** Columns of a row that describe who was observed, as OpenTelemetry's resource attributes. */
const RESOURCE_COLUMNS: Readonly<Record<string, string>> = {
  app_service: 'service.name',
  app_instance: 'service.instance.id',
  host: 'host.name',
  container_id: 'container.id',
  agent: 'thalweg.agent',
};

/** Columns that describe the exchange, as span attributes of OpenTelemetry's conventions. */
const SPAN_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  request_type: ['http.request.method', 'http.method'],
  response_code: ['http.response.status_code', 'http.status_code'],
  request_domain: ['server.address', 'http.host'],
  request_resource: ['url.path', 'http.target'],
  endpoint: ['http.route'],
  ip_0: ['client.address'],
  ip_1: ['network.peer.address'],
  client_port: ['client.port'],
  server_port: ['server.port'],
  version: ['network.protocol.version'],
  request_length: ['http.request.body.size'],
  response_length: ['http.response.body.size'],
  x_request_id_0: ['http.request.header.x-request-id'],
  observation_point: ['thalweg.observation_point'],
  link_probability: ['thalweg.link.probability'],
  wire_id: ['thalweg.wire_id'],
  capture_nic_name: ['network.interface.name'],
};

/** Attribute names that columns stand behind, for completion. */
export const COLUMN_ATTRIBUTES = {
  resource: Object.values(RESOURCE_COLUMNS),
  span: Object.values(SPAN_COLUMNS).flat(),
} as const;

const NUMBERS: ReadonlySet<string> = new Set([
  'response_code',
  'client_port',
  'server_port',
  'request_length',
  'response_length',
  'link_probability',
]);

const COLUMN_BY_RESOURCE = new Map(
  Object.entries(RESOURCE_COLUMNS).map(([key, name]) => [name, key]),
);
const COLUMN_BY_SPAN = new Map(
  Object.entries(SPAN_COLUMNS).flatMap(([key, names]) => names.map((name) => [name, key] as const)),
);

/** The column behind an attribute of a scope; undefined: a free attribute. */
export function columnOf(scope: Scope, name: string): string | undefined {
  if (scope === 'resource') return COLUMN_BY_RESOURCE.get(name);
  if (scope === 'span') return COLUMN_BY_SPAN.get(name);
  return scope === 'any' ? (COLUMN_BY_SPAN.get(name) ?? COLUMN_BY_RESOURCE.get(name)) : undefined;
}

export function viewTrace(trace: TraceAnswer): TraceView {
  const { spans } = trace;
  const indexOf = new Map(spans.map(({ spanId }, index) => [spanId, index]));
  const parents = spans.map(({ parentId }) =>
    parentId === null ? -1 : (indexOf.get(parentId) ?? -1),
  );
  const ends = spans.map((_, index) => index + 1);
  const childCounts = new Array<number>(spans.length).fill(0);
  for (let index = spans.length - 1; index >= 0; index -= 1) {
    const parent = parents[index] ?? -1;
    if (parent < 0) continue;
    ends[parent] = Math.max(ends[parent] ?? 0, ends[index] ?? 0);
    childCounts[parent] = (childCounts[parent] ?? 0) + 1;
  }
  return {
    trace,
    spans: spans.map((span, index) => ({
      span,
      index,
      parent: parents[index] ?? -1,
      end: ends[index] ?? index + 1,
      childCount: childCounts[index] ?? 0,
    })),
  };
}

export function spanName({ signal, method, endpoint, path }: Span): string {
  const route = endpoint === '' ? path : endpoint;
  return signal === 'A' || method === '' ? route : `${method} ${route}`;
}

export function spanKind(span: Span): string {
  if (span.signal === 'A')
    return SPAN_KINDS[Number(span.fields['span_kind'] ?? 0)] ?? 'unspecified';
  if (span.observationPoint.startsWith('s')) return 'server';
  return span.observationPoint.startsWith('c') ? 'client' : 'unspecified';
}

export function spanStatus({ isError, status, signal }: Span): string {
  if (isError) return 'error';
  return signal === 'A' && status === 0 ? 'unset' : 'ok';
}

const NS_PER_US = 1e3;

export function intrinsicValue(view: TraceView, at: SpanView, intrinsic: Intrinsic): Value {
  const { span } = at;
  const root = view.spans[0]?.span;
  switch (intrinsic) {
    case 'duration':
      return (span.endUs - span.startUs) * NS_PER_US;
    case 'name':
      return spanName(span);
    case 'status':
      return spanStatus(span);
    case 'statusMessage':
      return span.fields['response_exception'] ?? '';
    case 'kind':
      return spanKind(span);
    case 'childCount':
      return at.childCount;
    case 'rootName':
      return root === undefined ? undefined : spanName(root);
    case 'rootServiceName':
      return root?.service;
    case 'traceDuration':
      return (view.trace.endUs - view.trace.startUs) * NS_PER_US;
    case 'nestedSetLeft':
      return nestedLeft(at);
    case 'nestedSetRight':
      return 2 * at.end - depthOf(view, at);
    case 'nestedSetParent':
      return at.parent < 0 ? -1 : nestedLeft(view.spans[at.parent] ?? at, view);
    case 'spanId':
      return spanHexId(view.trace, span.spanId);
    case 'parentId':
      return span.parentId === null ? '' : spanHexId(view.trace, span.parentId);
    case 'traceId':
      return traceHexId(view.trace);
    case 'instrumentationName':
      return scopeOf(span).name || undefined;
    case 'instrumentationVersion':
      return scopeOf(span).version || undefined;
    case 'eventName':
    case 'eventTimeSinceStart':
    case 'linkTraceId':
    case 'linkSpanId':
      return listedIntrinsic(span, intrinsic)?.[0];
  }

  /** Enters and leaves are numbered together: each span before it took one or two numbers. */
  function nestedLeft(one: SpanView, of: TraceView = view): number {
    return 2 * one.index + 1 - depthOf(of, one);
  }
}

/** Of an intrinsic that a span has many times: of each event or link. Undefined: of another. */
export function listedIntrinsic(span: Span, intrinsic: Intrinsic): readonly Value[] | undefined {
  switch (intrinsic) {
    case 'eventName':
      return eventsOf(span).map(({ name }) => name);
    case 'eventTimeSinceStart': {
      const startNs = BigInt(span.startUs) * BigInt(NS_PER_US);
      return eventsOf(span).map(({ timeNs }) => Number(timeNs - startNs));
    }
    case 'linkTraceId':
      return linksOf(span).map(({ traceId }) => traceId);
    case 'linkSpanId':
      return linksOf(span).map(({ spanId }) => spanId);
    default:
      return undefined;
  }
}

/** Of an attribute of events or links: of each that has it. Undefined: of another scope. */
export function listedAttribute(
  span: Span,
  scope: Scope,
  name: string,
): readonly Value[] | undefined {
  if (scope !== 'event' && scope !== 'link') return undefined;
  const parts = scope === 'event' ? eventsOf(span) : linksOf(span);
  const found = parts.flatMap(({ attributes }) => attributes.get(name) ?? []);
  const intrinsic = INTRINSIC_BY_ATTRIBUTE[`${scope}.${name}`];
  if (found.length > 0 || intrinsic === undefined) return found;
  return listedIntrinsic(span, intrinsic);
}

/** Written like attributes though they are not: read so where no attribute has the name. */
const INTRINSIC_BY_ATTRIBUTE: Readonly<Record<string, Intrinsic>> = {
  'event.name': 'eventName',
  'link.traceID': 'linkTraceId',
  'link.spanID': 'linkSpanId',
};

function depthOf({ spans }: TraceView, at: SpanView): number {
  let depth = 0;
  for (let parent = at.parent; parent >= 0; parent = spans[parent]?.parent ?? -1) depth += 1;
  return depth;
}

/** An attribute's value: of a column that has a conventional name, or free. */
export function attributeValue(at: SpanView, scope: Scope, name: string): Value {
  const column = columnOf(scope, name);
  if (column !== undefined) {
    const text = at.span.fields[column];
    if (text === undefined || text === '') return undefined;
    if (!NUMBERS.has(column)) return text;
    return Number(text) === 0 ? undefined : Number(text);
  }
  if (scope === 'instrumentation') return scopeOf(at.span).attributes.get(name);
  const listed = listedAttribute(at.span, scope, name);
  if (listed !== undefined) return listed[0];
  const own = Object.hasOwn(at.span.fields, name) ? at.span.fields[name] : undefined;
  if (scope === 'span' || (scope === 'any' && own !== undefined)) return own;
  return resourceOf(at.span).get(name) ?? own;
}

/** All attributes of a span under their first conventional names, without empty ones. */
export function attributesOf(span: Span): {
  readonly resource: ReadonlyMap<string, Value>;
  readonly span: ReadonlyMap<string, Value>;
} {
  const resource = new Map<string, Value>(resourceOf(span));
  const own = new Map<string, Value>();
  for (const [name, text] of Object.entries(span.fields)) {
    if (text === '') continue;
    const resourceName = RESOURCE_COLUMNS[name];
    if (resourceName !== undefined) {
      resource.set(resourceName, text);
      continue;
    }
    const [first] = SPAN_COLUMNS[name] ?? [];
    const value = NUMBERS.has(name) ? Number(text) : text;
    if (first !== undefined) {
      if (value !== 0 && text !== '0') own.set(first, value);
    } else if (name.includes('.')) own.set(name, value);
  }
  if (span.processName !== '') resource.set('process.executable.name', span.processName);
  if (span.pid !== 0) resource.set('process.pid', span.pid);
  return { resource, span: own };
}

const idsOf = new WeakMap<TraceAnswer, ReadonlyMap<string, string>>();

/**
 * The id of a span in 16 hex digits: the one that its SDK gave it, where no other span of the trace
 * has it too (both ends of a shared span do); else the row's.
 */
export function spanHexId(trace: TraceAnswer, spanId: string): string {
  const ids = idsOf.get(trace) ?? hexIds(trace);
  idsOf.set(trace, ids);
  return ids.get(spanId) ?? hexId(spanId);
}

function hexIds({ spans }: TraceAnswer): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  return new Map(
    spans.map(({ spanId, signal, fields }) => {
      const own = (fields['span_id'] ?? '').toLowerCase();
      const isOwn = signal === 'A' && /^[0-9a-f]{16}$/.test(own) && !taken.has(own);
      const id = isOwn ? own : hexId(spanId);
      taken.add(id);
      return [spanId, id];
    }),
  );
}

/** A 64-bit decimal id as 16 hex digits. */
function hexId(decimal: string): string {
  return BigInt(decimal).toString(16).padStart(16, '0');
}

/** The trace id of a trace in hex: the one that its traffic carried, else its root's. */
export function traceHexId({ traceId, spans }: TraceAnswer): string {
  const carried = spans.find(({ fields }) => TRACE_ID.test(fields['trace_id'] ?? ''));
  return hexTraceId(carried?.fields['trace_id'] ?? '', traceId);
}

const TRACE_ID = /^[0-9a-f]{16,32}$/i;

/** Where traffic carried none, the root's number behind sixteen zeros, which look-up reads back. */
export function hexTraceId(carried: string, root: string): string {
  const text = TRACE_ID.test(carried) ? carried : hexId(root);
  return text.toLowerCase().padStart(32, '0');
}
