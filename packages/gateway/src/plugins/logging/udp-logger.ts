import { BATCH_FIELDS, type BatchFields } from '../batch/batch-fields.ts';
import { sendDatagrams } from '../batch/socket-sink.ts';
import { definePlugin } from '../plugin.ts';
import { batchedLog, entriesJson } from './batched-log.ts';
import type { LogEntry } from './log-entry.ts';
import {
  LOG_FIELDS,
  LOG_METADATA_SCHEMA,
  type LogFields,
  logFieldsFault,
  SOCKET_FIELDS,
  type SocketFields,
} from './log-fields.ts';

interface UdpLogger extends BatchFields, LogFields, SocketFields {
  readonly timeout: number;
}

/** Octets in a datagram over IPv4: 65,535 without the heads of IP and UDP. */
const DATAGRAM_BYTES_MAX = 65_507;

/** Sends an entry of each request to a UDP receiver, in batches. */
export const udpLogger = definePlugin<UdpLogger>({
  name: 'udp-logger',
  priority: 400,
  observes: true,
  summary: 'Sends an entry of each request to a UDP receiver, in batches.',
  example: { host: '127.0.0.1', port: 5044, batch_max_size: 1 },
  notes: ['A batch that no datagram can hold is sent as several arrays.'],
  schema: {
    type: 'object',
    properties: {
      ...SOCKET_FIELDS,
      timeout: { type: 'integer', minimum: 1, default: 3, description: 'seconds' },
      ...LOG_FIELDS,
      ...BATCH_FIELDS,
    },
    required: ['host', 'port'],
  },
  metadataSchema: LOG_METADATA_SCHEMA,
  check: logFieldsFault,
  create(conf, environment) {
    const address = { host: conf.host, port: conf.port, timeoutMs: conf.timeout * 1_000 };
    return batchedLog(conf, environment, {
      name: 'udp logger',
      send: (entries) => sendDatagrams(address, datagramsOf(entries, conf)),
    });
  },
});

function datagramsOf(entries: readonly LogEntry[], conf: UdpLogger): readonly string[] {
  const text = entriesJson(entries, conf);
  if (entries.length === 1 || Buffer.byteLength(text) <= DATAGRAM_BYTES_MAX) return [text];
  const middle = Math.ceil(entries.length / 2);
  return [
    ...datagramsOf(entries.slice(0, middle), conf),
    ...datagramsOf(entries.slice(middle), conf),
  ];
}
