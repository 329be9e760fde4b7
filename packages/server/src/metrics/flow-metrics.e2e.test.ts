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
  server = await startServer(ServerSettings.parse({ port: 0, data_dir: directory }), {
    version: 'test',
    logLevel: 'silent',
  });
  const make = createRowMaker(minuteS * 1e6);
  const row = (at: number, values: Partial<L7Row>): L7Row =>
    make(at * 1e6, {
      app_service: 'orders',
      observation_point: 's-p',
      endpoint: '/orders',
      ...values,
    });
  const rows = [
    row(1, {}),
    row(30, { response_status: 3, response_duration: 3_000n }),
    row(59, { response_status: 4 }),
    row(59, { observation_point: 'c-p' }),
    row(59, { app_service: 'stock' }),
    row(61, {}),
  ];
  const response = await fetch(`${server.url}/api/ingest/l7_flow_log`, {
    method: 'POST',
    body: encodeRows(rows),
    headers: { 'content-type': 'application/octet-stream', 'x-thalweg-token': 'flow-1' },
  });
  expect(response.status).toBe(200);
});
afterAll(async () => {
  await server?.close();
  rmSync(directory, { recursive: true, force: true });
});

const value = async (query: string): Promise<unknown> => {
  const { data } = await ask(`${server.url}/prom/api/v1`, 'query', {
    query,
    time: String(minuteS + 5),
  });
  const samples = (data?.result ?? []) as { value: [number, string] }[];
  return samples.map(({ value: [, text] }) => text);
};

test.each([
  { metric: 'request', want: ['3'] },
  { metric: 'server_error', want: ['1'] },
  { metric: 'error', want: ['2'] },
  { metric: 'rrt_max', want: ['3000'] },
  { metric: 'rrt_sum', want: ['5000'] },
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
  expect(services).toMatchObject({ data: ['orders', 'stock'] });
});
