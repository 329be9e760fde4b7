import { BATCH_FIELDS, type BatchFields } from '../batch/batch-fields.ts';
import { sendDatagrams, sendStream } from '../batch/socket-sink.ts';
import { definePlugin } from '../plugin.ts';
import { batchedLog } from './batched-log.ts';
import type { LogEntry } from './log-entry.ts';
import {
  LOG_FIELDS,
  LOG_METADATA_SCHEMA,
  type LogFields,
  logFieldsFault,
  type SocketFields,
} from './log-fields.ts';

interface Syslog extends BatchFields, LogFields, SocketFields {
  readonly timeout: number;
  readonly sock_type: 'tcp' | 'udp';
  readonly tls: boolean;
}

/** Facility 5 (syslog) and severity 6 (informational): 5 × 8 + 6. Source: RFC 5424 §6.2.1. */
const PRIORITY = 46;

/** Sends an entry of each request to a syslog server, in batches. */
export const syslog = definePlugin<Syslog>({
  name: 'syslog',
  priority: 401,
  observes: true,
  summary: 'Sends an entry of each request to a syslog server (RFC 5424), in batches.',
  example: { host: '127.0.0.1', port: 514, sock_type: 'udp' },
  notes: [
    'Over TCP each message ends with a line feed, and each batch has a connection of its own.',
    '`flush_limit`, `drop_limit` and `pool_size` are taken and mean nothing here.',
  ],
  schema: {
    type: 'object',
    properties: {
      host: { type: 'string' },
      port: { type: 'integer' },
      flush_limit: { type: 'integer', minimum: 1, default: 4096 },
      drop_limit: { type: 'integer', default: 1_048_576 },
      timeout: { type: 'integer', minimum: 1, default: 3000, description: 'milliseconds' },
      sock_type: { type: 'string', enum: ['tcp', 'udp'], default: 'tcp' },
      pool_size: { type: 'integer', minimum: 5, default: 5 },
      tls: { type: 'boolean', default: false },
      ...LOG_FIELDS,
      ...BATCH_FIELDS,
    },
    required: ['host', 'port'],
  },
  metadataSchema: LOG_METADATA_SCHEMA,
  check: logFieldsFault,
  create(conf, environment) {
    const { host, port, timeout, tls } = conf;
    const address = { host, port, timeoutMs: timeout, hasTls: tls, serverName: undefined };
    const message = (entry: LogEntry): string => {
      const time = new Date(environment.now()).toISOString();
      const { hostname } = environment.facts;
      return `<${PRIORITY}>1 ${time} ${hostname} apisix ${process.pid} - - ${JSON.stringify(entry)}`;
    };
    return batchedLog(conf, environment, {
      name: 'sys logger',
      send: (entries) => {
        const messages = entries.map(message);
        if (conf.sock_type === 'udp') return sendDatagrams(address, messages);
        return sendStream(address, messages.map((line) => `${line}\n`).join(''));
      },
    });
  },
});
