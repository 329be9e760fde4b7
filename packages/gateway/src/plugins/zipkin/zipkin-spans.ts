import type { RequestContext } from '../../core/request-context.ts';
import { newSpanId } from '../trace-ids.ts';

/** A request's trace, and when its phases ended: Unix ms, 0 when they did not. */
export interface TracedRequest {
  readonly traceId: string;
  readonly requestId: string;
  readonly proxyId: string;
  readonly parentId: string | undefined;
  readonly isSampled: boolean;
  rewriteEndMs: number;
  accessEndMs: number;
  headMs: number;
}

type Endpoint = Readonly<Record<string, string | number>>;

export interface SpanPlaces {
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint: Endpoint;
  readonly version: 1 | 2;
}

/**
 * The spans of one request, children first: in version 2 the proxying and what came after its head,
 * in version 1 a span for each phase. Source: Zipkin's v2 JSON; names from APISIX.
 */
export function zipkinSpans(
  context: RequestContext,
  trace: TracedRequest,
  { localEndpoint, remoteEndpoint, version }: SpanPlaces,
): readonly object[] {
  const { startMs, endMs } = context;
  const headMs = trace.headMs || endMs;
  const span = (name: string, id: string, from: number, to: number, more: object = {}) => ({
    traceId: trace.traceId,
    id,
    parentId: trace.requestId,
    name: `apisix.${name}`,
    timestamp: Math.round(from * 1_000),
    duration: Math.max(1, Math.round((to - from) * 1_000)),
    localEndpoint,
    tags: {},
    ...more,
  });
  const node = context.tries.at(-1)?.node;
  const proxied =
    node === undefined
      ? {}
      : { kind: 'CLIENT', remoteEndpoint: { ipv4: node.address, port: node.port } };
  const rewriteEnd = trace.rewriteEndMs || headMs;
  const accessEnd = trace.accessEndMs || rewriteEnd;
  const children =
    version === 2
      ? [
          span('proxy', trace.proxyId, startMs, headMs, proxied),
          span('response_span', newSpanId(), headMs, endMs),
        ]
      : [
          span('rewrite', newSpanId(), startMs, rewriteEnd),
          span('access', newSpanId(), rewriteEnd, accessEnd),
          span('proxy', trace.proxyId, accessEnd, endMs, proxied),
          span('body_filter', newSpanId(), headMs, endMs, { parentId: trace.proxyId }),
        ];
  return [
    ...children,
    span('request', trace.requestId, startMs, endMs, {
      kind: 'SERVER',
      parentId: trace.parentId,
      remoteEndpoint,
      tags: {
        component: 'apisix',
        'http.method': context.head.method,
        'http.url': context.head.target,
        'http.status_code': String(context.response?.status ?? 0),
        'apisix.response_source': context.response?.source ?? 'nginx',
      },
    }),
  ];
}
