import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ApiErrorBody, LatencyAnswer, TraceAnswer, TraceSearchAnswer } from '@thalweg/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Server, ServerSettings, startServer } from './index.ts';
import { createRowMaker, encodeRows, type L7Row } from './testing/l7-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'thalweg-server-'));
const startUs = Date.now() * 1e3 - 60e6;
const row = createRowMaker(startUs);
let server: Server;

beforeAll(async () => {
  const settings = ServerSettings.parse({ port: 0, data_dir: folder });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A client's call to a gateway and the gateway's call to a service, under two wire ids. */
function requestThroughGateway(offsetUs: number, wire: bigint, path: string): L7Row[] {
  const common = { request_resource: path, endpoint: path };
  return [
    row(offsetUs, { ...common, wire_id: wire, observation_point: 'c-p', app_service: 'client' }),
    row(offsetUs + 100, {
      ...common,
      wire_id: wire,
      observation_point: 's-p',
      app_service: 'gateway',
    }),
    row(offsetUs + 200, {
      ...common,
      wire_id: wire + 1n,
      parent_wire_id: wire,
      link_probability: 0.97,
      link_evidence: 2,
      observation_point: 'c-p',
      app_service: 'gateway',
    }),
    row(offsetUs + 300, {
      ...common,
      wire_id: wire + 1n,
      observation_point: 's-p',
      app_service: 'orders',
    }),
  ];
}

let batchCount = 0;
async function ingest(rows: readonly L7Row[], token?: string): Promise<Response> {
  batchCount += 1;
  return fetch(`${server.url}/api/ingest/l7_flow_log`, {
    method: 'POST',
    body: gzipSync(encodeRows(rows)),
    headers: {
      'content-type': 'application/octet-stream',
      'content-encoding': 'gzip',
      'x-thalweg-agent': 'test',
      'x-thalweg-token': token ?? `test-${batchCount}`,
      'x-thalweg-lost-events': '3',
    },
  });
}

async function search(query: string): Promise<TraceSearchAnswer> {
  const range = `start=${startUs - 1e6}&end=${startUs + 3_600e6}`;
  return TraceSearchAnswer.parse(
    await (await fetch(`${server.url}/api/traces?${range}&${query}`)).json(),
  );
}

async function trace(id: string | bigint): Promise<TraceAnswer> {
  return TraceAnswer.parse(await (await fetch(`${server.url}/api/traces/${id}`)).json());
}

test('a trace is found by search, and by the id of any span, exchange or root', async () => {
  const rows = requestThroughGateway(0, 1_000n, '/found');
  expect((await ingest(rows)).status).toBe(200);
  await expect
    .poll(async () => (await search('endpoint=/found')).traces.length, { timeout: 20_000 })
    .toBe(1);
  const [found] = (await search('endpoint=/found')).traces;
  expect(found).toMatchObject({ service: 'client', path: '/found', spanCount: 4, rootCount: 1 });
  const whole = await trace(found?.traceId ?? '');
  expect(
    whole.spans.map(({ service, observationPoint }) => `${observationPoint} ${service}`),
  ).toEqual(['c-p client', 's-p gateway', 'c-p gateway', 's-p orders']);
  expect(whole.spans.map(({ link }) => link?.evidence ?? [])).toEqual([
    [],
    ['wire'],
    ['thread'],
    ['wire'],
  ]);
  for (const id of [rows[3]?._id ?? 0n, 1_001n])
    expect((await trace(id)).traceId).toBe(whole.traceId);
});

test('rows that arrive in the wrong order are one trace, shown once', async () => {
  const rows = requestThroughGateway(1e6, 2_000n, '/late');
  for (const one of rows.toReversed()) expect((await ingest([one])).status).toBe(200);
  await expect.poll(async () => (await search('endpoint=/late')).traces[0]?.spanCount).toBe(4);
  const { traces } = await search('endpoint=/late');
  expect(traces).toHaveLength(1);
  expect((await trace(rows[0]?._id ?? 0n)).spans).toHaveLength(4);
});

test('pages neither repeat nor hide a trace while rows arrive', async () => {
  const many = Array.from({ length: 25 }, (_, at) =>
    requestThroughGateway(2e6 + at * 1_000, 10_000n + BigInt(at) * 10n, '/page'),
  );
  expect((await ingest(many.flat())).status).toBe(200);
  await expect.poll(async () => (await search('endpoint=/page')).traces.length).toBe(25);
  const seen: string[] = [];
  for (let cursor = ''; ; ) {
    const page = await search(`endpoint=/page&limit=10${cursor}`);
    seen.push(...page.traces.map(({ traceId }) => traceId));
    if (page.cursor === undefined) break;
    cursor = `&cursor=${page.cursor}`;
    // Newer than the first page: it belongs before it, and must not shift the rest.
    await ingest(
      requestThroughGateway(9e6 + seen.length, 50_000n + BigInt(seen.length) * 10n, '/page'),
    );
  }
  expect(seen).toHaveLength(25);
  expect(new Set(seen).size).toBe(25);
});

test('losses that agents report are shown beside search results', async () => {
  expect((await search('endpoint=/none')).lost.events).toBe(3);
});

test.each([
  {
    name: 'a range that ends before it starts',
    path: '/api/traces?start=2&end=1',
    code: 'bad_time_range',
  },
  { name: 'a cursor that is none', path: '/api/traces?start=1&end=2&cursor=x', code: 'bad_cursor' },
  {
    name: 'a status that is none',
    path: '/api/traces?start=1&end=2&status=fine',
    code: 'bad_request',
  },
  { name: 'an id that is none', path: '/api/traces/nonsense', code: 'bad_id' },
  { name: 'an id that is not stored', path: '/api/traces/99999999', code: 'trace_not_found' },
  { name: 'a route that is none', path: '/api/nothing', code: 'route_not_found' },
])('$name is answered with the code $code and a fix', async ({ path, code }) => {
  const answer = await fetch(server.url + path);
  const { error } = ApiErrorBody.parse(await answer.json());
  expect([answer.ok, error.code, typeof error.fix]).toEqual([false, code, 'string']);
});

test('bytes that are no block are refused with the reason', async () => {
  const answer = await fetch(`${server.url}/api/ingest/l7_flow_log`, {
    method: 'POST',
    body: 'noise',
    headers: { 'content-type': 'application/octet-stream', 'x-thalweg-token': 'noise' },
  });
  expect([answer.status, ApiErrorBody.parse(await answer.json()).error.code]).toEqual([
    400,
    'ingest_refused',
  ]);
});

test('a batch that is sent twice is stored once', async () => {
  const rows = [row(20e6, { wire_id: 90_000n, endpoint: '/twice', observation_point: 's-p' })];
  for (let time = 0; time < 2; time += 1) expect((await ingest(rows, 'twice')).status).toBe(200);
  await expect.poll(async () => (await search('endpoint=/twice')).traces[0]?.spanCount).toBe(1);
});

test('SQL is answered in an envelope, and a mistake in it with its position', async () => {
  const ask = async (sql: string) => {
    const body = new URLSearchParams({ db: 'flow_log', sql });
    return (await fetch(`${server.url}/v1/query/`, { method: 'POST', body })).json();
  };
  const good = await ask("SELECT Count(row) AS n FROM l7_flow_log WHERE endpoint = '/found'");
  expect(good).toMatchObject({ OPT_STATUS: 'SUCCESS', result: { columns: ['n'], values: [[4]] } });
  const bad = await ask('SELECT endpiont FROM l7_flow_log');
  expect(bad).toMatchObject({ OPT_STATUS: 'INVALID_PARAMETERS', error: { code: 'sql_invalid' } });
  expect(bad).toMatchObject({ error: { position: 7 } });
});

test('the heat map counts each request once, where it was served', async () => {
  const range = `start=${startUs - 1e6}&end=${startUs + 10e6}&endpoint=/found`;
  const { cells } = LatencyAnswer.parse(
    await (await fetch(`${server.url}/api/latency?${range}`)).json(),
  );
  const total = cells.reduce((sum, { count }) => sum + count, 0);
  expect(total).toBe(2); // The gateway served one, orders the other.
});

test('every route of the UI is in the OpenAPI page', async () => {
  const page: unknown = await (await fetch(`${server.url}/api/openapi.json`)).json();
  const paths = {
    '/api/traces': {},
    '/api/traces/{id}': {},
    '/api/values': {},
    '/api/latency': {},
    '/api/link-calibration': {},
  };
  expect(page).toMatchObject({ openapi: '3.1.0', paths });
});

test('a connection is kept longer than clients keep an idle one', async () => {
  const answer = await fetch(`${server.url}/api/openapi.json`);
  expect(answer.headers.get('keep-alive')).toBe('timeout=120');
});
