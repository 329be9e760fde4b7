import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerSettings } from '../config.ts';
import { type Server, startServer } from '../main.ts';
import { ask, differenceOf } from './testing/compare-answers.ts';
import { DIFFERENTIAL_QUERIES, KNOWN_DIFFERENCES } from './testing/differential-queries.ts';
import { differentialSeries } from './testing/differential-series.ts';
import { type PrometheusProcess, startPrometheus } from './testing/prometheus-process.ts';
import { postWrite, writeRequest } from './testing/write-request.ts';

const RELATIVE = 1e-9;
const MINUTES = 60;
const STEP_MS = 15_000;

let server: Server;
let prometheus: PrometheusProcess;
let directory = '';
/** Whole minutes: no sample of the test lies on one. */
const endS = Math.floor(Date.now() / 60_000) * 60 - 60;
const startS = endS - MINUTES * 60;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thalweg-differential-'));
  prometheus = await startPrometheus('', ['--web.enable-remote-write-receiver']);
  server = await startServer(
    ServerSettings.parse({ port: 0, data_dir: directory, self_scrape_s: 0 }),
    {
      version: 'test',
      logLevel: 'silent',
    },
  );
  const scrapes = (MINUTES * 60_000) / STEP_MS;
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    const body = writeRequest(differentialSeries(scrape, startS * 1e3 + scrape * STEP_MS));
    await postWrite(`${prometheus.url}/api/v1/write`, body);
    await postWrite(`${server.url}/api/v1/write`, body);
  }
});
afterAll(async () => {
  await server?.close();
  await prometheus?.close();
  rmSync(directory, { recursive: true, force: true });
});

test('the table holds queries of all kinds', () => {
  expect(DIFFERENTIAL_QUERIES.length).toBeGreaterThanOrEqual(160);
  expect(new Set(DIFFERENTIAL_QUERIES).size).toBe(DIFFERENTIAL_QUERIES.length);
});

/** Each query twice: at an instant, and over a range. */
async function differences(relevant: (query: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const query of DIFFERENTIAL_QUERIES.filter(relevant)) {
    const instant = { query, time: String(endS - 300) };
    const range = { query, start: String(startS + 900), end: String(endS), step: '60' };
    for (const [path, parameters] of [
      ['query', instant],
      ['query_range', range],
    ] as const) {
      const [ours, theirs] = await Promise.all([
        ask(`${server.url}/prom/api/v1`, path, parameters),
        ask(`${prometheus.url}/api/v1`, path, parameters),
      ]);
      const difference = differenceOf(ours, theirs, RELATIVE);
      if (difference !== '') found.push(`${path} ${query}: ours ${difference}`);
    }
  }
  return found;
}

test('from memory, answers are those of Prometheus 2.42', async () => {
  expect(await differences(() => true)).toEqual([]);
});

test.each(KNOWN_DIFFERENCES)('$query differs from 2.42: $why', async ({ query }) => {
  const parameters = { query, time: String(endS - 300) };
  const ours = await ask(`${server.url}/prom/api/v1`, 'query', parameters);
  const theirs = await ask(`${prometheus.url}/api/v1`, 'query', parameters);
  expect(differenceOf(ours, theirs, RELATIVE)).not.toBe('');
});

test('after a restart, and after kill -9 of the store, they still are', async () => {
  const pid = server.storePid();
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
  await server.close();
  server = await startServer(
    ServerSettings.parse({ port: 0, data_dir: directory, self_scrape_s: 0 }),
    {
      version: 'test',
      logLevel: 'silent',
    },
  );
  expect(await differences((query) => query.includes('rate('))).toEqual([]);
});
