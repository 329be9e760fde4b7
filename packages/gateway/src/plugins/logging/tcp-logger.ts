import { BATCH_FIELDS, type BatchFields } from '../batch/batch-fields.ts';
import { sendStream } from '../batch/socket-sink.ts';
import { definePlugin } from '../plugin.ts';
import { batchedLog, entriesJson } from './batched-log.ts';
import {
  LOG_FIELDS,
  LOG_METADATA_SCHEMA,
  type LogFields,
  logFieldsFault,
  SOCKET_FIELDS,
  type SocketFields,
} from './log-fields.ts';

interface TcpLogger extends BatchFields, LogFields, SocketFields {
  readonly tls: boolean;
  readonly tls_options?: string;
  readonly timeout: number;
}

/** Writes an entry of each request to a TCP server, in batches: a connection each. */
export const tcpLogger = definePlugin<TcpLogger>({
  name: 'tcp-logger',
  priority: 405,
  observes: true,
  summary: 'Writes an entry of each request to a TCP server, a connection for each batch.',
  example: { host: '127.0.0.1', port: 5044, batch_max_size: 1 },
  schema: {
    type: 'object',
    properties: {
      ...SOCKET_FIELDS,
      tls: { type: 'boolean', default: false },
      tls_options: { type: 'string', description: 'name for the handshake' },
      timeout: { type: 'integer', minimum: 1, default: 1000, description: 'milliseconds' },
      ...LOG_FIELDS,
      ...BATCH_FIELDS,
    },
    required: ['host', 'port'],
  },
  metadataSchema: LOG_METADATA_SCHEMA,
  check: logFieldsFault,
  create(conf, environment) {
    const { host, port, tls, tls_options, timeout } = conf;
    const address = { host, port, timeoutMs: timeout, hasTls: tls, serverName: tls_options };
    return batchedLog(conf, environment, {
      name: 'tcp logger',
      send: (entries) => sendStream(address, entriesJson(entries, conf)),
    });
  },
});
