import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { GatewayConfig } from './config/config.ts';
import { createOwnLog } from './core/own-log.ts';
import { openGatewayProcess } from './gateway-process.ts';
import { openRules } from './rules.ts';
import { openStore } from './store/open-store.ts';
import { createFirstHub } from './workers/first-hub.ts';
import { createSoloHub } from './workers/hub.ts';
import { openWorkers, type Workers } from './workers/workers.ts';

export interface GatewayOptions {
  readonly config: GatewayConfig;
  /** Journal and admin key; not touched in standalone mode. */
  readonly dataFolder: string;
  /** YAML with every object: the Admin API is then off. */
  readonly standaloneFile?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What carries plain connections: `native` unless told otherwise, and where its addon loads. */
  readonly sockets?: 'native' | 'node';
  warn(message: string): void;
}

export interface Gateway {
  readonly proxies: readonly string[];
  /** Where streams come to: `tcp://127.0.0.1:9100`. */
  readonly streams: readonly string[];
  readonly adminUrl: string | undefined;
  readonly controlUrl: string | undefined;
  /** Where plugins answer on ports of their own: metrics. */
  readonly pluginUrls: readonly string[];
  /** The key that was made at this start: to be shown once. */
  readonly newKey: { readonly key: string; readonly path: string } | undefined;
  close(): Promise<void>;
}

/**
 * Starts a gateway: this process alone, or, where `worker_processes` says so, this one with the
 * store, the Admin API and what is common, and others that serve.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config: given } = options;
  const ownLog = createOwnLog(options.warn, Date.now);
  const { warn } = ownLog;
  const config = { ...given, apisix: { ...given.apisix, id: given.apisix.id ?? randomUUID() } };
  const rules = openRules(config);
  const store = await openStore({ ...options, warn }, rules);
  const count = processCount(config.nginx_config.worker_processes);
  const isStandalone = options.standaloneFile !== undefined;
  const all = { ...options, warn, ownLog, config, isStandalone, rules, store };
  if (count === 1) {
    const hub = createSoloHub();
    const { proxies, close, ...urls } = await openGatewayProcess({
      ...all,
      hub,
      serves: true,
      administers: true,
    });
    return {
      ...urls,
      proxies,
      async close() {
        await close();
        await store.close();
      },
    };
  }
  const hub = createFirstHub();
  let workers: Workers | undefined;
  const first = await openGatewayProcess({
    ...all,
    hub,
    serves: false,
    administers: true,
    settled: async () => workers?.settled(),
  });
  workers = await openWorkers({ ...all, hub, count });
  return {
    ...first,
    proxies: workers.proxies,
    async close() {
      await workers.close();
      await first.close();
      await store.close();
    },
  };
}

/** `auto`: one for each processor. */
function processCount(given: number | 'auto'): number {
  return given === 'auto' ? availableParallelism() : given;
}
