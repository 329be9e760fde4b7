import { hostname } from 'node:os';
import type { OwnMessage } from '../../core/own-log.ts';
import {
  BATCH_FIELDS,
  type BatchFields,
  batchOptions,
  PENDING_FIELD,
} from '../batch/batch-fields.ts';
import { createBatchProcessor, type SendFailure } from '../batch/batch-processor.ts';
import { createHttpSink, type HttpSink } from '../batch/http-sink.ts';
import { sendStream } from '../batch/socket-sink.ts';
import { definePlugin, type PluginEnvironment } from '../plugin.ts';
import { urlFault } from '../url-fault.ts';
import { SOCKET_FIELDS, type SocketFields } from './log-fields.ts';

interface ErrorLog extends BatchFields {
  readonly tcp?: SocketFields & { readonly tls: boolean; readonly tls_server_name?: string };
  readonly skywalking?: {
    readonly endpoint_addr: string;
    readonly service_name: string;
    readonly service_instance_name: string;
  };
  readonly clickhouse?: {
    readonly endpoint_addr: string;
    readonly user: string;
    readonly password: string;
    readonly database: string;
    readonly logtable: string;
  };
  readonly kafka?: object;
  readonly level: keyof typeof RANKS;
  readonly timeout: number;
}

/** A receiver of messages, each with its line. */
interface Sink {
  send(messages: readonly OwnMessage[]): Promise<SendFailure | undefined>;
  close(): void;
}

/** Source: nginx, `error_log`; the severe ones are low. */
const RANKS = {
  ...{ STDERR: 0, EMERG: 1, ALERT: 2, CRIT: 3, ERR: 4, ERROR: 4 },
  ...{ WARN: 5, NOTICE: 6, INFO: 7, DEBUG: 8 },
} as const;
const RANK_OF = { error: RANKS.ERR, warn: RANKS.WARN } as const;
const HTTP_URL = { type: 'string', pattern: '^https?://' } as const;

/** Sends what the gateway says of itself, not of requests: its warnings and errors. */
export const errorLogLogger = definePlugin<Record<string, never>>({
  name: 'error-log-logger',
  priority: 1091,
  observes: true,
  summary:
    "Sends the gateway's own warnings and errors to TCP, SkyWalking or ClickHouse, in batches.",
  notes: [
    'All is set in plugin metadata, and begins with it; routes and services have nothing to set. Of several processes the first one sends for all.',
    'A message is a warning, or an error where a plugin has failed a request or a process has ended: `level` ERR sends the errors, WARN and below both, what is above ERR nothing.',
    "Lines are as in nginx's error log, times in UTC. What this plugin itself warns of, lost messages, is not sent.",
    '`kafka` is refused: send by `tcp` to what writes to Kafka (Vector, Fluent Bit). `keepalive` is taken and means nothing: over TCP each batch has a connection of its own.',
  ],
  schema: { type: 'object', properties: {}, additionalProperties: false },
  secretFields: ['clickhouse.password'],
  metadataSchema: {
    type: 'object',
    properties: {
      tcp: {
        type: 'object',
        properties: {
          ...SOCKET_FIELDS,
          tls: { type: 'boolean', default: false },
          tls_server_name: { type: 'string' },
        },
        required: ['host', 'port'],
      },
      skywalking: {
        type: 'object',
        properties: {
          endpoint_addr: { ...HTTP_URL, default: 'http://127.0.0.1:12900/v3/logs' },
          service_name: { type: 'string', default: 'APISIX' },
          service_instance_name: {
            type: 'string',
            default: 'APISIX Service Instance',
            description: "`$hostname` stands for the machine's name",
          },
        },
      },
      clickhouse: {
        type: 'object',
        properties: {
          endpoint_addr: { ...HTTP_URL, default: 'http://127.0.0.1:8123' },
          user: { type: 'string', default: 'default' },
          password: { type: 'string', default: '' },
          database: { type: 'string', default: '' },
          logtable: { type: 'string', default: '', description: 'has a column `data`' },
        },
        required: ['endpoint_addr', 'user', 'password', 'database', 'logtable'],
      },
      kafka: { type: 'object' },
      level: { type: 'string', enum: Object.keys(RANKS), default: 'WARN' },
      timeout: { type: 'integer', minimum: 1, default: 3, description: 'seconds' },
      keepalive: { type: 'integer', minimum: 1, default: 30 },
      ...BATCH_FIELDS,
      inactive_timeout: { ...BATCH_FIELDS.inactive_timeout, default: 3 },
      ...PENDING_FIELD,
    },
    oneOf: ['tcp', 'skywalking', 'clickhouse', 'kafka'].map((name) => ({ required: [name] })),
  },
  checkMetadata(conf) {
    // Checked edge: the schema has accepted it, and its defaults are in.
    const { kafka, skywalking, clickhouse } = conf as unknown as ErrorLog;
    if (kafka !== undefined) {
      return 'property "kafka" validation failed: nothing here speaks to Kafka; send by "tcp" to what does';
    }
    const http = [skywalking, clickhouse].flatMap((one) => one?.endpoint_addr ?? []);
    return urlFault('endpoint_addr', ...http);
  },
  create: () => ({}),
  background(environment) {
    let isOwn = false;
    /** Told on the terminal, and not to a receiver that may be the reason. */
    const warn = (message: string): void => {
      isOwn = true;
      environment.warn(message);
      isOwn = false;
    };
    let shipment = openShipment(environment, warn);
    const stop = environment.ownLog.subscribe((message) => {
      if (!isOwn) shipment?.push(message);
    });
    return {
      renew() {
        void shipment?.close();
        shipment = openShipment(environment, warn);
      },
      async close() {
        stop();
        await shipment?.close();
      },
    };
  },
});

