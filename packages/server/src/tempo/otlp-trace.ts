import type { Span, TraceAnswer } from '@thalweg/model';
import { createProtoWriter, type ProtoWriter } from '@thalweg/wire';
import { SPAN_KINDS } from '../traceql/names.ts';
import {
  eventsOf,
  type InstrumentationScope,
  linksOf,
  type SpanEvent,
  type SpanLink,
  scopeOf,
} from '../traceql/span-parts.ts';
import type { Value } from '../traceql/syntax.ts';
import {
  attributesOf,
  spanHexId,
  spanKind,
  spanName,
  spanStatus,
  traceHexId,
} from '../traceql/trace-view.ts';

// A trace in OpenTelemetry's shape. Field numbers: opentelemetry-proto, trace/v1/trace.proto.

interface OtlpSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: ReadonlyMap<string, Value>;
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
}

interface OtlpScope {
  readonly scope: InstrumentationScope;
  readonly spans: readonly OtlpSpan[];
}

export interface OtlpResource {
  readonly attributes: ReadonlyMap<string, Value>;
  readonly scopes: readonly OtlpScope[];
}

/** Of spans that no SDK made. */
const SCOPE_NAME = 'thalweg';
const STATUSES = ['unset', 'ok', 'error'];
const NS_PER_US = 1_000n;

/** Spans grouped by what their resource attributes say, and in these by their scope. */
export function otlpResources(trace: TraceAnswer): readonly OtlpResource[] {
  const traceId = bytesOf(traceHexId(trace));
  const groups = new Map<string, { attributes: ReadonlyMap<string, Value>; scopes: Scopes }>();
  for (const span of trace.spans) {
    const { resource, span: own } = attributesOf(span);
    const key = JSON.stringify([...resource]);
    const group = groups.get(key) ?? { attributes: resource, scopes: new Map() };
    groups.set(key, group);
    const scopeKey = span.fields['scope'] ?? '';
    const scope = group.scopes.get(scopeKey) ?? { scope: scopeOf(span), spans: [] };
    group.scopes.set(scopeKey, scope);
    scope.spans.push(otlpSpan(trace, span, traceId, own));
  }
  return [...groups.values()].map(({ attributes, scopes }) => ({
    attributes,
    scopes: [...scopes.values()],
  }));
}

type Scopes = Map<string, { scope: InstrumentationScope; spans: OtlpSpan[] }>;

function otlpSpan(
  trace: TraceAnswer,
  span: Span,
  traceId: Uint8Array,
  attributes: ReadonlyMap<string, Value>,
): OtlpSpan {
  return {
    traceId,
    spanId: bytesOf(spanHexId(trace, span.spanId)),
    parentSpanId:
      span.parentId === null ? new Uint8Array(0) : bytesOf(spanHexId(trace, span.parentId)),
    traceState: span.fields['trace_state'] ?? '',
    name: spanName(span),
    kind: SPAN_KINDS.indexOf(spanKind(span)),
    startNs: BigInt(span.startUs) * NS_PER_US,
    endNs: BigInt(span.endUs) * NS_PER_US,
    attributes,
    statusCode: STATUSES.indexOf(spanStatus(span)),
    statusMessage: span.fields['response_exception'] ?? '',
    events: eventsOf(span),
    links: linksOf(span),
  };
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** The JSON that Tempo gives: ids in base64, 64-bit numbers as text, enums by name. */
export function otlpJson(resources: readonly OtlpResource[]): object[] {
  return resources.map(({ attributes, scopes }) => ({
    resource: { attributes: jsonAttributes(attributes) },
    scopeSpans: scopes.map(({ scope, spans }) => ({
      scope: jsonScope(scope),
      spans: spans.map(jsonSpan),
    })),
  }));
}

function jsonScope({ name, version, attributes }: InstrumentationScope): object {
  return {
    name: name || SCOPE_NAME,
    ...(version === '' ? {} : { version }),
    ...(attributes.size === 0 ? {} : { attributes: jsonAttributes(attributes) }),
  };
}

function jsonSpan(span: OtlpSpan): object {
  return {
    traceId: base64(span.traceId),
    spanId: base64(span.spanId),
    ...(span.parentSpanId.length === 0 ? {} : { parentSpanId: base64(span.parentSpanId) }),
    ...(span.traceState === '' ? {} : { traceState: span.traceState }),
    name: span.name,
    kind: `SPAN_KIND_${(SPAN_KINDS[span.kind] ?? '').toUpperCase()}`,
    startTimeUnixNano: span.startNs.toString(),
    endTimeUnixNano: span.endNs.toString(),
    attributes: jsonAttributes(span.attributes),
    ...(span.events.length === 0 ? {} : { events: span.events.map(jsonEvent) }),
    ...(span.links.length === 0 ? {} : { links: span.links.map(jsonLink) }),
    status: {
      code: `STATUS_CODE_${(STATUSES[span.statusCode] ?? '').toUpperCase()}`,
      ...(span.statusMessage === '' ? {} : { message: span.statusMessage }),
    },
  };
}

function jsonEvent({ timeNs, name, attributes, droppedAttributes }: SpanEvent): object {
  return {
    timeUnixNano: timeNs.toString(),
    name,
    ...(attributes.size === 0 ? {} : { attributes: jsonAttributes(attributes) }),
    ...(droppedAttributes === 0 ? {} : { droppedAttributesCount: droppedAttributes }),
  };
}

function jsonLink(link: SpanLink): object {
  const { traceState, attributes, droppedAttributes, flags } = link;
  return {
    traceId: base64(bytesOf(link.traceId)),
    spanId: base64(bytesOf(link.spanId)),
    ...(traceState === '' ? {} : { traceState }),
    ...(attributes.size === 0 ? {} : { attributes: jsonAttributes(attributes) }),
    ...(droppedAttributes === 0 ? {} : { droppedAttributesCount: droppedAttributes }),
    ...(flags === 0 ? {} : { flags }),
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export function jsonAttributes(attributes: ReadonlyMap<string, Value>): object[] {
  return [...attributes].flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: jsonValue(value) }],
  );
}

