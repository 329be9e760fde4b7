import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const launcher = fileURLToPath(new URL('../../../thalweg', import.meta.url));
const DISK_BYTES = 1 << 20;
/** Between twenty requests: a second's rows must fit on the empty disk, however fast the machine is. */
const REST_MS = 20;
const WAIT_MS = 30_000;

/** A disk of 1 MiB in memory, gone when the test is. */
function smallDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A server of the traffic that is captured, and one that takes the agent's rows. */
async function listen(status: () => number): Promise<{ port: number; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    response.statusCode = status();
    request.on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo; // A TCP server's address is one.
  return { port, requests: () => requests };
}

interface Status {
  readonly counters: Readonly<Record<string, number>>;
  readonly lastError: string;
}

async function startAgent(serverPort: number, trafficPort: number, spool: string) {
  const to = ['--server-url', `http://127.0.0.1:${serverPort}`, '--spool-dir', spool];
  const words = ['agent', ...to, '--status-port', '0', '--only-port', String(trafficPort)];
  const child = spawn(launcher, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    void ended.then((code) => reject(new Error(`the agent ended with ${code}: ${text}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /(http:\/\/127\.0\.0\.1:\d+)\/status/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    url,
    status: async () => (await (await fetch(`${url}/status`)).json()) as Status, // Our own.
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Sends requests until the status says what is waited for. */
async function driveUntil(
  port: number,
  status: () => Promise<Status>,
  isThere: (status: Status) => boolean,
): Promise<Status> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    for (let at = 0; at < 20; at += 1) await (await fetch(`http://127.0.0.1:${port}/item`)).text();
    const now = await status();
    if (isThere(now)) return now;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(now)}`);
    await sleep(REST_MS);
  }
}

test('a full disk costs rows that are counted and named; capture goes on; room brings rows', async () => {
  const disk = smallDisk();
  const [traffic, server] = [await listen(() => 200), await listen(() => 200)];
  const agent = await startAgent(server.port, traffic.port, join(disk, 'spool'));
  const filler = join(disk, 'filler');
  expect(() => writeFileSync(filler, new Uint8Array(2 * DISK_BYTES))).toThrow('ENOSPC');

  const count = ({ counters }: Status, name: string): number => counters[name] ?? 0;
  const full = await driveUntil(
    traffic.port,
    agent.status,
    (status) => count(status, 'spool.rowsDroppedDisk') > 0,
  );
  expect(full.lastError).toMatch(/rows dropped, not written to .*: ENOSPC/);
  const told = execFileSync(launcher, ['doctor', '--agent-url', agent.url], { encoding: 'utf8' });
  expect(told).toContain('spool.rowsDroppedDisk: ');
  expect(told).toContain('ENOSPC');
  const captured = count(full, 'flow.exchanges');
  await driveUntil(traffic.port, agent.status, (now) => count(now, 'flow.exchanges') > captured);
  const postsBefore = server.requests();

  rmSync(filler);
  const recovered = await driveUntil(
    traffic.port,
    agent.status,
    (now) => now.lastError === '' && server.requests() > postsBefore,
  );
  expect(await agent.stop()).toBe(0);
  expect(count(recovered, 'lost_events')).toBe(0);
});
