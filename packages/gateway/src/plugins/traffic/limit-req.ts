import { definePlugin, type Outcome, type PluginEnvironment } from '../plugin.ts';
import { LEAKY_BUCKET } from './leaky-bucket.ts';
import {
  KEY_TYPE,
  type KeyType,
  limitKey,
  REJECT_FIELDS,
  type RejectFields,
  rejection,
} from './limit-key.ts';
import { createRedisBucket } from './redis-bucket.ts';
import { openRedis, REDIS_CONDITIONS, REDIS_FIELDS, type RedisFields } from './redis-connection.ts';
import { wait } from './wait.ts';

interface LimitReq extends RejectFields, RedisFields {
  readonly rate: number;
  readonly burst: number;
  readonly key: string;
  readonly key_type: KeyType;
  readonly nodelay: boolean;
  readonly allow_degradation: boolean;
}

/** Slows requests of one key down to a rate, and refuses those above the burst. */
export const limitReq = definePlugin<LimitReq>({
  name: 'limit-req',
  priority: 1001,
  summary: 'Slows requests of one key down to a rate, and refuses those above the burst.',
  secretFields: ['redis_password'],
  schema: {
    type: 'object',
    properties: {
      rate: { type: 'number', exclusiveMinimum: 0 },
      burst: { type: 'number', minimum: 0 },
      key: { type: 'string', minLength: 1 },
      key_type: KEY_TYPE,
      ...REDIS_FIELDS,
      nodelay: { type: 'boolean', default: false },
      allow_degradation: { type: 'boolean', default: false },
      ...REJECT_FIELDS,
    },
    required: ['rate', 'burst', 'key'],
    allOf: REDIS_CONDITIONS,
  },
  create(conf, environment) {
    const { take, close } = bucketOf(conf, environment);

    function verdict(delay: Delay): Outcome | Promise<Outcome> {
      if (delay === undefined) return conf.allow_degradation ? undefined : FAILED;
      if (delay === 'refused') return rejection(conf);
      return conf.nodelay || delay < 1 ? undefined : wait(delay).then(() => undefined);
    }

    return {
      access(context) {
        const delay = take(limitKey(context, conf.key_type, conf.key));
        return delay instanceof Promise ? delay.then(verdict) : verdict(delay);
      },
      close,
    };
  },
});

const FAILED: Outcome = { status: 500, body: { error_msg: 'failed to limit req' } };

/** In ms; undefined when the other side that counts could not be asked. */
type Delay = number | 'refused' | undefined;

/** A bucket in this gateway, or in Redis over one connection. */
function bucketOf(
  conf: LimitReq,
  { origin, common, now, warn }: PluginEnvironment,
): { take(key: string): Delay | Promise<Delay>; close(): void } {
  const { rate, burst } = conf;
  const identity = `${origin.kind} ${origin.id} ${JSON.stringify(conf)}`;
  if (conf.policy === 'local') {
    const bucket = common(LEAKY_BUCKET, identity, undefined);
    const delayOf = (ms: number | undefined): Delay => ms ?? 'refused';
    return {
      take(key) {
        const ms = bucket.take(key, { rate, burst, nowMs: now() });
        return ms instanceof Promise ? ms.then(delayOf) : delayOf(ms);
      },
      close: () => undefined,
    };
  }
  const connection = openRedis(conf, warn);
  const bucket = createRedisBucket(connection, identity, warn);
  return {
    take: (key) => bucket.take(key, { rate, burst, nowMs: now() }),
    close: connection.close,
  };
}
