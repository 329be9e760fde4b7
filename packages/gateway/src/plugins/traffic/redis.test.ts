import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { limitCount } from '../limit-count.ts';
import type { Plugin } from '../plugin.ts';
import { onBench, request } from '../testing/plugin-bench.ts';
import { limitConn } from './limit-conn.ts';
import { limitReq } from './limit-req.ts';

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
  return gatewayWith(limitCount, { count: 3, time_window: 60, ...conf });
}

/** One of several gateways with the same configuration, as far as its plugin can tell. */
function gatewayWith(plugin: Plugin, conf: object) {
  const { handlers, warnings } = onBench(plugin, {
    policy: 'redis',
    redis_host: '127.0.0.1',
    redis_port: port,
    rejected_code: 429,
    ...conf,
  });
  onTestFinished(() => void handlers.close?.());
  return {
    warnings,
    /** The status, and what ends the request. */
    async begin() {
      const context = request();
      const status = (await handlers.access?.(context))?.status ?? 200;
      return { status, end: () => handlers.log?.(context) };
    },
    ask: async () => (await handlers.access?.(request()))?.status ?? 200,
  };
}

test('two gateways share one quota', async () => {
  const group = randomUUID();
  const [one, other] = [gateway({ group }), gateway({ group })];
  expect([await one.ask(), await other.ask(), await one.ask()]).toEqual([200, 200, 200]);
  expect([await one.ask(), await other.ask()]).toEqual([429, 429]);
});

test('two gateways share one rate', async () => {
  const key = `key-${randomUUID()}`;
  const conf = { rate: 0.01, burst: 1, key, nodelay: true };
  const [one, other] = [gatewayWith(limitReq, conf), gatewayWith(limitReq, conf)];
  expect([await one.ask(), await other.ask(), await one.ask()]).toEqual([200, 200, 429]);
});

test('two gateways share the places there are, and one that is left is free', async () => {
  const key = `key-${randomUUID()}`;
  const conf = { conn: 1, burst: 1, key, default_conn_delay: 0.001, only_use_default_delay: true };
  const [one, other] = [gatewayWith(limitConn, conf), gatewayWith(limitConn, conf)];
  const first = await one.begin();
  const second = await other.begin();
  const third = await one.begin();
  expect([first, second, third].map(({ status }) => status)).toEqual([200, 200, 429]);
  third.end();
  expect((await other.begin()).status).toBe(429);
  second.end();
  await expect.poll(async () => (await one.begin()).status).toBe(200);
});

test('a place that its gateway never gave back is free after key_ttl', async () => {
  const key = `key-${randomUUID()}`;
  const conf = { conn: 1, burst: 0, key, default_conn_delay: 0.001, key_ttl: 1 };
  const { begin } = gatewayWith(limitConn, conf);
  expect([(await begin()).status, (await begin()).status]).toEqual([200, 429]);
  await expect.poll(async () => (await begin()).status, { timeout: 5_000 }).toBe(200);
});

test.each([
  { plugin: limitReq, conf: { rate: 1, burst: 1, key: 'remote_addr' } },
  { plugin: limitConn, conf: { conn: 1, burst: 0, key: 'remote_addr', default_conn_delay: 0.1 } },
])('$plugin.name without Redis refuses, or passes where that is allowed', async (given) => {
  const away = { ...given.conf, redis_port: await freePort(), redis_timeout: 100 };
  expect(await gatewayWith(given.plugin, away).ask()).toBe(500);
  expect(await gatewayWith(given.plugin, { ...away, allow_degradation: true }).ask()).toBe(200);
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
