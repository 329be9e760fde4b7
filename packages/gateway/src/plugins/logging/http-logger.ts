import { BATCH_FIELDS, type BatchFields } from '../batch/batch-fields.ts';
import { createHttpSink } from '../batch/http-sink.ts';
import { definePlugin } from '../plugin.ts';
import { urlFault } from '../url-fault.ts';
import { batchedLog, entriesJson } from './batched-log.ts';
import type { LogEntry } from './log-entry.ts';
import { LOG_FIELDS, LOG_METADATA_SCHEMA, type LogFields, logFieldsFault } from './log-fields.ts';
import { LOG_URI } from './log-uri.ts';

interface HttpLogger extends BatchFields, LogFields {
  readonly uri: string;
  readonly auth_header?: string;
  readonly timeout: number;
  readonly concat_method: 'json' | 'new_line';
  readonly ssl_verify: boolean;
}

/** Posts an entry of each request to a URL, in batches. */
export const httpLogger = definePlugin<HttpLogger>({
  name: 'http-logger',
  priority: 410,
  observes: true,
  summary: 'Posts an entry of each request to a URL, in batches.',
  secretFields: ['auth_header'],
  schema: {
    type: 'object',
    properties: {
      uri: LOG_URI,
      auth_header: { type: 'string' },
      timeout: { type: 'integer', minimum: 1, default: 3 },
      concat_method: { type: 'string', enum: ['json', 'new_line'], default: 'json' },
      ssl_verify: { type: 'boolean', default: false },
      ...LOG_FIELDS,
      ...BATCH_FIELDS,
    },
    required: ['uri'],
  },
  metadataSchema: LOG_METADATA_SCHEMA,
  check: (conf) => urlFault('uri', conf.uri) ?? logFieldsFault(conf),
  create(conf, environment) {
    const sink = createHttpSink({
      url: new URL(conf.uri),
      timeoutMs: conf.timeout * 1_000,
      verifiesTls: conf.ssl_verify,
      isTaken: (status) => status < 400,
      mayRetry: () => true,
    });
    const headers = {
      'Content-Type': conf.concat_method === 'json' ? 'application/json' : 'text/plain',
      ...(conf.auth_header === undefined ? {} : { Authorization: conf.auth_header }),
    };
    return batchedLog(conf, environment, {
      name: 'http logger',
      send: (entries) => sink.post(bodyOf(entries, conf), headers),
      close: sink.close,
    });
  },
});

function bodyOf(entries: readonly LogEntry[], conf: HttpLogger): string {
  if (conf.concat_method === 'json') return entriesJson(entries, conf);
  return entries.map((entry) => JSON.stringify(entry)).join('\n');
}
