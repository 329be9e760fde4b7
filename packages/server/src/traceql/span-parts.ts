import type { Span } from '@thalweg/model';
import type { Value } from './syntax.ts';

// What receivers keep of a span as JSON texts: its resource, scope, events and links. Read on demand.

export type Attributes = ReadonlyMap<string, Value>;

export interface SpanEvent {
  readonly timeNs: bigint;
  readonly name: string;
  readonly attributes: Attributes;
  readonly droppedAttributes: number;
}

export interface SpanLink {
  /** Hex digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly attributes: Attributes;
  readonly droppedAttributes: number;
}

export interface InstrumentationScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: Attributes;
}

interface SpanParts {
  resource?: Attributes;
  scope?: InstrumentationScope;
  events?: readonly SpanEvent[];
  links?: readonly SpanLink[];
}

const partsOf = new WeakMap<Span, SpanParts>();

function known(span: Span): SpanParts {
  const found = partsOf.get(span) ?? {};
  partsOf.set(span, found);
  return found;
}

/** What the SDK said of the resource, beyond what has a column; lists and objects as JSON. */
export function resourceOf(span: Span): Attributes {
  const parts = known(span);
  parts.resource ??= attributesIn(membersOf(span, 'resource_attributes'));
  return parts.resource;
}

export function scopeOf(span: Span): InstrumentationScope {
  const parts = known(span);
  if (parts.scope === undefined) {
    const { name, version, attributes } = membersOf(span, 'scope');
    parts.scope = {
      name: text(name),
      version: text(version),
      attributes: attributesIn(attributes),
    };
  }
  return parts.scope;
}

export function eventsOf(span: Span): readonly SpanEvent[] {
  const parts = known(span);
  parts.events ??= listOf(span, 'events').map((event) => ({
    timeNs: BigInt(text(event['time_unix_nano']) || '0'),
    name: text(event['name']),
    attributes: attributesIn(event['attributes']),
    droppedAttributes: Number(event['dropped_attributes_count'] ?? 0),
  }));
  return parts.events;
}

export function linksOf(span: Span): readonly SpanLink[] {
  const parts = known(span);
  parts.links ??= listOf(span, 'links').map((link) => ({
    traceId: text(link['trace_id']),
    spanId: text(link['span_id']),
    traceState: text(link['trace_state']),
    flags: Number(link['flags'] ?? 0),
    attributes: attributesIn(link['attributes']),
    droppedAttributes: Number(link['dropped_attributes_count'] ?? 0),
  }));
  return parts.links;
}

type Members = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Written by our own receivers, so it is JSON. */
function jsonOf({ fields }: Span, column: string): unknown {
  const json = fields[column] ?? '';
  return json === '' ? undefined : JSON.parse(json);
}

function membersOf(span: Span, column: string): Members {
  const value = jsonOf(span, column);
  return isMembers(value) ? value : {};
}

function listOf(span: Span, column: string): readonly Members[] {
  const value = jsonOf(span, column);
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

function attributesIn(value: unknown): Attributes {
  if (!isMembers(value)) return new Map();
  return new Map(Object.entries(value).map(([name, one]) => [name, plainValue(one)]));
}

function plainValue(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  return value === null ? undefined : JSON.stringify(value);
}
