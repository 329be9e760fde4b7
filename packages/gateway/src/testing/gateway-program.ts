import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { chosenSockets } from './running-gateway.ts';

const CLI = fileURLToPath(new URL('../../../cli/dist/thalweg.js', import.meta.url));
const KEY = 'program-key';
const WAIT = { timeout: 30_000 };
const NOTES = {
  proxy: /^gateway: (http:\S+)/m,
  admin: /admin (http\S+)/,
  control: /control (http\S+)/,
  metrics: /metrics (http\S+)/,
};

/** `thalweg gateway` as a process of its own, on ports that the kernel has chosen. */
export interface GatewayProgram {
  readonly child: ChildProcess;
  readonly proxy: URL;
  readonly control: string;
  readonly metrics: string;
  /** All that it has printed. */
  notes(): string;
  isRunning(): boolean;
  /** PUTs an object over a connection of its own; answers the status. */
  put(path: string, object: object): Promise<number>;
}

/** Starts it, and ends it with the test. `before` are commands of a shell, such as `ulimit`. */
export async function startProgram(more: object = {}, before = ''): Promise<GatewayProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-program-'));
  const config = {
    apisix: { node_listen: [{ port: 0 }], control: { port: 0 }, ssl: { enable: false } },
    plugin_attr: { prometheus: { export_addr: { port: 0 } } },
    deployment: { admin: { admin_listen: { port: 0 }, admin_key: [{ key: KEY }] } },
    ...more,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const words = [CLI, 'gateway', '--config', join(folder, 'config.json'), '--data', folder];
  words.push('--sockets', chosenSockets().sockets ?? 'native');
  const child = spawn('sh', ['-c', `${before} exec "$0" "$@"`, process.execPath, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let notes = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => (notes += bytes.toString()));
  }
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  onTestFinished(async () => {
    if (isRunning()) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true });
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(notes);
  });
  await Promise.race([
    expect.poll(() => Object.values(NOTES).every((note) => note.test(notes)), WAIT).toBe(true),
    ended,
  ]);
  ended.catch(() => undefined); // From now on the test knows when it ends.
  const said = (note: RegExp): string => note.exec(notes)?.[1] ?? '';
  return {
    child,
    proxy: new URL(said(NOTES.proxy)),
    control: said(NOTES.control),
    metrics: said(NOTES.metrics),
    notes: () => notes,
    isRunning,
    async put(path, object) {
      const { status } = await fetch(`${said(NOTES.admin)}/apisix/admin/${path}`, {
        method: 'PUT',
        headers: { 'X-API-KEY': KEY, Connection: 'close' },
        body: JSON.stringify(object),
      });
      return status;
    },
  };
}
