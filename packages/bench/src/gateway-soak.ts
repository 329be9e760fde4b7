import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeRunFolder } from '@thalweg/demo';
import { type SoakTarget, startTraffic, type TrafficCount } from './gateway-soak-traffic.ts';
import { freePort } from './links/neighbours.ts';
import { residentMb } from './process-use.ts';
import { type Bench, type BenchRow, median } from './report.ts';

/**
 * A gateway under a mixed load of well-behaved and rude clients while its configuration changes: its
 * memory must not grow. The slope is fitted over the second half, when caches and pools are full.
 */
const QUICK_S = 4;
const SAMPLE_MS = 1_000;
const READY_MS_MAX = 30_000;
const KEY = 'soak-key';
/** 16 pieces of 64 KiB, one each 20 ms. */
const SLOW_PIECE = Buffer.alloc(65_536, 's');
const SLOW_PIECES = 16;
const SLOW_MS = 20;
const CLI = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../cli/dist/thalweg.js' : './thalweg.js',
    import.meta.url,
  ),
);

interface Sample {
  readonly minutes: number;
  readonly residentMb: number;
}

export const gatewaySoak: Bench = async ({ isQuick, minutes, signal, progress }) => {
  const temporary = makeRunFolder('gateway-soak');
  const servers = [await listen(answerUpstream), await listen(takeAll)];
  const [upstreamPort, sinkPort] = servers.map(({ port }) => port);
  const gateway = await startGateway(temporary.path, Number(sinkPort));
  const target = { ...gateway, upstreamPort: Number(upstreamPort), adminKey: KEY };
  try {
    await configure(target, Number(sinkPort));
    const traffic = startTraffic(target);
    const samples = await sample(gateway.pid, isQuick ? QUICK_S : minutes * 60, signal, progress);
    await traffic.stop();
    return [...countRows(traffic.counts, samples), ...memoryRows(samples)];
  } finally {
    await gateway.close();
    for (const { server } of servers) {
      server.closeAllConnections();
      server.close();
    }
    temporary.remove();
  }
};

async function sample(
  pid: number,
  seconds: number,
  signal: AbortSignal,
  progress: (line: string) => void,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const startMs = performance.now();
  while (performance.now() - startMs < seconds * 1_000 && !signal.aborted) {
    await sleep(SAMPLE_MS);
    const minutes = (performance.now() - startMs) / 60_000;
    samples.push({ minutes, residentMb: residentMb(pid) });
    if (samples.length % 60 === 0) {
      progress(`${Math.round(minutes)} min: ${samples.at(-1)?.residentMb.toFixed(0)} MB`);
    }
  }
  return samples;
}

function countRows(counts: readonly TrafficCount[], samples: readonly Sample[]): BenchRow[] {
  const seconds = (samples.at(-1)?.minutes ?? 0) * 60;
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const rows = counts.flatMap(({ name, count, unexpected }) => [
    { case: name, metric: 'requests', unit: 'requests', value: count },
    ...[...unexpected].map(([outcome, times]) => ({
      case: name,
      metric: `unexpected: ${outcome}`,
      unit: 'requests',
      value: times,
      reference: 0,
    })),
  ]);
  return [
    { case: 'all', metric: 'requests', unit: 'requests', value: total },
    { case: 'all', metric: 'rate', unit: 'requests/s', value: total / seconds },
    { case: 'all', metric: 'duration', unit: 's', value: seconds },
    ...rows,
  ];
}

/** Least squares over the second half; its first and last quarter as medians, too. */
function memoryRows(samples: readonly Sample[]): BenchRow[] {
  const half = samples.slice(samples.length >> 1);
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(half.map(({ minutes }) => minutes));
  const y = mean(half.map(({ residentMb: mb }) => mb));
  const cross = half.reduce((sum, one) => sum + (one.minutes - x) * (one.residentMb - y), 0);
  const square = half.reduce((sum, one) => sum + (one.minutes - x) ** 2, 0);
  const quarter = Math.max(1, half.length >> 1);
  const medianMb = (some: readonly Sample[]) => median(some.map(({ residentMb: mb }) => mb));
  const row = { case: 'memory', unit: 'MB' };
  return [
    { ...row, metric: 'resident, first minute', value: medianMb(samples.slice(0, 60)) },
    { ...row, metric: 'resident, third quarter', value: medianMb(half.slice(0, quarter)) },
    { ...row, metric: 'resident, last quarter', value: medianMb(half.slice(-quarter)) },
    { ...row, metric: 'resident, most', value: Math.max(...samples.map((one) => one.residentMb)) },
    { ...row, metric: 'slope', unit: 'MB/min', value: cross / (square || 1), reference: 0 },
  ];
}

