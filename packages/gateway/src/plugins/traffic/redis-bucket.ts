import type { BucketAsk } from './leaky-bucket.ts';
import type { RedisConnection } from './redis-connection.ts';
import { createRedisScript } from './redis-script.ts';

/** A leaky bucket for each key in Redis, so that several gateways share a rate. */
export interface RedisBucket {
  /** How long the request must wait, in ms; `refused`; undefined when Redis could not be asked. */
  take(key: string, ask: BucketAsk): Promise<number | 'refused' | undefined>;
}

/**
 * The arithmetic of `createLeakyBucket` in one step, by Redis's own clock: those of gateways differ.
 * An empty bucket is forgotten. Answers the excess as text (Redis cuts numbers), or -1.
 */
const SCRIPT = `
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local level = redis.call('HMGET', KEYS[1], 'excess', 'last')
local excess = 0
if level[1] then
  excess = math.max(0, level[1] - rate * math.max(0, now - level[2]) / 1000 + 1)
  if excess > burst then return '-1' end
end
redis.call('HSET', KEYS[1], 'excess', tostring(excess), 'last', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((excess + 1) / rate * 1000) + 1000)
return tostring(excess)
`;

export function createRedisBucket(
  connection: RedisConnection,
  identity: string,
  warn: (message: string) => void,
): RedisBucket {
  const plugin = 'limit-req';
  const { run } = createRedisScript(connection, { script: SCRIPT, plugin, identity, warn });
  return {
    async take(key, { rate, burst, nowMs }) {
      const answer = await run(key, nowMs, [rate, burst]);
      if (answer === undefined) return undefined;
      const excess = Number(answer);
      return excess < 0 ? 'refused' : (excess / rate) * 1_000;
    },
  };
}
