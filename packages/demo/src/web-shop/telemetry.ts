// An OpenTelemetry SDK as a shop would set it up: its own spans for HTTP and PostgreSQL, none for
// Redis. Started before anything that it patches is used.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const EXPORT_MS = 500;
const require = createRequire(import.meta.url);

/** Spans of the service `name` go to `url`, every one of them. */
export function startTelemetry(name: string, url: string): void {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': name }),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url }), { scheduledDelayMillis: EXPORT_MS }),
    ],
  });
  provider.register();
  registerInstrumentations({
    tracerProvider: provider,
    instrumentations: [new HttpInstrumentation(), new PgInstrumentation()],
  });
  // Instrumentations patch what is required after them; names imported from it follow.
  require('node:http');
  syncBuiltinESMExports();
}

/** node-postgres with the SDK's hands on it. */
export function loadPostgres(): typeof import('pg') {
  return require('pg') as typeof import('pg'); // As its own types say.
}
