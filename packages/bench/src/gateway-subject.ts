import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './links/neighbours.ts';

/** The objects of a standalone gateway: what APISIX's apisix.yaml holds. */
export type GatewayObjects = Readonly<Record<string, readonly unknown[]>>;

/** A gateway in a process of its own. */
export interface GatewaySubject {
  readonly port: number;
  readonly pid: number;
  /** Requests that it has served, those that the client cut off too. */
  requests(): Promise<number>;
  close(): Promise<void>;
}

const READY_MS_MAX = 30_000;
const CLI = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../cli/dist/thalweg.js' : './thalweg.js',
    import.meta.url,
  ),
);

export async function startGatewaySubject(
  folder: string,
  given: { readonly core: number; readonly objects: GatewayObjects; readonly sinkPort: number },
): Promise<GatewaySubject> {
  const [port, controlPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const config = join(folder, `config-${port}.yaml`);
  const standalone = join(folder, `objects-${port}.yaml`);
  writeFileSync(
    config,
    JSON.stringify({
      apisix: {
        node_listen: [{ ip: '127.0.0.1', port }],
        control: { port: controlPort },
        ssl: { enable: false },
      },
      // As nginx beside it, which keeps 512 connections for a million requests.
      nginx_config: { http: { upstream: { keepalive: 512, keepalive_requests: 1_000_000 } } },
      plugin_attr: {
        prometheus: { export_addr: { port: metricsPort } },
        opentelemetry: { collector: { address: `127.0.0.1:${given.sinkPort}` } },
      },
    }),
  );
  // JSON is YAML.
  writeFileSync(standalone, `${JSON.stringify(given.objects)}\n#END\n`);
  const words = [CLI, 'gateway', '--config', config, '--standalone', standalone];
  const child = spawn('taskset', ['-c', String(given.core), process.execPath, ...words], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  const url = `http://127.0.0.1:${controlPort}/v1/counters`;
  const deadline = Date.now() + READY_MS_MAX;
  while ((await fetch(url).catch(() => undefined))?.ok !== true) {
    if (Date.now() > deadline || child.exitCode !== null) {
      await close();
      throw new Error('the gateway did not start; fix: make build');
    }
    await sleep(50);
  }
  return {
    port,
    pid: child.pid ?? 0,
    close,
    async requests() {
      const counters = (await (await fetch(url)).json()) as Readonly<Record<string, number>>;
      return counters['requests'] ?? 0;
    },
  };
}
