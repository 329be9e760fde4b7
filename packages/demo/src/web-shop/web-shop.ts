import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Demo } from '../demo.ts';
import { DemoError } from '../demo-error.ts';
import { createDriver } from '../driver.ts';
import { type HostProcess, startOn, startService } from '../host-process.ts';
import { createHosts, filesFolder, type Host, requireMeans, waitUntil } from '../hosts.ts';
import { startRun } from '../run.ts';
import { runPrefix } from '../run-id.ts';
import {
  SHOP_PORTS,
  SHOP_SERVICES,
  type ShopAddresses,
  type ShopHost,
  urlOf,
} from './addresses.ts';
import { requireDatabases, startPostgres, startRedis } from './databases.ts';
import { gatewayConfig, gatewayRoutes } from './gateway-config.ts';
import { openTelemetryDoor } from './telemetry-door.ts';

export interface WebShopOptions {
  /** Where commands are looked for, as PATH is written. */
  readonly path: string;
  /** `thalweg gateway`, as it is started here. */
  readonly gatewayCommand: readonly string[];
  /** Takes what SDKs and gateway send. */
  readonly serverUrl: string;
}

const HOSTS = ['client', ...(Object.keys(SHOP_PORTS) as ShopHost[])] as const; // Keys of a literal.
const START_MS = 20_000;
/**
 * Of one purchase: 6 exchanges between client, gateway and services and 3 with databases, seen at both
 * ends; spans of SDKs: 2 of the gateway, 5 for serving, 4 for calls, 4 for PostgreSQL (each query and
 * the connection that it waits for).
 */
const WEB_SHOP_SPANS = 2 * (6 + 3) + 2 + 5 + 4 + 4;

/**
 * The article's web shop: five services with OpenTelemetry SDKs, PostgreSQL and Redis behind our own
 * gateway, each on a host of its own. Throws `DemoError`; what was begun is removed then.
 */
export async function startWebShop(options: WebShopOptions): Promise<Demo> {
  requireMeans(options.path);
  const programs = requireDatabases(options.path);
  return startRun((runId, remove) => start(runId, { ...options, programs }, remove));
}

async function start(
  runId: string,
  options: WebShopOptions & { readonly programs: ReturnType<typeof requireDatabases> },
  remove: () => void,
): Promise<Demo> {
  const { programs } = options;
  const hosts = createHosts(runId, HOSTS);
  const addresses = Object.fromEntries(
    Object.entries(hosts).map(([name, { address }]) => [name, address]),
  ) as ShopAddresses; // One for each host.
  const folder = filesFolder(runId);
  mkdirSync(folder, { mode: 0o755 });
  const door = await openTelemetryDoor(join(folder, 'telemetry.sock'), options.serverUrl);
  const serve = (host: Host, port: number): string[] => [host.address, `${port}`];
  const { collector } = hosts;
  const started: HostProcess[] = [
    await startService(collector, 'telemetry-relay', [
      ...serve(collector, SHOP_PORTS.collector),
      door.socketPath,
    ]),
    await startPostgres(hosts.postgres, programs.postgres, folder),
    await startRedis(hosts.redis, programs.redis),
  ];
  for (const name of SHOP_SERVICES) {
    const own = [...serve(hosts[name], SHOP_PORTS[name]), name, JSON.stringify(addresses)];
    started.push(await startService(hosts[name], 'shop-service', own, named(name)));
  }
  started.push(await startGateway(hosts.gateway, addresses, folder, options.gatewayCommand));
  const gatewayUrl = urlOf(addresses, 'gateway');
  const client = await startService(hosts.client, 'client', [gatewayUrl, 'web-shop']);
  const processes = [client, ...started];
  return {
    gatewayUrl,
    prefix: runPrefix(runId),
    processes: processes.map(({ name, host, pid }) => ({ name, host, pid })),
    drive: createDriver(client),
    expectedSpans: () => WEB_SHOP_SPANS,
    close: async () => {
      remove();
      door.close();
      await Promise.all(processes.map(({ ended }) => ended));
    },
  };
}

/** The name that SDKs and agent give a service: as OpenTelemetry defines it. */
function named(service: string): readonly string[] {
  return ['env', `OTEL_SERVICE_NAME=${service}`];
}

async function startGateway(
  host: Host,
  addresses: ShopAddresses,
  folder: string,
  command: readonly string[],
): Promise<HostProcess> {
  const [config, routes] = [join(folder, 'config.yaml'), join(folder, 'apisix.yaml')];
  writeFileSync(config, gatewayConfig(addresses));
  writeFileSync(routes, gatewayRoutes(addresses));
  const data = join(folder, 'gateway');
  const own = ['--config', config, '--standalone', routes, '--data', data];
  // It tells people on stderr where it listens.
  const joined = ['sh', '-c', 'exec "$@" 2>&1', 'sh', ...named('APISIX'), ...command, ...own];
  const gateway = startOn(host, 'gateway', joined);
  await waitUntil('the gateway listens', START_MS, async () => {
    if (gateway.isRunning) return (await gateway.line(START_MS)).includes(addresses.gateway);
    await gateway.line(0); // Throws what it complained of.
    throw new DemoError('demo_failed', 'the gateway ended', 'see above');
  });
  return gateway;
}
