import type { JaegerBatch, JaegerSpan, JaegerTag } from '@thalweg/wire';
import type { ForeignSpan, SpanAttribute, SpanEvent, SpanGroup } from '../spans/foreign-span.ts';

// Jaeger's spans in OpenTelemetry's terms. Source: OpenTelemetry specification, "OpenTelemetry to
// Jaeger Transformation", read backwards.

const KINDS: Readonly<Record<string, ForeignSpan['kind']>> = {
  client: 'client',
  server: 'server',
  producer: 'producer',
  consumer: 'consumer',
};
const KIND = 'span.kind';
const ERROR = 'error';
const STATUS = 'otel.status_code';
const STATUS_MESSAGE = 'otel.status_description';
/** The older names last. */
const SCOPE_NAMES = ['otel.scope.name', 'otel.library.name'];
/** What is said by a span's other members. */
const NOT_ATTRIBUTES: ReadonlySet<string> = new Set([
  KIND,
  ERROR,
  STATUS,
  STATUS_MESSAGE,
  ...SCOPE_NAMES,
]);
/** OpenTracing's and Jaeger's names, under OpenTelemetry's. */
const NAMES: Readonly<Record<string, string>> = {
  hostname: 'host.name',
  'peer.ipv4': 'network.peer.address',
  'peer.ipv6': 'network.peer.address',
  'peer.port': 'network.peer.port',
  'peer.hostname': 'net.peer.name',
};
const NO_ID = new Uint8Array();

/** The spans of a batch by the instrumentation that made them. */
export function jaegerGroups({ serviceName, tags, spans }: JaegerBatch): SpanGroup[] {
  const resource: SpanAttribute[] = [['service.name', serviceName], ...tags.map(attributeOf)];
  const scopes = new Map<string, ForeignSpan[]>();
  for (const span of spans.items) {
    const scope = SCOPE_NAMES.map((name) => textOf(span.tags, name)).find(Boolean) ?? 'jaeger';
    const group = scopes.get(scope);
    if (group === undefined) scopes.set(scope, [foreignSpan(span)]);
    else group.push(foreignSpan(span));
  }
  return [...scopes].map(([scope, group]) => ({ resource, scope, spans: group }));
}

function foreignSpan(span: JaegerSpan): ForeignSpan {
  const { references, tags } = span;
  const cause = references.find(({ isChildOf, traceId }) => isChildOf && traceId === span.traceId);
  const parentId = span.parentSpanId || (cause?.spanId ?? '');
  const isParent = ({ traceId, spanId }: (typeof references)[number]): boolean =>
    traceId === span.traceId && spanId === parentId;
  return {
    traceId: Buffer.from(span.traceId, 'hex'),
    spanId: Buffer.from(span.spanId, 'hex'),
    parentSpanId: parentId === '' ? NO_ID : Buffer.from(parentId, 'hex'),
    name: span.operationName,
    kind: KINDS[textOf(tags, KIND)] ?? 'internal',
    startUs: span.startUs,
    endUs: span.startUs + span.durationUs,
    ...statusOf(tags),
    attributes: tags.filter(([name]) => !NOT_ATTRIBUTES.has(name)).map(attributeOf),
    events: span.logs.map(eventOf),
    links: references
      .filter((reference) => !isParent(reference))
      .map(({ traceId, spanId }) => ({
        traceId: Buffer.from(traceId, 'hex'),
        spanId: Buffer.from(spanId, 'hex'),
      })),
  };
}

/** The tag `error` is true, or says what went wrong. */
function statusOf(tags: readonly JaegerTag[]): Pick<ForeignSpan, 'status' | 'statusMessage'> {
  const [status, error] = [textOf(tags, STATUS).toLowerCase(), textOf(tags, ERROR)];
  const isError = error !== '' && error !== 'false';
  const statusMessage = textOf(tags, STATUS_MESSAGE) || (isError && error !== 'true' ? error : '');
  if (status === 'ok' || status === 'error') return { status, statusMessage };
  return { status: isError ? 'error' : 'unset', statusMessage };
}

/** OpenTracing names an event by the field `event`, the oldest clients by `message`. */
function eventOf({ timeUs, fields }: JaegerSpan['logs'][number]): SpanEvent {
  const name = ['event', 'message'].find((key) => textOf(fields, key) !== '') ?? '';
  return {
    timeUs,
    name: textOf(fields, name) || 'log',
    attributes: fields.filter(([key]) => key !== name),
  };
}

function textOf(tags: readonly JaegerTag[], name: string): string {
  return String(tags.find(([key]) => key === name)?.[1] ?? '');
}

const attributeOf = ([name, value]: JaegerTag): SpanAttribute => [NAMES[name] ?? name, value];
