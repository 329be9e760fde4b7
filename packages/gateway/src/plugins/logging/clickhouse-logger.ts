import { BATCH_FIELDS, type BatchFields } from '../batch/batch-fields.ts';
import { createHttpSink } from '../batch/http-sink.ts';
import { definePlugin } from '../plugin.ts';
import { urlFault } from '../url-fault.ts';
import { batchedLog } from './batched-log.ts';
import { LOG_FIELDS, LOG_METADATA_SCHEMA, type LogFields, logFieldsFault } from './log-fields.ts';
import { LOG_URI } from './log-uri.ts';

interface ClickhouseLogger extends BatchFields, LogFields {
  readonly endpoint_addr?: string;
  readonly endpoint_addrs?: readonly string[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly logtable: string;
  readonly timeout: number;
  readonly ssl_verify: boolean;
}

/** Inserts an entry of each request into a ClickHouse table over HTTP, in batches. */
export const clickhouseLogger = definePlugin<ClickhouseLogger>({
  name: 'clickhouse-logger',
  priority: 398,
  observes: true,
  summary: 'Inserts an entry of each request into a ClickHouse table, in batches.',
  example: {
    endpoint_addrs: ['http://127.0.0.1:8123'],
    user: 'default',
    password: '',
    database: 'default',
    logtable: 'requests',
  },
  notes: ['Several `endpoint_addrs` get batches in turn.'],
  secretFields: ['password'],
  schema: {
    type: 'object',
    properties: {
      endpoint_addr: LOG_URI,
      endpoint_addrs: { type: 'array', minItems: 1, items: LOG_URI },
      user: { type: 'string', default: '' },
      password: { type: 'string', default: '' },
      database: { type: 'string', default: '' },
      logtable: { type: 'string', default: '' },
      timeout: { type: 'integer', minimum: 1, default: 3, description: 'seconds' },
      ssl_verify: { type: 'boolean', default: true },
      ...LOG_FIELDS,
      ...BATCH_FIELDS,
    },
    oneOf: [
      { required: ['endpoint_addr', 'user', 'password', 'database', 'logtable'] },
      { required: ['endpoint_addrs', 'user', 'password', 'database', 'logtable'] },
    ],
  },
  metadataSchema: LOG_METADATA_SCHEMA,
  check: (conf) => urlFault('endpoint_addrs', ...addressesOf(conf)) ?? logFieldsFault(conf),
  create(conf, environment) {
    const { user, password, database, logtable } = conf;
    const sinks = addressesOf(conf).map((address) =>
      createHttpSink({
        url: new URL(address),
        timeoutMs: conf.timeout * 1_000,
        verifiesTls: conf.ssl_verify,
        isTaken: (status) => status < 400,
        mayRetry: () => true,
      }),
    );
    const headers = {
      'Content-Type': 'application/json',
      'X-ClickHouse-User': user,
      'X-ClickHouse-Key': password,
      'X-ClickHouse-Database': database,
    };
    let turn = 0;
    return batchedLog(conf, environment, {
      name: 'clickhouse logger',
      async send(entries) {
        turn += 1;
        const rows = entries.map((entry) => JSON.stringify(entry)).join(' ');
        const body = `INSERT INTO ${logtable} FORMAT JSONEachRow ${rows}`;
        return sinks[turn % sinks.length]?.post(body, headers);
      },
      close() {
        for (const sink of sinks) sink.close();
      },
    });
  },
});

function addressesOf({ endpoint_addr, endpoint_addrs = [] }: ClickhouseLogger): readonly string[] {
  return endpoint_addr === undefined ? endpoint_addrs : [endpoint_addr];
}
