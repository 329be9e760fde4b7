import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { limitCount } from '../limit-count.ts';
import { onBench, request } from '../testing/plugin-bench.ts';

const folder = mkdtempSync(join(tmpdir(), 'redis-'));
const socket = join(folder, 'redis.sock');
let server: ChildProcess | undefined;
let port = 0;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Debian's Redis, real, without a file of its own. */
beforeAll(async () => {
  try {
    execFileSync('redis-server', ['--version']);
  } catch (cause) {
    throw new Error('redis-server is missing: run scripts/install-system-packages.sh', { cause });
  }
  port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  server = spawn('redis-server', [...args, '--unixsocket', socket], { stdio: 'ignore' });
  const untilMs = Date.now() + 10_000;
  while (!existsSync(socket)) {
    if (Date.now() > untilMs) throw new Error('redis-server did not start in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

afterAll(() => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

function gateway(conf: object) {
  const { handlers, warnings } = onBench(limitCount, {
    count: 3,
    time_window: 60,
    policy: 'redis',
    redis_host: '127.0.0.1',
    redis_port: port,
    rejected_code: 429,
    ...conf,
  });
  onTestFinished(() => void handlers.close?.());
  return { warnings, ask: async () => (await handlers.access?.(request()))?.status ?? 200 };
}

test('two gateways share one quota', async () => {
  const group = randomUUID();
  const [one, other] = [gateway({ group }), gateway({ group })];
  expect([await one.ask(), await other.ask(), await one.ask()]).toEqual([200, 200, 200]);
  expect([await one.ask(), await other.ask()]).toEqual([429, 429]);
});

test('limits that are configured apart count apart', async () => {
  const [one, other] = [
    gateway({ group: randomUUID(), count: 1 }),
    gateway({ group: randomUUID() }),
  ];
  expect([await one.ask(), await one.ask(), await other.ask()]).toEqual([200, 429, 200]);
});

test.each([
  { name: 'requests are refused', allow_degradation: false, want: 500 },
  { name: 'requests pass where that is allowed', allow_degradation: true, want: 200 },
])('without Redis $name, and a warning says why', async ({ allow_degradation, want }) => {
  const { ask, warnings } = gateway({
    redis_port: await freePort(),
    redis_timeout: 100,
    allow_degradation,
  });
  expect(await ask()).toBe(want);
  expect(warnings.join()).toContain('redis');
});
