import { tracesRequest } from '@thalweg/wire';
import { type BatchProcessor, createBatchProcessor } from '../batch/batch-processor.ts';
import { createHttpSink } from '../batch/http-sink.ts';
import type { PluginEnvironment } from '../plugin.ts';
import type { TracingSettings } from './settings.ts';

/** The spans of one request, as octets of `spanOctets`: they travel together. */
export type RequestSpans = Uint8Array;

/** The one way of spans to the collector, for all routes of the gateway. */
export interface SpanExporter {
  /** The way for these settings; when they have changed, what the old one holds is still sent. */
  for(settings: TracingSettings): BatchProcessor<RequestSpans>;
}

/** APISIX's scope: its users' queries and dashboards look for it. */
const SCOPE = { name: 'opentelemetry-lua', version: '' } as const;
/** Tries for one batch; source: APISIX makes three. */
const RETRIES_MAX = 2;
const RETRY_MS = 1_000;
/** Source: OTLP/HTTP, "Retryable Response Codes". */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function createSpanExporter(environment: PluginEnvironment): SpanExporter {
  let current: { readonly key: string; readonly way: BatchProcessor<RequestSpans> } | undefined;

  function open(settings: TracingSettings): BatchProcessor<RequestSpans> {
    const { facts } = environment;
    const sink = createHttpSink({
      url: new URL(settings.collectorUrl),
      timeoutMs: settings.requestTimeoutMs,
      verifiesTls: true,
      isTaken: (status) => status >= 200 && status < 300,
      mayRetry: (status) => RETRYABLE.has(status),
    });
    const headers = { 'Content-Type': 'application/x-protobuf', ...settings.requestHeaders };
    const resource = Object.entries({
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'thalweg',
      'telemetry.sdk.version': facts.version,
      hostname: facts.hostname,
      ...settings.resource,
    });
    return createBatchProcessor<RequestSpans>(
      {
        name: 'opentelemetry',
        batchMax: settings.batchMax,
        inactiveMs: settings.inactiveMs,
        bufferMs: settings.batchTimeoutMs,
        retriesMax: RETRIES_MAX,
        retryMs: RETRY_MS,
        pendingMax: settings.queueMax,
      },
      {
        book: environment.batches,
        send: (spans) => sink.post(tracesRequest(resource, SCOPE, spans), headers),
        warn: environment.warn,
        now: environment.now,
      },
    );
  }

  return {
    for(settings) {
      const key = JSON.stringify(settings);
      if (current?.key !== key) {
        void current?.way.close();
        current = { key, way: open(settings) };
      }
      return current.way;
    },
  };
}
