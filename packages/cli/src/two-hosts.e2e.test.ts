import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Span, TraceAnswer, TraceSearchAnswer } from '@thalweg/model';
import { ServerSettings, startServer } from '@thalweg/server';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

// Two hosts with a router between that translates both addresses and the port. The second host's agent
// lives by another clock: faketime(1) moves the clock of the day of one process, not the monotonic one.

const launcher = fileURLToPath(new URL('../../../thalweg', import.meta.url));
const NAMES = ['client', 'router', 'server'].map((name) => `links-${name}-${process.pid}`);
const [CLIENT = '', ROUTER = '', SERVER = ''] = NAMES;
/** Asked for at the router, and served behind it. */
const PORT = { asked: 22_080, served: 22_090 };
const AHEAD_US = 3_500_000;
/** Each agent looks once a second how far its clock of the day, which may be steered, is ahead. */
const STEERED_US = 1_000;
const REQUESTS = 5;

const folder = mkdtempSync(join(tmpdir(), 'thalweg-two-hosts-'));
const running: ChildProcess[] = [];
let url = '';
let close = async (): Promise<void> => undefined;

function run(command: string, ...words: readonly string[]): void {
  execFileSync(command, words, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function inside(namespace: string, command: string, ...words: readonly string[]): void {
  run('ip', 'netns', 'exec', namespace, command, ...words);
}

/** A veth between the router and a host, whose way out it is. */
function joinTo(host: string, net: number): void {
  const device = `eth${net}`;
  const peer = ['peer', 'name', 'eth0', 'netns', host];
  run('ip', '-n', ROUTER, 'link', 'add', device, 'type', 'veth', ...peer);
  run('ip', '-n', ROUTER, 'address', 'add', `10.${net}.0.1/24`, 'dev', device);
  run('ip', '-n', ROUTER, 'link', 'set', device, 'up');
  run('ip', '-n', host, 'address', 'add', `10.${net}.0.2/24`, 'dev', 'eth0');
  run('ip', '-n', host, 'link', 'set', 'eth0', 'up');
  run('ip', '-n', host, 'route', 'add', 'default', 'via', `10.${net}.0.1`);
}

async function startAgent(name: string, port: number, before: readonly string[]): Promise<void> {
  const words = [launcher, 'agent', '--server-url', url, '--status-port', '0'];
  const own = ['--only-port', String(port), '--spool-dir', join(folder, name)];
  const [command = '', ...rest] = [...before, ...words, ...own];
  const agent = spawn(command, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { ...process.env, THALWEG_AGENT_NAME: name, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
  });
  running.push(agent);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    agent.once('error', reject);
    agent.once('exit', (code) => reject(new Error(`agent ${name} ended with ${code}: ${said}`)));
    agent.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('capturing')) resolve();
    });
  });
}

beforeAll(async () => {
  for (const name of NAMES) run('ip', 'netns', 'add', name);
  joinTo(CLIENT, 81);
  joinTo(SERVER, 82);
  inside(ROUTER, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  inside(ROUTER, 'nft', 'add', 'table', 'ip', 'nat');
  const chain = (hook: string): string => `{ type nat hook ${hook} priority 0; }`;
  inside(ROUTER, 'nft', 'add', 'chain', 'ip', 'nat', 'pre', chain('prerouting'));
  inside(ROUTER, 'nft', 'add', 'chain', 'ip', 'nat', 'post', chain('postrouting'));
  const to = `tcp dport ${PORT.asked} dnat to 10.82.0.2:${PORT.served}`;
  inside(ROUTER, 'nft', 'add', 'rule', 'ip', 'nat', 'pre', ...to.split(' '));
  inside(ROUTER, 'nft', 'add', 'rule', 'ip', 'nat', 'post', 'masquerade');

  const server = await startServer(
    ServerSettings.parse({ port: 0, data_dir: join(folder, 'data') }),
    { version: 'test', logLevel: 'silent' },
  );
  ({ url, close } = server);
  const served = ['python3', '-u', '-m', 'http.server', String(PORT.served)];
  const http = spawn('ip', ['netns', 'exec', SERVER, ...served], {
    cwd: folder,
    stdio: 'pipe',
    detached: true,
  });
  running.push(http);
  await once(http.stdout, 'data');
  await startAgent('near', PORT.asked, []);
  await startAgent('far', PORT.served, ['faketime', '-f', `+${AHEAD_US / 1e6}s`]);
});

afterAll(async () => {
  // Each is a group of its own: faketime(1) does not hand signals on.
  const groups = running.flatMap(({ pid }) => (pid === undefined ? [] : [-pid]));
  for (const group of groups) signal(group, 'SIGTERM');
  await vi.waitUntil(() => !groups.some((group) => signal(group, 0)), { timeout: 20_000 });
  await close();
  for (const name of NAMES) run('ip', 'netns', 'del', name);
  rmSync(folder, { recursive: true, force: true });
});

/** Whether there is such a process or group. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

async function traceIds(): Promise<readonly string[]> {
  const nowUs = Date.now() * 1e3;
  const range = `start=${nowUs - 600e6}&end=${nowUs + 600e6}`;
  const answer = await fetch(`${url}/api/traces?${range}`);
  return TraceSearchAnswer.parse(await answer.json()).traces.map(({ traceId }) => traceId);
}

async function spansOf(traceId: string): Promise<readonly Span[]> {
  const answer = await fetch(`${url}/api/traces/${traceId}`);
  return TraceAnswer.parse(await answer.json()).spans;
}

test('a request is one trace through address translation, its times by one clock', async () => {
  const asked = `http://10.81.0.1:${PORT.asked}/`;
  for (let count = 0; count < REQUESTS; count += 1) {
    inside(CLIENT, 'python3', '-c', `import urllib.request as u; u.urlopen('${asked}').read()`);
  }
  const both = async (): Promise<readonly (readonly Span[])[]> =>
    (await Promise.all((await traceIds()).map(spansOf))).filter(({ length }) => length === 2);
  await expect.poll(async () => (await both()).length, { timeout: 60_000 }).toBe(REQUESTS);
  for (const [sent, served] of await both()) {
    if (sent === undefined || served === undefined) throw new Error('BUG: two were asked for');
    expect([sent.fields['ip_0'], sent.fields['ip_1']]).toEqual(['10.81.0.2', '10.81.0.1']);
    expect([served.fields['ip_0'], served.fields['ip_1']]).toEqual(['10.82.0.1', '10.82.0.2']);
    expect({ by: served.link?.evidence, under: served.parentId }).toEqual({
      by: ['wire'],
      under: sent.spanId,
    });
    const { offsetUs = NaN, errorUs = NaN } = served.clock ?? {};
    expect(sent.clock).toBeUndefined();
    expect(Math.abs(offsetUs - AHEAD_US)).toBeLessThanOrEqual(errorUs + STEERED_US);
    expect(served.startUs).toBeGreaterThanOrEqual(sent.startUs - errorUs);
    expect(served.endUs).toBeLessThanOrEqual(sent.endUs + errorUs);
  }
});
