// The gateway as several processes: `nginx_config.worker_processes`.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type GatewayProgram, startProgram } from './testing/gateway-program.ts';

const WORKERS = 3;
const WAIT = { timeout: 20_000 };
let upstream: Server;
let nodes: Readonly<Record<string, number>>;

beforeAll(async () => {
  upstream = createServer((asked, answer) => {
    answer.statusCode = asked.url === '/bad' ? 500 : 200;
    if (asked.url === '/slow') setTimeout(() => answer.end('late'), 700);
    else answer.end('ok');
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  nodes = { [`127.0.0.1:${(upstream.address() as AddressInfo).port}`]: 1 };
  return () => {
    upstream.closeAllConnections();
    upstream.close();
  };
});

const started = (): Promise<GatewayProgram> =>
  startProgram({ nginx_config: { worker_processes: WORKERS } });

/** Status codes of requests that each have a connection of their own: any process may serve one. */
async function ask(gateway: GatewayProgram, path: string, count: number, method = 'GET') {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) {
    const answer = await fetch(new URL(path, gateway.proxy), {
      method,
      headers: { Connection: 'close' },
    });
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  return statuses;
}

/** Process ids of those that serve: children of the first one. */
function workersOf({ child }: GatewayProgram): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const [, rest = ''] = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ');
        return Number(rest.split(' ')[1]) === child.pid;
      } catch {
        return false; // It has ended meanwhile.
      }
    })
    .map(Number);
}

const count = (statuses: readonly number[], status: number): number =>
  statuses.filter((one) => one === status).length;

test('what the Admin API has answered is in force in every process, and all serve', async () => {
  const gateway = await started();
  expect(workersOf(gateway)).toHaveLength(WORKERS);
  for (let i = 0; i < 5; i++) {
    const uri = `/r${i}`;
    expect(await gateway.put('routes/one', { uri, upstream: { nodes } })).toBeLessThan(300);
    expect(count(await ask(gateway, uri, 20), 200)).toBe(20);
    expect(count(await ask(gateway, `/r${i - 1}`, 20), 404)).toBe(20);
  }
});

test('a limit is one for all processes', async () => {
  const gateway = await started();
  const limit = { count: 7, time_window: 60, rejected_code: 429, key: 'remote_addr' };
  const plugins = { 'limit-count': limit };
  await gateway.put('routes/limited', { uri: '/limited', plugins, upstream: { nodes } });
  expect(count(await ask(gateway, '/limited', 30), 200)).toBe(7);

  const conn = { conn: 2, burst: 0, default_conn_delay: 0.1, rejected_code: 503, key: 'host' };
  await gateway.put('routes/slow', {
    uri: '/slow',
    plugins: { 'limit-conn': conn },
    upstream: { nodes },
  });
  const slow = await Promise.all(Array.from({ length: 12 }, () => ask(gateway, '/slow', 1)));
  expect(count(slow.flat(), 200)).toBe(2);

  const breaker = { break_response_code: 599, unhealthy: { failures: 3 } };
  await gateway.put('routes/bad', {
    uri: '/bad',
    plugins: { 'api-breaker': breaker },
    upstream: { nodes },
  });
  const broken = await ask(gateway, '/bad', 12);
  expect([count(broken, 500), count(broken, 599)]).toEqual([3, 9]);
});

test('metrics, connections and counters are those of all processes', async () => {
  const gateway = await started();
  await gateway.put('routes/counted', {
    uri: '/counted',
    plugins: { prometheus: {} },
    upstream: { nodes },
  });
  await gateway.put('routes/status', {
    uri: '/apisix/status',
    plugins: { 'public-api': {} },
  });
  await ask(gateway, '/counted', 40);
  const metrics = async (): Promise<string> => (await fetch(gateway.metrics)).text();
  expect(await metrics()).toMatch(/apisix_http_status\{code="200",route="counted".*\} 40\n/);
  const status = await fetch(new URL('/apisix/status', gateway.proxy));
  expect(await status.json()).toMatchObject({ status: { total: '41' } });
  const counters = await fetch(`${gateway.control}/v1/counters`);
  expect(await counters.json()).toMatchObject({ requests: 41 });

  // One is told to end, another is killed: what was counted stays, and others take their place.
  const [told = 0, killed = 0] = workersOf(gateway);
  process.kill(told, 'SIGTERM');
  process.kill(killed, 'SIGKILL');
  await expect.poll(() => workersOf(gateway).includes(told), WAIT).toBe(false);
  await expect.poll(() => workersOf(gateway).length, WAIT).toBe(WORKERS);
  expect(await metrics()).toMatch(/apisix_http_status\{code="200",route="counted".*\} 40\n/);
  expect(gateway.notes()).toMatch(/gateway_worker_ended: process \d+ ended by SIGKILL/);
  // The new ones have the configuration.
  await sleep(500);
  expect(count(await ask(gateway, '/counted', 20), 200)).toBe(20);
  expect(await metrics()).toMatch(/apisix_http_status\{code="200",route="counted".*\} 60\n/);
});

