import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerSettings } from '../config.ts';
import { type Server, startServer } from '../main.ts';
import { ask, differenceOf } from './testing/compare-answers.ts';
import { type PrometheusProcess, startPrometheus } from './testing/prometheus-process.ts';

// A real Prometheus scrapes an exporter and writes to us; another has nothing but remote read.

let exporter: HttpServer;
let server: Server;
let writer: PrometheusProcess;
let reader: PrometheusProcess;
let directory = '';
let scrapes = 0;

/** Counters, a histogram, and one series that is gone after a few scrapes. */
function page(): string {
  scrapes += 1;
  return [
    '# HELP app_requests_total Requests so far.',
    '# TYPE app_requests_total counter',
    `app_requests_total{route="/a"} ${1_000 + scrapes * 3}`,
    `app_requests_total{route="/b\\"q\\" \\\\ ü"} ${1_000 + scrapes}`,
    '# TYPE app_seconds histogram',
    `app_seconds_bucket{le="0.1"} ${1_000 + scrapes}`,
    `app_seconds_bucket{le="+Inf"} ${2_000 + scrapes * 2}`,
    `app_seconds_sum ${scrapes * 0.3}`,
    `app_seconds_count ${scrapes * 2}`,
    ...(scrapes < 5 ? [`app_short_lived ${scrapes}`] : []),
    '',
  ].join('\n');
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thalweg-neighbour-'));
  exporter = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(page());
  });
  await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
  const { port } = exporter.address() as AddressInfo; // A TCP server's address is one.
  server = await startServer(
    ServerSettings.parse({ port: 0, data_dir: directory, self_scrape_s: 0 }),
    {
      version: 'test',
      logLevel: 'silent',
    },
  );
  writer = await startPrometheus(`
global: { scrape_interval: 1s, scrape_timeout: 900ms }
scrape_configs:
  - job_name: app
    static_configs: [{ targets: ['127.0.0.1:${port}'] }]
remote_write:
  - url: ${server.url}/api/v1/write
    queue_config: { batch_send_deadline: 200ms }
    metadata_config: { send_interval: 1s }
`);
  reader = await startPrometheus(`
remote_read:
  - url: ${server.url}/api/v1/read
    read_recent: true
`);
});
afterAll(async () => {
  await reader?.close();
  await writer?.close();
  await server?.close();
  exporter?.close();
  rmSync(directory, { recursive: true, force: true });
});

const ours = (): string => `${server.url}/prom/api/v1`;
const samplesOf = async (base: string, query: string, time: string): Promise<number> => {
  const { data } = await ask(base, 'query', { query, time });
  const [first] = (data?.result ?? []) as { value: [number, string] }[];
  return Number(first?.value[1] ?? 0);
};

test('what Prometheus scraped is here sample by sample, and it reads back the same', async () => {
  const query = 'count_over_time(app_requests_total{route="/a"}[5m])';
  await expect
    .poll(() => samplesOf(ours(), query, String(Date.now() / 1e3)), { timeout: 60_000 })
    .toBeGreaterThan(12);
  // A second in the past, on which all three have the same samples.
  const time = String(Math.floor(Date.now() / 1e3) - 1);
  await expect
    .poll(() => samplesOf(ours(), query, time), { timeout: 10_000 })
    .toBe(await samplesOf(`${writer.url}/api/v1`, query, time));
  const start = String(Number(time) - 15);
  for (const asked of [
    'app_requests_total',
    'rate(app_requests_total[5s])',
    'app_short_lived',
    'histogram_quantile(0.9, rate(app_seconds_bucket[6s]))',
    'up',
    'sum by (route) (increase(app_requests_total[8s]))',
    '{job="app"}[10s]',
  ]) {
    const isRange = asked.endsWith(']');
    const path = isRange ? 'query' : 'query_range';
    const parameters = isRange
      ? { query: asked, time }
      : { query: asked, start, end: time, step: '1' };
    const theirs = await ask(`${writer.url}/api/v1`, path, parameters);
    const readBack = await ask(`${reader.url}/api/v1`, path, parameters);
    expect(differenceOf(await ask(ours(), path, parameters), theirs, 1e-9), asked).toBe('');
    expect(differenceOf(readBack, theirs, 1e-9), `${asked}, read back`).toBe('');
  }
});

test('a series that ended is stale at once, as in Prometheus', async () => {
  const time = String(Date.now() / 1e3);
  const { data } = await ask(ours(), 'query', { query: 'app_short_lived', time });
  expect(data?.result).toEqual([]);
  expect(await samplesOf(ours(), 'count_over_time(app_short_lived[5m])', time)).toBe(4);
});

test('metadata is what the exporter said', async () => {
  const read = async (): Promise<unknown> =>
    (await fetch(`${ours()}/metadata?metric=app_requests_total`)).json();
  await expect.poll(read, { timeout: 20_000 }).toMatchObject({
    status: 'success',
    data: { app_requests_total: [{ type: 'counter', help: 'Requests so far.', unit: '' }] },
  });
});

test('Prometheus counts no failed and no retried sample', async () => {
  const text = await (await fetch(`${writer.url}/metrics`)).text();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^prometheus_remote_storage_${name}{.*} (.*)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  expect(sum('samples_total')).toBeGreaterThan(100);
  expect([sum('samples_failed_total'), sum('samples_retried_total')]).toEqual([0, 0]);
});