async function configure(target: SoakTarget, sinkPort: number): Promise<void> {
  const upstream = { nodes: { [`127.0.0.1:${target.upstreamPort}`]: 1 } };
  const sink = `http://127.0.0.1:${sinkPort}/logs`;
  const perClient = { key: 'http_x_client', key_type: 'var' };
  await put('consumers/soak', { username: 'soak', plugins: { 'key-auth': { key: 'soak' } } });
  for (const [id, uri, plugins] of [
    ['plain', '/plain', {}],
    ['slow', '/slow', {}],
    ['logged', '/logged', { 'http-logger': { uri: sink, include_req_body: true } }],
    ['cached', '/cached/*', { 'proxy-cache': { cache_strategy: 'memory', cache_zone: 'small' } }],
    ['limited', '/limited', { 'limit-req': { rate: 1, burst: 0, ...perClient } }],
    [
      'api',
      '/api/*',
      {
        'key-auth': {},
        'limit-count': { count: 1_000_000_000, time_window: 60 },
        prometheus: {},
        opentelemetry: { sampler: { name: 'always_on' } },
        'request-id': {},
      },
    ],
  ] as const) {
    await put(`routes/${id}`, { uri, plugins, upstream });
  }

  async function put(path: string, body: object): Promise<void> {
    const answer = await fetch(`${target.adminUrl}/apisix/admin/${path}`, {
      method: 'PUT',
      headers: { 'X-API-KEY': target.adminKey },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }
}

async function startGateway(folder: string, sinkPort: number) {
  const [port, adminPort, controlPort, metricsPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const config = {
    apisix: {
      node_listen: [{ ip: '127.0.0.1', port }],
      control: { port: controlPort },
      ssl: { enable: false },
      proxy_cache: { zones: [{ name: 'small', memory_size: '5m' }] },
    },
    plugin_attr: {
      prometheus: { export_addr: { port: metricsPort } },
      opentelemetry: { collector: { address: `127.0.0.1:${sinkPort}` } },
    },
    deployment: { admin: { admin_listen: { port: adminPort }, admin_key: [{ key: KEY }] } },
  };
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(config));
  const words = [CLI, 'gateway', '--config', path, '--data', join(folder, 'data')];
  const child = spawn(process.execPath, words, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const deadline = Date.now() + READY_MS_MAX;
  while ((await fetch(`${adminUrl}/apisix/admin`).catch(() => undefined)) === undefined) {
    if (Date.now() > deadline || child.exitCode !== null) {
      await close();
      throw new Error('the gateway did not start; fix: make build');
    }
    await sleep(50);
  }
  return { port, adminUrl, pid: child.pid ?? 0, close };
}

type Listener = Parameters<typeof createServer>[1];

async function listen(answer: Listener): Promise<{ server: Server; port: number }> {
  const server = createServer({ keepAliveTimeout: 60_000 }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port }; // A TCP server's address is one.
}

const answerUpstream: Listener = (asked, answer) => {
  asked.resume();
  asked.on('end', () => {
    if (asked.url === '/slow') void drip();
    else answer.end('x'.repeat(1_024));
  });

  async function drip(): Promise<void> {
    for (let at = 0; at < SLOW_PIECES && !answer.destroyed; at++) {
      answer.write(SLOW_PIECE);
      await sleep(SLOW_MS);
    }
    answer.end();
  }
};

const takeAll: Listener = (asked, answer) => {
  asked.resume();
  asked.on('end', () => answer.end());
};
