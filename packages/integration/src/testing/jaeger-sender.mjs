// For tests: OpenTelemetry's exporter for Jaeger, which sends by Jaeger's own client, in a process of
// its own. Usage: node jaeger-sender.mjs URL; prints the trace id once all is sent.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { JaegerExporter } from '@opentelemetry/exporter-jaeger';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const [, , endpoint] = process.argv;
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'cart', 'host.name': 'box' }),
  spanProcessors: [new BatchSpanProcessor(new JaegerExporter({ endpoint }))],
});
const tracer = provider.getTracer('shop');
const attributes = { 'http.request.method': 'GET', whole: 7, part: 0.5, flag: true };
const outer = tracer.startSpan('answer', { kind: SpanKind.SERVER, attributes });
const inner = tracer.startSpan(
  'call',
  {
    kind: SpanKind.CLIENT,
    links: [{ context: { ...outer.spanContext(), traceId: 'e'.repeat(32) } }],
  },
  trace.setSpan(context.active(), outer),
);
inner.addEvent('retry', { attempt: 2 });
inner.setStatus({ code: SpanStatusCode.ERROR, message: 'refused' });
for (const span of [inner, outer]) span.end();
await provider.forceFlush();
await provider.shutdown();
console.log(outer.spanContext().traceId);
