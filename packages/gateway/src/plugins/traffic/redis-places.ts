import { randomUUID } from 'node:crypto';
import type { RedisConnection } from './redis-connection.ts';
import { createRedisScript } from './redis-script.ts';

/** Requests under way of each key, counted in Redis for several gateways. */
export interface RedisPlaces {
  /** How many are under way with this one; `full`; undefined when Redis could not be asked. */
  enter(key: string, ask: PlacesAsk): Promise<Entered | 'full' | undefined>;
}

export interface PlacesAsk {
  /** Places there are. */
  readonly most: number;
  /** A place that was not given back, since its gateway died, is free after this. */
  readonly ttlMs: number;
  readonly nowMs: number;
}

export interface Entered {
  readonly count: number;
  /** Gives the place back. */
  leave(nowMs: number): void;
}

/** Places are members of a sorted set with the time until which they count, by Redis's clock. */
const ENTER = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local count = redis.call('ZCARD', KEYS[1]) + 1
if count > tonumber(ARGV[1]) then return -1 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return count
`;
const LEAVE = `return redis.call('ZREM', KEYS[1], ARGV[1])`;

export function createRedisPlaces(
  connection: RedisConnection,
  identity: string,
  warn: (message: string) => void,
): RedisPlaces {
  const about = { plugin: 'limit-conn', identity, warn };
  const entering = createRedisScript(connection, { ...about, script: ENTER });
  const leaving = createRedisScript(connection, { ...about, script: LEAVE });
  return {
    async enter(key, { most, ttlMs, nowMs }) {
      const place = randomUUID();
      const answer = await entering.run(key, nowMs, [most, ttlMs, place]);
      if (answer === undefined) return undefined;
      const count = Number(answer);
      if (count < 0) return 'full';
      return { count, leave: (atMs) => void leaving.run(key, atMs, [place]) };
    },
  };
}
