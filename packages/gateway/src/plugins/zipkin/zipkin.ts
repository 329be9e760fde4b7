import { isIP } from 'node:net';
import type { RequestContext } from '../../core/request-context.ts';
import { createBatchProcessor } from '../batch/batch-processor.ts';
import { createHttpSink } from '../batch/http-sink.ts';
import { definePlugin } from '../plugin.ts';
import { newSpanId, newTraceId } from '../trace-ids.ts';
import { urlFault } from '../url-fault.ts';
import { readB3 } from './b3.ts';
import { type TracedRequest, zipkinSpans } from './zipkin-spans.ts';

export interface Zipkin {
  readonly endpoint: string;
  readonly sample_ratio: number;
  readonly service_name: string;
  readonly server_addr?: string;
  readonly span_version: 1 | 2;
}

/** As APISIX's batches go: after 5 s, or 1,000 requests. Sizes count requests. */
const BATCH = {
  name: 'zipkin',
  batchMax: 1_000,
  inactiveMs: 5_000,
  bufferMs: 10_000,
  retriesMax: 1,
  retryMs: 1_000,
  pendingMax: 8_192,
} as const;
const TIMEOUT_MS = 3_000;

/** Makes a trace of each request, propagates it in B3 headers and posts it to Zipkin. */
export const zipkin = definePlugin<Zipkin>({
  name: 'zipkin',
  priority: 12011,
  observes: true,
  summary: 'Sends a trace of each request to Zipkin, with B3 headers.',
  schema: {
    type: 'object',
    properties: {
      endpoint: { type: 'string' },
      sample_ratio: { type: 'number', minimum: 0.000_01, maximum: 1 },
      service_name: { type: 'string', default: 'APISIX' },
      server_addr: {
        type: 'string',
        description: 'default is $server_addr, you can specify your external ip address',
        pattern: '^[0-9]{1,3}.[0-9]{1,3}.[0-9]{1,3}.[0-9]{1,3}$',
      },
      span_version: { enum: [1, 2], default: 2 },
    },
    required: ['endpoint', 'sample_ratio'],
  },
  check: ({ endpoint }) => urlFault('endpoint', endpoint),
  create(conf, environment) {
    const state = Symbol('trace');
    const setsVariables = environment.attributes['set_ngx_var'] === true;
    const sink = createHttpSink({
      url: new URL(conf.endpoint),
      timeoutMs: TIMEOUT_MS,
      verifiesTls: false,
      isTaken: (status) => status < 300,
      mayRetry: (status) => status >= 500 || status === 429,
    });
    const batch = createBatchProcessor<readonly object[]>(BATCH, {
      book: environment.batches,
      send: (traces) =>
        sink.post(JSON.stringify(traces.flat()), { 'Content-Type': 'application/json' }),
      warn: environment.warn,
      now: environment.now,
    });

    return {
      rewrite(context) {
        const b3 = readB3(context.headers);
        if (b3 === undefined) return { status: 400, body: 'invalid b3 header' };
        const trace: TracedRequest = {
          traceId: b3.traceId ?? newTraceId(),
          requestId: newSpanId(),
          proxyId: newSpanId(),
          parentId: b3.spanId,
          isSampled: b3.isSampled ?? Math.random() < conf.sample_ratio,
          rewriteEndMs: 0,
          accessEndMs: 0,
          headMs: 0,
        };
        context.setSlot(state, trace);
        propagate(context, trace, b3.isDebug);
        if (setsVariables) {
          const flag = trace.isSampled ? '01' : '00';
          const { traceId, requestId } = trace;
          const whole = `00-${traceId.padStart(32, '0')}-${requestId}-${flag}`;
          context.setVariable('zipkin_context_traceparent', whole);
          context.setVariable('zipkin_trace_id', traceId);
          context.setVariable('zipkin_span_id', requestId);
        }
        trace.rewriteEndMs = environment.now();
        return undefined;
      },
      access(context) {
        const trace = context.slot<TracedRequest>(state);
        if (trace !== undefined) trace.accessEndMs = environment.now();
        return undefined;
      },
      header_filter(context) {
        const trace = context.slot<TracedRequest>(state);
        if (trace !== undefined) trace.headMs = environment.now();
      },
      log(context) {
        const trace = context.slot<TracedRequest>(state);
        if (trace === undefined || !trace.isSampled) return;
        const local = conf.server_addr ?? context.peer.localAddress;
        const endpoint = endpointOf(local, context.peer.localPort);
        const spans = zipkinSpans(context, trace, {
          localEndpoint: { serviceName: conf.service_name, ...endpoint },
          remoteEndpoint: endpointOf(context.peer.address, context.peer.port),
          version: conf.span_version,
        });
        batch.push(spans, context.route?.id ?? '', context.peer.localAddress);
      },
      async close() {
        await batch.close();
        sink.close();
      },
    };
  },
});

/** The upstream's parent is the proxy span; without sampling there is only the one of the request. */
function propagate({ headers }: RequestContext, trace: TracedRequest, isDebug: boolean): void {
  headers.remove('b3');
  headers.set('x-b3-traceid', trace.traceId);
  headers.set('x-b3-spanid', trace.isSampled ? trace.proxyId : trace.requestId);
  const parent = trace.isSampled ? trace.requestId : trace.parentId;
  if (parent === undefined) headers.remove('x-b3-parentspanid');
  else headers.set('x-b3-parentspanid', parent);
  headers.set('x-b3-sampled', trace.isSampled ? '1' : '0');
  if (isDebug) headers.set('x-b3-flags', '1');
}

function endpointOf(address: string, port: number): Readonly<Record<string, string | number>> {
  return isIP(address) === 6 ? { ipv6: address, port } : { ipv4: address, port };
}
