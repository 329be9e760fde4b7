import type { SkywalkingSegment, SkywalkingSpan } from '@thalweg/wire';
import type { ForeignSpan, SpanAttribute, SpanEvent, SpanGroup } from '../spans/foreign-span.ts';

/** SkyWalking's own names of tags, under OpenTelemetry's. */
const NAMES: Readonly<Record<string, string>> = {
  url: 'url.full',
  'http.status.code': 'http.response.status_code',
  'http.status_code': 'http.response.status_code',
  'http.method': 'http.request.method',
  'db.type': 'db.system.name',
  'db.instance': 'db.namespace',
  'db.statement': 'db.query.text',
  'cache.type': 'db.system.name',
  'cache.cmd': 'db.operation.name',
  'cache.key': 'db.query.text',
  'mq.topic': 'messaging.destination.name',
  'mq.queue': 'messaging.destination.name',
  'mq.broker': 'server.address',
};
/** Names of RPC systems by component. Source: SkyWalking, component-libraries.yml. */
const RPC_SYSTEMS: Readonly<Record<number, string>> = { 3: 'apache_dubbo', 23: 'grpc' };
const NO_ID = new Uint8Array();

/**
 * Spans of segments. A span has no id of its own: segment and index name it together, joined with a
 * dash, as in the header sw8. Ids are the bytes of these texts.
 */
export function segmentGroups(segments: readonly SkywalkingSegment[]): SpanGroup[] {
  return segments.map((segment) => ({
    resource: [
      ['service.name', segment.service],
      ['service.instance.id', segment.instance],
    ],
    scope: 'skywalking',
    spans: segment.spans.map((span) => foreignSpan(segment, span)),
  }));
}

function foreignSpan(segment: SkywalkingSegment, span: SkywalkingSpan): ForeignSpan {
  const [first] = span.references;
  const parentId =
    span.parentIndex >= 0
      ? idOf(segment.segmentId, span.parentIndex)
      : first === undefined
        ? NO_ID
        : idOf(first.parentSegmentId, first.parentSpanIndex);
  return {
    traceId: Buffer.from(segment.traceId),
    spanId: idOf(segment.segmentId, span.index),
    parentSpanId: parentId,
    name: span.operationName,
    kind: kindOf(span),
    startUs: span.startMs * 1e3,
    endUs: span.endMs * 1e3,
    status: span.isError ? 'error' : 'ok',
    statusMessage: '',
    attributes: attributesOf(span),
    events: span.logs.map(eventOf),
  };
}

function idOf(segmentId: string, index: number): Uint8Array {
  return Buffer.from(`${segmentId}-${index}`);
}

function kindOf({ type, layer }: SkywalkingSpan): ForeignSpan['kind'] {
  const isMessage = layer === 'MQ';
  switch (type) {
    case 'Entry':
      return isMessage ? 'consumer' : 'server';
    case 'Exit':
      return isMessage ? 'producer' : 'client';
    case 'Local':
      return 'internal';
  }
}

function attributesOf(span: SkywalkingSpan): SpanAttribute[] {
  const attributes = new Map<string, string | number>();
  const add = (name: string, value: string | number): void => {
    if (value !== '' && value !== 0 && !attributes.has(name)) attributes.set(name, value);
  };
  for (const [key, value] of span.tags) {
    // APISIX's agent says the whole address in `http.params`, others the query.
    const isAddress = key === 'http.params' && /^https?:\/\//.test(value);
    const name = isAddress ? 'url.full' : (NAMES[key] ?? key);
    add(name, name === 'db.system.name' ? value.toLowerCase() : value);
  }
  const [, host = '', port = ''] = /^(.*?)(?::(\d{1,5}))?$/.exec(span.peer) ?? [];
  add('server.address', host);
  add('server.port', Number(port));
  if (span.layer === 'RPCFramework') {
    add('rpc.system', RPC_SYSTEMS[span.componentId] ?? '');
    add('rpc.method', span.operationName);
  }
  add('skywalking.layer', span.layer === 'Unknown' ? '' : span.layer);
  add('skywalking.component_id', span.componentId);
  const [first, ...others] = span.references;
  add('skywalking.parent.service', first?.parentService ?? '');
  add('skywalking.parent.endpoint', first?.parentEndpoint ?? '');
  // A batch has more than one cause; a row has one parent.
  const more = others.map((one) => `${one.parentSegmentId}-${one.parentSpanIndex}`);
  add('skywalking.more_parents', more.join(','));
  return [...attributes];
}

/** A log of an exception gets OpenTelemetry's names. */
function eventOf({ timeMs, data }: SkywalkingSpan['logs'][number]): SpanEvent {
  const find = (key: string): string => data.find(([name]) => name === key)?.[1] ?? '';
  const isError = find('error.kind') !== '' || find('stack') !== '';
  const names: Readonly<Record<string, string>> = isError
    ? {
        'error.kind': 'exception.type',
        message: 'exception.message',
        stack: 'exception.stacktrace',
      }
    : {};
  return {
    timeUs: timeMs * 1e3,
    name: isError ? 'exception' : find('event') || 'log',
    attributes: data.map(([key, value]) => [names[key] ?? key, value]),
  };
}