interface Shipment {
  push(message: OwnMessage): void;
  /** Sends what is held. */
  close(): Promise<void>;
}

/** Undefined while there is no metadata. */
function openShipment(
  { settings, batches: book, now }: PluginEnvironment,
  warn: (message: string) => void,
): Shipment | undefined {
  // Checked edge: the metadata's schema has accepted it, and its defaults are in.
  const conf = settings() as ErrorLog | undefined;
  if (conf === undefined) return undefined;
  const sink = sinkOf(conf);
  const batch = createBatchProcessor<OwnMessage>(
    batchOptions(conf, 'error-log-logger', settings()),
    {
      book,
      send: sink.send,
      warn,
      now,
    },
  );
  return {
    push(message) {
      if (RANK_OF[message.severity] <= RANKS[conf.level]) batch.push(message, '', '');
    },
    async close() {
      await batch.close();
      sink.close();
    },
  };
}

function sinkOf({ tcp, skywalking, clickhouse, timeout }: ErrorLog): Sink {
  const timeoutMs = timeout * 1_000;
  if (skywalking !== undefined) return skywalkingSink(skywalking, timeoutMs);
  if (clickhouse !== undefined) return clickhouseSink(clickhouse, timeoutMs);
  const { host = '', port = 0, tls = false, tls_server_name: serverName } = tcp ?? {};
  const address = { host, port, timeoutMs, hasTls: tls, serverName };
  return {
    send: (messages) => sendStream(address, messages.map((one) => `${lineOf(one)}\n`).join('')),
    close: () => undefined,
  };
}

/** Source: SkyWalking's `LogData`, as `/v3/logs` takes a list of them. */
function skywalkingSink(given: NonNullable<ErrorLog['skywalking']>, timeoutMs: number): Sink {
  const { post, close } = httpSink(given.endpoint_addr, timeoutMs);
  const { service_name: service, service_instance_name: instance } = given;
  const serviceInstance = instance === '$hostname' ? hostname() : instance;
  return {
    send(messages) {
      const list = messages.map((one) => ({
        timestamp: one.timeMs,
        service,
        serviceInstance,
        endpoint: '',
        body: { text: { text: lineOf(one) } },
      }));
      return post(JSON.stringify(list), { 'Content-Type': 'application/json' });
    },
    close,
  };
}

function clickhouseSink(
  { endpoint_addr, user, password, database, logtable }: NonNullable<ErrorLog['clickhouse']>,
  timeoutMs: number,
): Sink {
  const { post, close } = httpSink(endpoint_addr, timeoutMs);
  const headers = {
    'Content-Type': 'application/json',
    'X-ClickHouse-User': user,
    'X-ClickHouse-Key': password,
    'X-ClickHouse-Database': database,
  };
  return {
    send(messages) {
      const rows = messages.map((one) => JSON.stringify({ data: lineOf(one) })).join(' ');
      return post(`INSERT INTO ${logtable} FORMAT JSONEachRow ${rows}`, headers);
    },
    close,
  };
}

function httpSink(url: string, timeoutMs: number): HttpSink {
  return createHttpSink({
    url: new URL(url),
    timeoutMs,
    verifiesTls: false,
    isTaken: (status) => status < 400,
    mayRetry: () => true,
  });
}

/** `2026/11/30 19:00:00 [warn] 123#0: …` */
function lineOf({ severity, text, timeMs }: OwnMessage): string {
  const time = new Date(timeMs).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
  return `${time} [${severity}] ${process.pid}#0: ${text}`;
}
