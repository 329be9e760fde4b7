import { createClient, createCluster } from '@redis/client';
import { timerMs } from '../../core/timer-ms.ts';

/** Fields of the limiting plugins that say where Redis is. Times in ms. */
export interface RedisFields {
  readonly policy: 'local' | 'redis' | 'redis-cluster';
  readonly redis_host?: string;
  readonly redis_port: number;
  readonly redis_username?: string;
  readonly redis_password?: string;
  readonly redis_database: number;
  readonly redis_timeout: number;
  readonly redis_ssl: boolean;
  readonly redis_ssl_verify: boolean;
  readonly redis_cluster_nodes?: readonly string[];
  readonly redis_cluster_name?: string;
}

export const REDIS_FIELDS = {
  policy: { type: 'string', enum: ['local', 'redis', 'redis-cluster'], default: 'local' },
  redis_host: { type: 'string', minLength: 2 },
  redis_port: { type: 'integer', minimum: 1, default: 6379 },
  redis_username: { type: 'string', minLength: 1 },
  redis_password: { type: 'string', minLength: 0 },
  redis_database: { type: 'integer', minimum: 0, default: 0 },
  redis_timeout: { type: 'integer', minimum: 1, default: 1000 },
  redis_ssl: { type: 'boolean', default: false },
  redis_ssl_verify: { type: 'boolean', default: false },
  redis_keepalive_timeout: { type: 'integer', minimum: 1000, default: 10_000 },
  redis_keepalive_pool: { type: 'integer', minimum: 1, default: 100 },
  redis_cluster_nodes: {
    type: 'array',
    minItems: 1,
    items: { type: 'string', minLength: 2, maxLength: 100 },
  },
  redis_cluster_name: { type: 'string' },
  redis_cluster_ssl: { type: 'boolean', default: false },
  redis_cluster_ssl_verify: { type: 'boolean', default: false },
} as const;

/** The conditions of the schema on `policy`: where Redis is must be said. */
export const REDIS_CONDITIONS = [
  {
    if: { properties: { policy: { const: 'redis' } }, required: ['policy'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['redis_host'] },
  },
  {
    if: { properties: { policy: { const: 'redis-cluster' } }, required: ['policy'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['redis_cluster_nodes', 'redis_cluster_name'] },
  },
] as const;

/** One connection to Redis, kept; everything asked of it has a time limit. */
export interface RedisConnection {
  /** Rejects when Redis cannot be asked, refuses, or takes longer than `redis_timeout`. */
  evaluate(script: string, key: string, ...values: readonly string[]): Promise<unknown>;
  close(): void;
}

/** Waits between tries to connect. */
const RECONNECT_MS = 500;
/** Commands that wait for one connection; more are refused at once. */
const COMMANDS_MAX = 10_000;

export function openRedis(fields: RedisFields, warn: (message: string) => void): RedisConnection {
  const client = fields.policy === 'redis-cluster' ? clusterOf(fields) : clientOf(fields);
  let toldOf = '';
  client.on('error', (error: unknown) => {
    const why = error instanceof Error ? error.message || error.name : String(error);
    if (why !== toldOf) warn(`redis: ${why}`);
    toldOf = why;
  });
  // Both reject for good only when they were closed; `error` has told of everything else.
  const connected = client.connect().then(
    () => true,
    () => false,
  );

  return {
    async evaluate(script, key, ...values) {
      const { promise: late, cancel } = timeout(fields.redis_timeout);
      const ask = async (): Promise<unknown> => {
        await connected;
        return client.eval(script, { keys: [key], arguments: [...values] });
      };
      try {
        return await Promise.race([ask(), late]);
      } finally {
        cancel();
      }
    },
    close: () => client.destroy(),
  };
}

function clientOf(fields: RedisFields) {
  const { redis_host: host = '127.0.0.1', redis_port: port, redis_database: database } = fields;
  return createClient({
    socket: { host, port, ...socketOf(fields) },
    database,
    disableOfflineQueue: true,
    commandsQueueMaxLength: COMMANDS_MAX,
    ...credentialsOf(fields),
  });
}

function clusterOf(fields: RedisFields) {
  const nodes = fields.redis_cluster_nodes ?? [];
  return createCluster({
    rootNodes: nodes.map((node) => ({ url: `redis://${node}` })),
    defaults: {
      socket: socketOf(fields),
      disableOfflineQueue: true,
      commandsQueueMaxLength: COMMANDS_MAX,
      ...credentialsOf(fields),
    },
  });
}

function socketOf({ redis_timeout, redis_ssl, redis_ssl_verify }: RedisFields) {
  const plain = { connectTimeout: timerMs(redis_timeout), reconnectStrategy: () => RECONNECT_MS };
  return redis_ssl
    ? ({ ...plain, tls: true, rejectUnauthorized: redis_ssl_verify } as const)
    : plain;
}

function credentialsOf({ redis_username: username, redis_password: password }: RedisFields) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined || password === '' ? {} : { password }),
  };
}

function timeout(ms: number): { readonly promise: Promise<never>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer of redis in ${ms} ms`)), timerMs(ms));
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
