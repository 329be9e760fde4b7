import { BATCH_FIELDS, type BatchFields, batchOptions } from '../batch/batch-fields.ts';
import { createBatchProcessor } from '../batch/batch-processor.ts';
import { createHttpSink, type HttpSink } from '../batch/http-sink.ts';
import { definePlugin } from '../plugin.ts';
import { urlFault } from '../url-fault.ts';
import { formatted, type LogEntry } from './log-entry.ts';
import { LOG_FIELDS, LOG_METADATA_SCHEMA, type LogFields, logFieldsFault } from './log-fields.ts';
import { createRequestLog } from './request-log.ts';

interface LokiLogger extends BatchFields, LogFields {
  readonly endpoint_addrs: readonly string[];
  readonly endpoint_uri: string;
  readonly tenant_id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly log_labels: Readonly<Record<string, string>>;
  readonly ssl_verify: boolean;
  readonly timeout: number;
}

interface LokiEntry {
  readonly labels: LogEntry;
  /** Unix time in nanoseconds. */
  readonly timeNs: string;
  readonly line: string;
}

const TEXTS = { type: 'object', additionalProperties: { type: 'string', minLength: 1 } } as const;

/** Pushes an entry of each request to Grafana Loki, in batches. */
export const lokiLogger = definePlugin<LokiLogger>({
  name: 'loki-logger',
  priority: 414,
  observes: true,
  summary: 'Pushes an entry of each request to Grafana Loki, in batches.',
  schema: {
    type: 'object',
    properties: {
      endpoint_addrs: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'string',
          pattern: '^[^/]+://([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?$',
        },
      },
      endpoint_uri: { type: 'string', minLength: 1, default: '/loki/api/v1/push' },
      tenant_id: { type: 'string', default: 'fake' },
      headers: { ...TEXTS, default: {} },
      log_labels: { ...TEXTS, default: { job: 'apisix' } },
      ssl_verify: { type: 'boolean', default: false },
      timeout: { type: 'integer', minimum: 1, maximum: 60_000, default: 3000 },
      keepalive: { type: 'boolean', default: true },
      keepalive_timeout: { type: 'integer', minimum: 1000, default: 60_000 },
      keepalive_pool: { type: 'integer', minimum: 1, default: 5 },
      ...LOG_FIELDS,
      ...BATCH_FIELDS,
    },
    required: ['endpoint_addrs'],
  },
  metadataSchema: LOG_METADATA_SCHEMA,
  check: (conf) => urlFault('endpoint_addrs', ...conf.endpoint_addrs) ?? logFieldsFault(conf),
  create(conf, environment) {
    const log = createRequestLog(conf, environment);
    const sinks: readonly HttpSink[] = conf.endpoint_addrs.map((address) =>
      createHttpSink({
        url: new URL(conf.endpoint_uri, address),
        timeoutMs: conf.timeout,
        verifiesTls: conf.ssl_verify,
        isTaken: (status) => status < 300,
        mayRetry: () => true,
      }),
    );
    const headers = {
      'Content-Type': 'application/json',
      'X-Scope-OrgID': conf.tenant_id,
      ...conf.headers,
    };
    let turn = 0;
    const batch = createBatchProcessor<LokiEntry>(
      batchOptions(conf, 'loki logger', environment.metadata()),
      {
        book: environment.batches,
        async send(entries) {
          turn += 1;
          const sink = sinks[turn % sinks.length];
          return sink?.post(JSON.stringify({ streams: streamsOf(entries) }), headers);
        },
        warn: environment.warn,
        now: environment.now,
      },
    );
    return {
      ...log.handlers,
      log(context) {
        const entry = {
          labels: formatted(context, conf.log_labels, 1),
          timeNs: `${Math.floor(context.startMs)}000000`,
          line: JSON.stringify(log.entry(context)),
        };
        batch.push(entry, context.route?.id ?? '', context.peer.localAddress);
      },
      async close() {
        await batch.close();
        for (const sink of sinks) sink.close();
      },
    };
  },
});

/** One stream for each set of labels, each in the order of its entries. */
function streamsOf(entries: readonly LokiEntry[]) {
  const streams = new Map<string, { stream: LogEntry; values: [string, string][] }>();
  for (const { labels, timeNs, line } of entries) {
    const stream = Object.fromEntries(Object.entries(labels).map(([k, v]) => [k, String(v)]));
    const key = JSON.stringify(stream);
    const known = streams.get(key) ?? { stream, values: [] };
    known.values.push([timeNs, line]);
    streams.set(key, known);
  }
  return [...streams.values()];
}
