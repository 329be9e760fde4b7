import { hexOctets, parseTraceparent, spanOctets } from '@thalweg/wire';
import { field } from '../../core/http/header-fields.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { definePlugin } from '../plugin.ts';
import { newRandomId, type RandomId, SPAN_ID_BYTES, TRACE_ID_BYTES } from '../trace-ids.ts';
import { urlFault } from '../url-fault.ts';
import { createRequestSpans, type TraceState } from './request-spans.ts';
import { isSampled, SAMPLER, type SamplerConf } from './sampler.ts';
import { TRACING_METADATA, tracingSettings } from './settings.ts';
import { createSpanExporter } from './span-exporter.ts';

interface OpenTelemetry {
  readonly sampler: SamplerConf;
  readonly additional_attributes?: readonly string[];
  readonly additional_header_prefix_attributes?: readonly string[];
}

const NAMES = { type: 'array', items: { type: 'string', minLength: 1 } } as const;
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;

/** Makes a trace of each request and sends it as OTLP: a SERVER span, a CLIENT span for each try. */
export const opentelemetry = definePlugin<OpenTelemetry>({
  name: 'opentelemetry',
  priority: 12009,
  observes: true,
  summary: 'Sends a trace of each request to an OpenTelemetry collector.',
  schema: {
    type: 'object',
    properties: {
      sampler: SAMPLER,
      additional_attributes: NAMES,
      additional_header_prefix_attributes: NAMES,
    },
  },
  metadataSchema: TRACING_METADATA,
  checkMetadata: (conf) => urlFault('collector.address', tracingSettings({}, conf).collectorUrl),
  create(conf, environment) {
    const settings = tracingSettings(environment.attributes, environment.metadata());
    const exporter = environment.lasting(() => createSpanExporter(environment)).for(settings);
    const state = Symbol('trace');
    const spans = createRequestSpans({
      variables: conf.additional_attributes ?? [],
      headers: (conf.additional_header_prefix_attributes ?? []).map((name) => name.toLowerCase()),
    });

    function begin(context: RequestContext): TraceState {
      const { headers } = context;
      const given = headers.get('traceparent');
      const parent = given === undefined ? undefined : parseTraceparent(given);
      const parentFlag = parent === undefined ? undefined : isFlagged(given ?? '');
      // W3C Trace Context §3.3: without a traceparent that can be read tracestate means nothing.
      if (parent === undefined && headers.has('tracestate')) headers.remove('tracestate');
      const traceId =
        parent === undefined
          ? ownTraceId(context, settings.traceIdSource)
          : knownId(parent.traceId);
      return {
        traceId,
        spanId: newRandomId(SPAN_ID_BYTES),
        parentSpanId: parent === undefined ? '' : hexOctets(parent.spanId),
        traceState: headers.joined('tracestate') ?? '',
        isSampled: isSampled(conf.sampler, traceId.hex, parentFlag),
        clientIds: [],
      };
    }

    return {
      rewrite(context) {
        const trace = begin(context);
        context.setSlot(state, trace);
        propagate(context, trace, trace.spanId.hex);
        if (settings.setsVariables) {
          const { isSampled: flag } = trace;
          const { hex: traceId } = trace.traceId;
          const { hex: spanId } = trace.spanId;
          context.setVariable(
            'opentelemetry_context_traceparent',
            traceparent(traceId, spanId, flag),
          );
          context.setVariable('opentelemetry_trace_id', traceId);
          context.setVariable('opentelemetry_span_id', spanId);
        }
        return undefined;
      },
      before_proxy(context) {
        const trace = context.slot<TraceState>(state);
        if (trace === undefined || !trace.isSampled || !settings.hasClientSpans) return;
        const id = newRandomId(SPAN_ID_BYTES);
        trace.clientIds[context.tries.length - 1] = id.octets;
        propagate(context, trace, id.hex);
      },
      log(context) {
        const trace = context.slot<TraceState>(state);
        if (trace === undefined || !trace.isSampled) return;
        // Children first: a reader that takes the last span of a post finds the request.
        let text = '';
        for (const time of context.phases ?? []) text += spanOctets(spans.phase(trace, time));
        if (settings.hasClientSpans) {
          for (let i = 0; i < context.tries.length; i++) {
            text += spanOctets(spans.client(context, trace, i));
          }
        }
        text += spanOctets(spans.server(context, trace));
        const octets = Buffer.from(text, 'latin1');
        exporter.push(octets, context.route?.id ?? '', context.peer.localAddress);
      },
      close: () => exporter.close(),
    };
  },
});

/** The id that the client's `X-Request-Id` is, where it can be one; else a random one. */
function ownTraceId(context: RequestContext, source: 'random' | 'x-request-id'): RandomId {
  if (source !== 'x-request-id') return newRandomId(TRACE_ID_BYTES);
  const given = (
    context.headers.get('x-request-id') ??
    context.variable('request_id') ??
    ''
  ).toLowerCase();
  return TRACE_ID.test(given) ? knownId(given) : newRandomId(TRACE_ID_BYTES);
}

function knownId(hex: string): RandomId {
  return { hex, octets: hexOctets(hex) };
}

function propagate(
  context: RequestContext,
  { traceId, isSampled: flag }: TraceState,
  id: string,
): void {
  context.headers.put(field('traceparent', 'traceparent', traceparent(traceId.hex, id, flag)));
}

function traceparent(traceId: string, spanId: string, isFlag: boolean): string {
  return `00-${traceId}-${spanId}-${isFlag ? '01' : '00'}`;
}

/** The sampled flag of a traceparent that `parseTraceparent` has read. */
function isFlagged(given: string): boolean {
  return (Number.parseInt(given.slice(53, 55), 16) & 1) === 1;
}
