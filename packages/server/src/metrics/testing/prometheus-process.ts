import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A Prometheus of Debian's in a folder of its own, on a free port of loopback. */
export interface PrometheusProcess {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  close(): Promise<void>;
}

const READY_MS = 30_000;

/** `config` is prometheus.yml. Rejects, with its last words, when it is not ready in time. */
export async function startPrometheus(
  config: string,
  flags: readonly string[] = [],
): Promise<PrometheusProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-prometheus-'));
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
      ...flags,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-4_000);
  });
  const missing = new Promise<never>((_, reject) => {
    child.once('error', (cause) => {
      reject(new Error('prometheus does not start: scripts/install-system-packages.sh', { cause }));
    });
  });
  const url = `http://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([untilReady(url, child, () => words), missing]);
  } catch (error) {
    await close();
    throw error;
  }
  return { url, pid: child.pid ?? 0, dataDir: join(folder, 'data'), close };
}

async function untilReady(url: string, child: ChildProcess, words: () => string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`prometheus is not ready: ${words()}`);
    }
    await sleep(50);
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

/** One that was free a moment ago: Prometheus cannot be asked which one it took. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