function jsonValue(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** A message whose field 1 is repeated ResourceSpans: OTLP's TracesData and Tempo's Trace alike. */
export function otlpBytes(resources: readonly OtlpResource[]): Uint8Array<ArrayBuffer> {
  const writer = createProtoWriter();
  for (const resource of resources) writer.messageField(1, () => writeResource(writer, resource));
  return writer.finish();
}

/** Tempo's TraceByIDResponse: the trace is its field 1. */
export function traceByIdBytes(resources: readonly OtlpResource[]): Uint8Array<ArrayBuffer> {
  const writer = createProtoWriter();
  writer.bytesField(1, otlpBytes(resources));
  return writer.finish();
}

function writeResource(writer: ProtoWriter, { attributes, scopes }: OtlpResource): void {
  writer.messageField(1, () => writeAttributes(writer, 1, attributes));
  for (const { scope, spans } of scopes) {
    writer.messageField(2, () => {
      writer.messageField(1, () => {
        writer.textField(1, scope.name || SCOPE_NAME);
        writer.textField(2, scope.version);
        writeAttributes(writer, 3, scope.attributes);
      });
      for (const span of spans) writer.messageField(2, () => writeSpan(writer, span));
    });
  }
}

function writeSpan(writer: ProtoWriter, span: OtlpSpan): void {
  writer.bytesField(1, span.traceId);
  writer.bytesField(2, span.spanId);
  writer.textField(3, span.traceState);
  writer.bytesField(4, span.parentSpanId);
  writer.textField(5, span.name);
  writer.varintField(6, span.kind);
  writer.fixed64Field(7, span.startNs);
  writer.fixed64Field(8, span.endNs);
  writeAttributes(writer, 9, span.attributes);
  for (const event of span.events) {
    writer.messageField(11, () => {
      writer.fixed64Field(1, event.timeNs);
      writer.textField(2, event.name);
      writeAttributes(writer, 3, event.attributes);
      writer.varintField(4, event.droppedAttributes);
    });
  }
  for (const link of span.links) {
    writer.messageField(13, () => {
      writer.bytesField(1, bytesOf(link.traceId));
      writer.bytesField(2, bytesOf(link.spanId));
      writer.textField(3, link.traceState);
      writeAttributes(writer, 4, link.attributes);
      writer.varintField(5, link.droppedAttributes);
      if (link.flags !== 0) writer.fixed32Field(6, link.flags);
    });
  }
  writer.messageField(15, () => {
    writer.textField(2, span.statusMessage);
    writer.varintField(3, span.statusCode);
  });
}

function writeAttributes(
  writer: ProtoWriter,
  field: number,
  attributes: ReadonlyMap<string, Value>,
): void {
  for (const [key, value] of attributes) {
    if (value === undefined) continue;
    writer.messageField(field, () => {
      writer.textField(1, key);
      writer.messageField(2, () => writeValue(writer, value));
    });
  }
}

function writeValue(writer: ProtoWriter, value: string | number | boolean): void {
  if (typeof value === 'string') writer.textField(1, value);
  else if (typeof value === 'boolean') writer.varintField(2, value ? 1 : 0);
  else if (Number.isSafeInteger(value)) writer.varintField(3, value);
  else writer.doubleField(4, value);
}
