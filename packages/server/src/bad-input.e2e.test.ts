import { afterAll, beforeAll, expect, test } from 'vitest';
import { badBodies } from './testing/bad-bodies.ts';
import { endlessBodies } from './testing/endless-bodies.ts';
import { hostileQueries } from './testing/hostile-queries.ts';
import { rawPost } from './testing/raw-request.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

// What broken and hostile senders post costs bounded memory, is answered and counted. The limits on
// memory are generous: they tell a bound from none.

const PEAK_BYTES_MAX = 1.6e9;
/** Answered whatever the body is: nothing of it is read. */
const BODY_IS_IGNORED = /^\/(ping|query|v3\/management\/.*)$/;

/** Paths that lead to a receiver which has another one. */
const OTHER_NAME = /^\/(api\/v1\/(otel|prom|push)|v1\/(\w+)\/v1\/)/;

let server: ServerProcess;
let paths: string[] = [];

beforeAll(async () => {
  server = await startServerProcess();
  // The answer to a path of nobody names every path that there is.
  const { text } = await rawPost(`${server.otlpHttpUrl}/`, new Uint8Array());
  paths = [...text.matchAll(/[ "](\/[\w./-]+)/g)].map(([, path = '']) => path);
});
afterAll(() => server.close());

const isOfSender = (status: number): boolean => status >= 400 && status < 500;

test('every path of the documentation is tried', () => {
  expect(paths.length).toBeGreaterThan(30);
});

test.each(badBodies())('$name is refused on every path', async ({ bytes, headers, isLarge }) => {
  const body = bytes();
  server.forgetPeak();
  const wrong: string[] = [];
  for (const path of isLarge ? paths.filter((one) => !OTHER_NAME.test(one)) : paths) {
    const { status, retryAfter } = await rawPost(`${server.url}${path}`, body, headers);
    const isFine = isOfSender(status) || (status < 300 && BODY_IS_IGNORED.test(path));
    if (!isFine) wrong.push(`${path}: ${status} ${retryAfter ?? ''}`);
  }
  expect(wrong).toEqual([]);
  expect(server.peakBytes()).toBeLessThan(PEAK_BYTES_MAX);
});

test.each(endlessBodies(Date.now()))('$name: refused or cut, in bounded memory', async (sent) => {
  const body = sent.bytes();
  server.forgetPeak();
  const { status } = await rawPost(`${server.url}${sent.path}`, body, sent.headers);
  expect(status < 300 || isOfSender(status), `status ${status}`).toBe(true);
  expect(server.peakBytes()).toBeLessThan(PEAK_BYTES_MAX);
});

test.each(hostileQueries())('$name: answered, in bounded memory', async ({ path, form }) => {
  server.forgetPeak();
  const url = `${server.url}${path}`;
  const signal = AbortSignal.timeout(60_000);
  const init =
    form === undefined ? { signal } : { signal, method: 'POST', body: new URLSearchParams(form) };
  const { status } = await fetch(url, init);
  expect(status < 300 || isOfSender(status), `status ${status}`).toBe(true);
  expect(server.peakBytes()).toBeLessThan(PEAK_BYTES_MAX);
});

test('a question that is too long is answered while it is still being sent', async () => {
  const body = new URLSearchParams({ query: 'x'.repeat(8e6) });
  for (let i = 0; i < 5; i += 1) {
    const answer = await fetch(`${server.url}/prom/api/v1/query`, { method: 'POST', body });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('too large'),
    ]);
  }
});

test('after all that it takes what is good, and has counted what was not', async () => {
  const log = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a' } }] }] }] };
  const headers = { 'content-type': 'application/json' };
  const sent = await rawPost(`${server.url}/v1/logs`, Buffer.from(JSON.stringify(log)), headers);
  expect(sent.status).toBe(200);
  const metrics = await server.metrics();
  const count = (name: string): number => metrics.get(`thalweg_receivers{counter="${name}"}`) ?? 0;
  for (const receiver of ['otlp_traces', 'zipkin', 'influx_v1', 'logs_loki', 'profiles']) {
    expect(count(`${receiver}.reason.body_too_large`), receiver).toBeGreaterThan(0);
    expect(count(`${receiver}.status.413`), receiver).toBeGreaterThan(0);
  }
  expect(count('metrics.refused.metric_series_limit')).toBe(800_000);
  expect(count('bodies.bytes')).toBe(0);
});
