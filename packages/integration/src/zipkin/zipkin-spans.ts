import type { ZipkinSpan } from '@thalweg/wire';
import type { ForeignSpan, SpanAttribute, SpanGroup } from '../spans/foreign-span.ts';

const KINDS = {
  CLIENT: 'client',
  SERVER: 'server',
  PRODUCER: 'producer',
  CONSUMER: 'consumer',
} as const;
const NO_ID = new Uint8Array();

/**
 * Zipkin's spans by service. One that has no time begins with its first annotation. The two halves of
 * a shared span keep their one id: both ends of one call.
 */
export function zipkinGroups(spans: readonly ZipkinSpan[]): SpanGroup[] {
  const groups = new Map<string, ForeignSpan[]>();
  for (const span of spans) {
    const { serviceName } = span.local;
    const group = groups.get(serviceName);
    if (group === undefined) groups.set(serviceName, [foreignSpan(span)]);
    else group.push(foreignSpan(span));
  }
  return [...groups].map(([service, group]) => ({
    resource: service === '' ? [] : [['service.name', service]],
    scope: 'zipkin',
    spans: group,
  }));
}

function foreignSpan(span: ZipkinSpan): ForeignSpan {
  const { annotations, durationUs, tags } = span;
  const startUs = span.timestampUs || (annotations[0]?.timestampUs ?? 0);
  const error = tags.find(([name]) => name === 'error')?.[1];
  const isError = error !== undefined && error !== 'false';
  return {
    traceId: Buffer.from(span.traceId, 'hex'),
    spanId: Buffer.from(span.id, 'hex'),
    parentSpanId: span.parentId === '' ? NO_ID : Buffer.from(span.parentId, 'hex'),
    name: span.name,
    kind: span.kind === undefined ? 'internal' : KINDS[span.kind],
    startUs,
    endUs: startUs + durationUs,
    status: isError ? 'error' : 'unset',
    statusMessage: isError && error !== 'true' ? error : '',
    attributes: attributesOf(span),
    events: annotations.map(({ timestampUs, value }) => ({
      timeUs: timestampUs,
      name: value,
      attributes: [],
    })),
  };
}

function attributesOf({ tags, local, remote, isShared, isDebug }: ZipkinSpan): SpanAttribute[] {
  const attributes: SpanAttribute[] = [...tags];
  const add = (name: string, value: string | number): void => {
    if (value !== '' && value !== 0 && !tags.some(([tag]) => tag === name)) {
      attributes.push([name, value]);
    }
  };
  add('network.local.address', local.ip);
  add('network.local.port', local.port);
  add('network.peer.address', remote.ip);
  add('network.peer.port', remote.port);
  add('peer.service', remote.serviceName);
  add('zipkin.shared', isShared ? 'true' : '');
  add('zipkin.debug', isDebug ? 'true' : '');
  return attributes;
}
