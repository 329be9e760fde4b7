import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerSettings } from '../config.ts';
import { type Server, startServer } from '../main.ts';
import { createRowMaker, encodeRows, type L7Row } from '../testing/l7-rows.ts';
import { ask } from './testing/compare-answers.ts';

let server: Server;
let directory = '';
/** The start of the last whole minute but one. */
const minuteS = Math.floor(Date.now() / 60_000) * 60 - 120;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thalweg-flow-metrics-'));
  server = await startServer(
    ServerSettings.parse({ port: 0, data_dir: directory, self_scrape_s: 0 }),
    {
      version: 'test',
      logLevel: 'silent',
    },
  );
  const make = createRowMaker(minuteS * 1e6);
  const row = (at: number, values: Partial<L7Row>): L7Row =>
    make(at * 1e6, {
      app_service: 'orders',
      observation_point: 's-p',
      endpoint: '/orders',
      ip_0: '10.0.0.1',
      ip_1: '10.0.0.2',
      server_port: 8080,
      flow_id: 7n,
      ...values,
    });
  const rows = [
    row(1, {}),
    row(30, { response_status: 3, response_duration: 3_000n }),
    row(59, { response_status: 4 }),
    row(59, { observation_point: 'c-p', app_service: 'shop', endpoint: '/buy' }),
    row(59, { observation_point: 'c-p', app_service: 'shop', endpoint: '/buy', ip_1: '10.0.0.9' }),
    row(59, { observation_point: 's-nd', signal_source: 0, app_service: '' }),
    row(59, { app_service: 'stock', server_port: 8081 }),
    row(61, {}),
  ];
  const response = await fetch(`${server.url}/api/ingest/l7_flow_log`, {
    method: 'POST',
    body: encodeRows(rows),
    headers: { 'content-type': 'application/octet-stream', 'x-thalweg-token': 'flow-1' },
  });
  expect(response.status).toBe(200);
  const lines = `cpu,host=a usage_idle=90,usage_user=8 ${minuteS}`;
  const influx = await fetch(`${server.url}/api/v1/telegraf?precision=s`, {
    method: 'POST',
    body: lines,
  });
  expect(influx.status).toBe(204);
});
afterAll(async () => {
  await server?.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

const samples = async (query: string, atS = minuteS + 5): Promise<readonly Sample[]> => {
  const { data } = await ask(`${server.url}/prom/api/v1`, 'query', { query, time: String(atS) });
  return (data?.result ?? []) as Sample[];
};
const value = async (query: string, atS?: number): Promise<unknown> =>
  (await samples(query, atS)).map(({ value: [, text] }) => text);

test.each([
  { metric: 'request', want: ['3'] },
  { metric: 'server_error', want: ['1'] },
  { metric: 'error', want: ['2'] },
  { metric: 'rrt_max', want: ['3000'] },
  { metric: 'rrt_sum', want: ['5000'] },
  { metric: 'row', want: ['3'] },
])(
  '$metric of a service counts its rows of the minute, at the server only',
  async ({ metric, want }) => {
    const query = `flow_metrics__application__${metric}__1m{app_service="orders", role="server"}`;
    await expect.poll(() => value(query), { timeout: 20_000 }).toEqual(want);
  },
);

test('they are ordinary metrics: aggregated, divided, named, described', async () => {
  const total = 'flow_metrics__application__request__1m{role="server"}';
  await expect.poll(() => value(`sum(${total})`), { timeout: 20_000 }).toEqual(['4']);
  const ratio =
    'sum by (app_service) (flow_metrics__application__error__1m{role="server"}) / sum by (app_service) (flow_metrics__application__request__1m{role="server"})';
  expect(await value(`max(${ratio})`)).toEqual([String(2 / 3)]);
  const base = `${server.url}/prom/api/v1`;
  const names = await (await fetch(`${base}/label/__name__/values`)).json();
  expect(names).toMatchObject({
    data: expect.arrayContaining(['flow_metrics__application__request__1m']),
  });
  const match = encodeURIComponent('flow_metrics__application__request__1m');
  const services = await (await fetch(`${base}/label/app_service/values?match[]=${match}`)).json();
  expect(services).toMatchObject({ data: ['orders', 'shop', 'stock'] });
});

test('an edge names the services at both ends, or the address where no row names one', async () => {
  const query =
    'sum by (auto_service_0, auto_service_1, observation_point) (flow_metrics__application_map__request__1m{server_port="8080"})';
  const edges = async (): Promise<unknown> =>
    (await samples(query)).map(({ metric, value: [, text] }) => [
      metric['observation_point'],
      metric['auto_service_0'],
      metric['auto_service_1'],
      text,
    ]);
  const want = [
    ['c-p', 'shop', '10.0.0.9', '1'],
    ['c-p', 'shop', 'orders', '1'],
    ['s-nd', 'shop', 'orders', '1'],
    ['s-p', 'shop', 'orders', '3'],
  ];
  await expect
    .poll(async () => ((await edges()) as string[][]).map(String).sort(), { timeout: 20_000 })
    .toEqual(want.map(String));
});

test.each([
  {
    query: 'flow_metrics__application__server_error_ratio__1m{app_service="orders"}',
    want: [String(100 / 3)],
  },
  { query: 'flow_metrics__application__success_ratio__1m{app_service="stock"}', want: ['100'] },
  {
    query:
      'sum(flow_metrics__application_map__error__1m{observation_point="s-p", auto_service_0="shop"})',
    want: ['2'],
  },
  { query: 'flow_metrics__network__l7_request__1m{auto_service="orders"}', want: ['3'] },
  { query: 'flow_metrics__network__flow_load__1m{auto_service="orders"}', want: ['1'] },
  {
    query: 'max(flow_metrics__network_map__rrt_max__1m{auto_service_1="orders"})',
    want: ['3000'],
  },
  {
    query:
      'sum_over_time(sum(flow_log__l7_flow_log__row{observation_point="s-p", response_status="3"})[1m:1s])',
    atS: minuteS + 59,
    want: ['1'],
  },
  { query: 'ext_metrics__metrics__influxdb_cpu__usage_idle{tag_host="a"}', want: ['90'] },
  { query: 'ext_metrics__metrics__influxdb_cpu__usage_idle{host="a"}', want: [] },
  { query: 'prometheus__samples__cpu_usage_user', want: ['8'] },
])("DeepFlow's name $query is answered", async ({ query, want, atS }) => {
  await expect.poll(() => value(query, atS), { timeout: 20_000 }).toEqual(want);
});

test("a sample stands for its interval: afterwards the series is stale, not last minute's", async () => {
  const query = 'flow_metrics__application__request__1m{app_service="stock"}';
  await expect.poll(() => value(query), { timeout: 20_000 }).toEqual(['1']);
  expect(await value(query, minuteS + 61)).toEqual([]);
});

test('second names are found in the catalogue once they are asked for', async () => {
  const match = encodeURIComponent('prometheus__samples__cpu_usage_idle');
  const base = `${server.url}/prom/api/v1`;
  const get = async (path: string): Promise<unknown> =>
    ((await (await fetch(`${base}/${path}match[]=${match}`)).json()) as { data: unknown }).data;
  expect(await get('labels?')).toEqual(['__name__', 'tag_host']);
  expect(await get('label/tag_host/values?')).toEqual(['a']);
  expect(await get('series?')).toEqual([
    { __name__: 'prometheus__samples__cpu_usage_idle', tag_host: 'a' },
  ]);
});
