// For tests: a program with OpenTelemetry's own SDK, in a process of its own as in real life (the
// test runner's import conditions would pick builds of the SDK that Node cannot load).
// Usage: node sdk-sender.mjs PROTOCOL URL COMPRESSION; prints the trace id once all is sent.
import { context, SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const EXPORTERS = { grpc: GrpcExporter, json: JsonExporter, protobuf: ProtoExporter };
const [, , protocol, url, compression] = process.argv;
const exporter = new EXPORTERS[protocol]({ url, compression });
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'cart' }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
const tracer = provider.getTracer('shop', '1.0');

/** A client span and, below it, a server and an internal span. */
function begin(name, kind, parent) {
  const attributes = { 'http.request.method': 'GET', n: 1 };
  const under = parent === undefined ? context.active() : trace.setSpan(context.active(), parent);
  return tracer.startSpan(name, { kind, attributes }, under);
}
const client = begin('call', SpanKind.CLIENT);
const answer = begin('answer', SpanKind.SERVER, client);
const inner = begin('inner', SpanKind.INTERNAL, answer);
for (const span of [inner, answer, client]) span.end();
await provider.forceFlush();
await provider.shutdown();
console.log(client.spanContext().traceId);
