import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './links/neighbours.ts';
import { childrenOf } from './process-use.ts';

const READY_MS_MAX = 60_000;
const CLI = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../cli/dist/thalweg.js' : './thalweg.js',
    import.meta.url,
  ),
);

/** A server in a process of its own, that can be killed. */
export interface BenchServer {
  readonly url: string;
  kill(victim: 'store-child' | 'server'): Promise<void>;
  close(): Promise<void>;
}

export async function startServer(dataDir: string): Promise<BenchServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // The receivers' own ports may be another server's; env(1) becomes the program, with the same pid.
  const off = ['OTLP_GRPC', 'OTLP_HTTP', 'SKYWALKING_GRPC'].map(
    (name) => `THALWEG_SERVER_${name}_PORT=off`,
  );
  const words = ['server', '--port', String(port), '--data-dir', dataDir];
  const start = (): ChildProcess =>
    spawn('env', [...off, process.execPath, CLI, ...words], { stdio: 'ignore' });
  let child = start();
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  await isReady(url);
  return {
    url,
    kill: async (victim) => {
      if (victim === 'store-child') {
        for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
      } else {
        await end();
        child = start();
      }
      await isReady(url);
    },
    close: end,
  };
}

async function isReady(url: string): Promise<void> {
  const deadline = Date.now() + READY_MS_MAX;
  while ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok !== true) {
    if (Date.now() > deadline) throw new Error(`no server at ${url}`);
    await sleep(50);
  }
}
