import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Server, ServerSettings, startServer } from './index.ts';

// What senders other than OpenTelemetry's post to a real server is found again by its query APIs.

const folder = mkdtempSync(join(tmpdir(), 'thalweg-others-'));
let server: Server;

beforeAll(async () => {
  const settings = ServerSettings.parse({ port: 0, data_dir: folder });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const nowMs = Date.now();
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

async function send(path: string, body: string, type = 'application/json'): Promise<number> {
  const init = { method: 'POST', body, headers: { 'content-type': type } };
  return (await fetch(`${server.url}${path}`, init)).status;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of APIs whose shape is what is tested.
async function getJson(path: string): Promise<any> {
  return (await fetch(`${server.url}${path}`)).json();
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the SQL API answers it.
async function sql(text: string): Promise<any[]> {
  const init = { method: 'POST', body: new URLSearchParams({ sql: text }) };
  const answer = await fetch(`${server.url}/v1/query/`, init);
  const { result } = (await answer.json()) as { result: { values: unknown[] } | null };
  return result?.values ?? [];
}

const soon = { timeout: 20_000, interval: 100 };

test("Zipkin's spans are a trace", async () => {
  const span = { traceId: TRACE, timestamp: nowMs * 1e3, duration: 1_000, kind: 'SERVER' };
  const spans = [
    { ...span, id: '1'.repeat(16), name: 'outer', localEndpoint: { serviceName: 'shop' } },
    { ...span, id: '2'.repeat(16), parentId: '1'.repeat(16), kind: 'CLIENT', name: 'inner' },
  ];
  expect(await send('/api/v2/spans', JSON.stringify(spans))).toBe(202);
  await expect
    .poll(async () => (await getJson(`/api/traces/${TRACE}`)).spans?.length, soon)
    .toBe(2);
});

test("SkyWalking's segments are rows under ids that sw8 has", async () => {
  const segment = {
    traceId: 'trace.1',
    traceSegmentId: 'segment.1',
    service: 'sky',
    spans: [
      { spanId: 0, parentSpanId: -1, spanType: 'Entry', startTime: nowMs, endTime: nowMs + 1 },
      { spanId: 1, parentSpanId: 0, spanType: 'Exit', startTime: nowMs, endTime: nowMs + 1 },
    ],
  };
  expect(await send('/v3/segments', JSON.stringify([segment]))).toBe(200);
  const query =
    "SELECT span_id, parent_span_id FROM l7_flow_log WHERE trace_id = 'trace.1' ORDER BY span_id";
  await expect
    .poll(() => sql(query), soon)
    .toEqual([
      ['segment.1-0', ''],
      ['segment.1-1', 'segment.1-0'],
    ]);
});

test('an access log is found by its trace', async () => {
  const entry = {
    uri: '/a',
    status: 502,
    route_id: 'r',
    trace: `00-${TRACE}-${'3'.repeat(16)}-01`,
  };
  expect(await send('/http-logger', JSON.stringify([entry]))).toBe(200);
  const range = `start=${(nowMs - 60_000) * 1e3}&end=${(nowMs + 60_000) * 1e3}`;
  const find = async () => (await getJson(`/api/logs?${range}&trace_id=${TRACE}`)).logs;
  await expect.poll(async () => (await find()).length, soon).toBe(1);
  expect((await find())[0]).toMatchObject({ type: 'access', service: 'apisix', level: 'ERROR' });
});

test('folded stacks are a flame graph', async () => {
  const until = Math.floor(nowMs / 1e3);
  const path = `/ingest?name=shop.cpu&from=${until - 10}&until=${until}&format=folded`;
  expect(await send(path, 'main;work 7\nmain;idle 3\n', 'text/plain')).toBe(200);
  const query = encodeURIComponent('cpu:cpu:samples:cpu:samples{service_name="shop"}');
  const render = `/pyroscope/render?query=${query}&from=${until - 60}&until=${until + 60}`;
  await expect.poll(async () => (await getJson(render)).flamebearer?.numTicks, soon).toBe(10);
});

test('Influx lines are samples', async () => {
  expect(
    await send('/write?db=d&precision=ms', `cpu,host=a usage=1.5 ${nowMs}\n`, 'text/plain'),
  ).toBe(204);
  const query = "SELECT metric FROM prometheus.series WHERE metric = 'cpu_usage'";
  await expect.poll(() => sql(query), soon).toEqual([['cpu_usage']]);
});
