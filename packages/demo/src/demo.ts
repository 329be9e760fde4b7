import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DemoError } from './demo-error.ts';
import { createDriver, type Drive } from './driver.ts';
import { fileText } from './file-text.ts';
import { type HostProcess, startOn, startService } from './host-process.ts';
import { createHosts, filesFolder, requireMeans, waitUntil } from './hosts.ts';
import { nginxConfig } from './nginx-config.ts';
import { startRun } from './run.ts';
import { runPrefix } from './run-id.ts';
import { expectedSpans } from './shop.ts';

export interface DemoOptions {
  /** Idle connections that nginx keeps to the service behind it; 0 for none. */
  readonly upstreamKeepalive?: number;
  /** Where commands are looked for, as PATH is written; Debian's folders for root are added. */
  readonly path?: string;
}

/** A client, a gateway and two services on hosts of their own, with no SDK and no agent in them. */
export interface Demo {
  /** The gateway, as the client's host sees it. */
  readonly gatewayUrl: string;
  /** What every namespace of this run starts with. */
  readonly prefix: string;
  readonly processes: readonly {
    readonly name: string;
    readonly host: string;
    readonly pid: number;
  }[];
  readonly drive: Drive;
  /** Spans of processes that one request for `path` leaves. */
  expectedSpans(path: string): number;
  /** Ends the processes and removes the hosts. Idempotent. */
  close(): Promise<void>;
}

const PORTS = { gateway: 8080, orders: 7001, stock: 7002 } as const;
const START_MS = 10_000;

/** Throws `DemoError` where `startDemo` would for want of root, `ip` or nginx. Makes nothing. */
export function checkDemo({ path = '' }: DemoOptions): void {
  requireMeans(path);
}

/** Throws `DemoError`: no root, no `ip`, no nginx. What was begun is removed then. */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const nginx = requireMeans(options.path ?? '/usr/bin:/bin');
  return startRun((runId, remove) => start(runId, { ...options, nginx }, remove));
}

async function start(
  runId: string,
  options: DemoOptions & { readonly nginx: string },
  remove: () => void,
): Promise<Demo> {
  const hosts = createHosts(runId, ['client', 'gateway', 'orders', 'stock']);
  const stockUrl = `http://${hosts.stock.address}:${PORTS.stock}`;
  const gatewayUrl = `http://${hosts.gateway.address}:${PORTS.gateway}`;
  const stock = await startService(hosts.stock, 'stock', [hosts.stock.address, `${PORTS.stock}`]);
  const orders = await startService(hosts.orders, 'orders', [
    hosts.orders.address,
    `${PORTS.orders}`,
    stockUrl,
  ]);
  const folder = filesFolder(runId);
  mkdirSync(folder, { mode: 0o755 });
  const config = join(folder, 'nginx.conf');
  const settings = {
    folder,
    address: hosts.gateway.address,
    port: PORTS.gateway,
    upstream: `${hosts.orders.address}:${PORTS.orders}`,
    keepalive: options.upstreamKeepalive ?? 64,
  };
  writeFileSync(config, nginxConfig(settings));
  const gateway = startOn(hosts.gateway, 'nginx', [options.nginx, '-p', folder, '-c', config]);
  await nginxIsUp(gateway, folder);
  const client = await startService(hosts.client, 'client', [gatewayUrl, 'orders']);
  const processes = [client, gateway, orders, stock];

  return {
    gatewayUrl,
    prefix: runPrefix(runId),
    processes: processes.map(({ name, host, pid }) => ({ name, host, pid })),
    drive: createDriver(client),
    expectedSpans,
    close: async () => {
      remove();
      await Promise.all(processes.map(({ ended }) => ended));
    },
  };
}

/** nginx writes its pid file after it has bound its port. */
async function nginxIsUp(gateway: HostProcess, folder: string): Promise<void> {
  await waitUntil('nginx writes its pid file', START_MS, () => {
    if (gateway.isRunning) return fileText(join(folder, 'nginx.pid')) !== '';
    throw new DemoError(
      'unavailable',
      `nginx did not start: ${fileText(join(folder, 'error.log')).trim() || 'not found'}`,
      'run scripts/install-system-packages.sh (it installs nginx-light)',
    );
  });
}
