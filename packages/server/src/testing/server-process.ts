import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../../cli/dist/thalweg.js', import.meta.url));
const GIVE_UP_MS = 170_000;

/** A server as people start it, in a process of its own: its memory is nobody else's. */
export interface ServerProcess {
  readonly url: string;
  readonly otlpHttpUrl: string;
  /** `127.0.0.1:PORT`. */
  readonly grpcAddress: string;
  /** Most resident bytes of the server itself (not the store's child) since `forgetPeak`. */
  peakBytes(): number;
  forgetPeak(): void;
  /** `/metrics` by name and labels as they are spelled. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  readonly hasEnded: boolean;
  close(): Promise<void>;
}

/** Rejects with what the process said when it does not come up. */
export async function startServerProcess(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-process-'));
  const file = join(folder, 'config.json');
  const [port, http, grpc] = [await freePort(), await freePort(), await freePort()];
  const server = {
    port,
    otlp_http_port: http,
    otlp_grpc_port: grpc,
    skywalking_grpc_port: 'off',
    data_dir: join(folder, 'data'),
    ...settings,
  };
  writeFileSync(file, JSON.stringify({ server }));
  const child = spawn(process.execPath, [CLI, 'server', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = `http://127.0.0.1:${port}`;
  await isReady(url, child);
  const { pid = 0 } = child;
  return {
    url,
    otlpHttpUrl: `http://127.0.0.1:${http}`,
    grpcAddress: `127.0.0.1:${grpc}`,
    peakBytes: () => {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
    },
    // Source: proc(5), clear_refs: 5 resets the peak of the resident set.
    forgetPeak: () => writeFileSync(`/proc/${pid}/clear_refs`, '5'),
    metrics: async () => metricsOf(await (await fetch(`${url}/metrics`)).text()),
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isReady(url: string, child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const deadline = Date.now() + GIVE_UP_MS;
  while ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok !== true) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${said}`);
    if (Date.now() > deadline) throw new Error(`no server at ${url}: ${said}`);
    await sleep(50);
  }
}

/** Free a moment ago: good enough for tests, which take one after the other. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo; // A TCP server's address is one.
      probe.close(() => resolve(port));
    });
  });
}

function metricsOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
