import type { WindowAnswer, WindowAsk } from '../fixed-window.ts';
import type { RedisConnection } from './redis-connection.ts';
import { createRedisScript } from './redis-script.ts';

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

export function createRedisWindow(
  connection: RedisConnection,
  identity: string,
  warn: (message: string) => void,
): RedisWindow {
  const plugin = 'limit-count';
  const { run } = createRedisScript(connection, { script: SCRIPT, plugin, identity, warn });
  return {
    async take(key, { limit, windowMs, nowMs }) {
      const answer = await run(key, nowMs, [windowMs]);
      const [used, restMs] = Array.isArray(answer) ? answer.map(Number) : [];
      if (used === undefined || restMs === undefined) return undefined;
      const resetMs = Math.max(0, restMs);
      return { isAllowed: used <= limit, remaining: Math.max(0, limit - used), resetMs };
    },
  };
}
