import { createOutbound, type Outbound } from './outbound.ts';

/** How a plugin asks a service of its own while a request waits. Times in ms. */
export interface ServiceFields {
  readonly ssl_verify: boolean;
  readonly timeout: number;
  readonly keepalive: boolean;
  readonly keepalive_timeout: number;
  readonly keepalive_pool: number;
}

/** The schema of `ServiceFields`. */
export const SERVICE_FIELDS = {
  ssl_verify: { type: 'boolean', default: true },
  timeout: { type: 'integer', minimum: 1, maximum: 60_000, default: 3000, description: 'ms' },
  keepalive: { type: 'boolean', default: true },
  keepalive_timeout: { type: 'integer', minimum: 1000, default: 60_000, description: 'ms' },
  keepalive_pool: { type: 'integer', minimum: 1, default: 5 },
} as const;

export function openService(conf: ServiceFields): Outbound {
  return createOutbound({
    timeoutMs: conf.timeout,
    verifiesTls: conf.ssl_verify,
    keepAlive: conf.keepalive,
    keepAliveMs: conf.keepalive_timeout,
    idleMax: conf.keepalive_pool,
  });
}
