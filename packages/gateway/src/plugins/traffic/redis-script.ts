import { createHash } from 'node:crypto';
import type { RedisConnection } from './redis-connection.ts';

/** One script of a limiting plugin, for the keys of one limit. */
export interface RedisScript {
  /** What the script answers; undefined when Redis could not be asked: `warn` was told why. */
  run(key: string, nowMs: number, values: readonly (string | number)[]): Promise<unknown>;
}

/** Failures are told of at most so often. */
const WARN_MS = 10_000;

/** `identity` tells the keys of one limit from those of another, the same in every gateway. */
export function createRedisScript(
  connection: RedisConnection,
  given: {
    readonly script: string;
    readonly plugin: string;
    readonly identity: string;
    warn(message: string): void;
  },
): RedisScript {
  const { script, plugin, identity, warn } = given;
  const prefix = `plugin-${plugin}:${createHash('sha1').update(identity).digest('hex')}:`;
  let toldMs = Number.NEGATIVE_INFINITY;
  return {
    async run(key, nowMs, values) {
      try {
        return await connection.evaluate(script, prefix + key, ...values.map(String));
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
