import { createHash } from 'node:crypto';
import type { WindowAnswer, WindowAsk } from '../fixed-window.ts';
import type { RedisConnection } from './redis-connection.ts';

/** Counts in Redis, so that several gateways share a quota. */
export interface RedisWindow {
  /** Undefined when Redis could not be asked; `warn` has been told why. */
  take(key: string, ask: WindowAsk): Promise<WindowAnswer | undefined>;
}

/** Counts and begins the window in one step: it cannot be left without an end. */
const SCRIPT = `
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {used, redis.call('PTTL', KEYS[1])}
`;
/** Failures are told of at most so often. */
const WARN_MS = 10_000;

/** `identity` tells counters of one limit from those of another, the same in every gateway. */
export function createRedisWindow(
  connection: RedisConnection,
  identity: string,
  warn: (message: string) => void,
): RedisWindow {
  const prefix = `plugin-limit-count:${createHash('sha1').update(identity).digest('hex')}:`;
  let toldMs = Number.NEGATIVE_INFINITY;
  return {
    async take(key, { limit, windowMs, nowMs }) {
      try {
        const answer = await connection.evaluate(SCRIPT, prefix + key, String(windowMs));
        const [used, restMs] = Array.isArray(answer) ? answer.map(Number) : [];
        if (used === undefined || restMs === undefined) throw new Error('redis answered oddly');
        const resetMs = Math.max(0, restMs);
        return { isAllowed: used <= limit, remaining: Math.max(0, limit - used), resetMs };
      } catch (error) {
        if (nowMs - toldMs >= WARN_MS) {
          toldMs = nowMs;
          warn(`failed to limit: ${error instanceof Error ? error.message : String(error)}`);
        }
        return undefined;
      }
    },
  };
}