test('the health of a node is one for all processes, and one of them probes', async () => {
  let probes = 0;
  let isWell = true;
  const node = createServer((asked, answer) => {
    if (asked.url === '/health') probes += 1;
    answer.statusCode = isWell ? 200 : 503;
    answer.end();
  });
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
  onTestFinished(() => {
    node.closeAllConnections();
    node.close();
  });
  const gateway = await started();
  const checks = {
    active: {
      http_path: '/health',
      healthy: { interval: 1, successes: 1 },
      unhealthy: { interval: 1, http_failures: 2 },
    },
  };
  const { port } = node.address() as AddressInfo;
  const both = { ...nodes, [`127.0.0.1:${port}`]: 1 };
  await gateway.put('routes/checked', { uri: '/', upstream: { nodes: both, checks } });
  isWell = false;
  await ask(gateway, '/', 30);
  const health = async (): Promise<string> =>
    (await fetch(`${gateway.control}/v1/healthcheck/routes/checked`)).text();
  await expect.poll(health, WAIT).toContain('"status":"unhealthy"');
  expect(count(await ask(gateway, '/', 30), 200)).toBe(30);
  probes = 0;
  await sleep(4_000);
  // Once a second by one process: by all of them it would be 12.
  expect(probes).toBeLessThan(7);
  expect(probes).toBeGreaterThan(1);
});

test('PURGE reaches what every process keeps', async () => {
  const gateway = await started();
  const cache = { cache_strategy: 'memory', cache_zone: 'memory_cache' };
  await gateway.put('routes/kept', {
    uri: '/kept',
    methods: ['GET', 'PURGE'],
    plugins: { 'proxy-cache': cache },
    upstream: { nodes },
  });
  const state = async (): Promise<string | null> => {
    const answer = await fetch(new URL('/kept', gateway.proxy), {
      headers: { Connection: 'close' },
    });
    await answer.arrayBuffer();
    return answer.headers.get('apisix-cache-status');
  };
  const states: (string | null)[] = [];
  for (let i = 0; i < 30; i++) states.push(await state());
  expect(states.slice(-10)).not.toContain('MISS');
  expect(await ask(gateway, '/kept', 2, 'PURGE')).toEqual([200, 404]);
  expect(await state()).toBe('MISS');
});

test('requests under way are answered when it stops, and no process is left', async () => {
  const gateway = await started();
  await gateway.put('routes/slow', { uri: '/slow', upstream: { nodes } });
  const workers = workersOf(gateway);
  const open = Array.from({ length: 9 }, () => ask(gateway, '/slow', 1));
  await sleep(300);
  gateway.child.kill('SIGTERM');
  expect((await Promise.all(open)).flat()).toEqual(Array.from({ length: 9 }, () => 200));
  await once(gateway.child, 'exit');
  expect(gateway.child.exitCode).toBe(0);
  for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a port that another gateway has is an error, although its processes share it', async () => {
  const gateway = await started();
  const { port } = gateway.proxy;
  const second = startProgram({
    apisix: { node_listen: [{ port: Number(port) }], control: { port: 0 }, ssl: { enable: false } },
    nginx_config: { worker_processes: 2 },
  });
  await expect(second).rejects.toThrow('port_in_use');
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
});

test('when the first process is killed, the others end', async () => {
  const gateway = await started();
  const workers = workersOf(gateway);
  gateway.child.kill('SIGKILL');
  const alive = (): number =>
    workers.filter((pid) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    }).length;
  await expect.poll(alive, WAIT).toBe(0);
});
