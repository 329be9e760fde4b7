import { afterAll, beforeAll, expect, test } from 'vitest';
import { openQueryServer, type QueryServer } from './testing/query-server.ts';

// Jaeger's query API and DeepFlow's tracing against a real server.

const startUs = Math.floor(Date.now() - 60_000) * 1e3;
let server: QueryServer;

beforeAll(async () => {
  server = await openQueryServer(startUs);
});
afterAll(() => server.close());

test('Jaeger: services, operations, search, a trace, dependencies', async () => {
  expect((await server.getJson('/jaeger/api/services')).data).toEqual([
    'client',
    'gateway',
    'orders',
  ]);
  expect((await server.getJson('/jaeger/api/services/orders/operations')).data).toEqual([
    'GET /orders/*',
  ]);
  const tags = encodeURIComponent('{"http.status_code":"502"}');
  const path = `/jaeger/api/traces?service=orders&tags=${tags}&start=${startUs - 1e6}&end=${startUs + 60e6}`;
  const { data } = await server.getJson(path);
  expect(data.length).toBe(1);
  expect(data[0].spans.length).toBe(4);
  expect((await server.getJson(`/jaeger/api/traces/${data[0].traceID}`)).data).toEqual(data);
  const dependencies = await server.getJson('/jaeger/api/dependencies');
  expect(dependencies.data).toEqual([
    { parent: 'client', child: 'gateway', callCount: 3 },
    { parent: 'gateway', child: 'orders', callCount: 3 },
  ]);
  const bad = await server.get('/jaeger/api/traces?service=orders&tags=nonsense');
  const { errors } = (await bad.json()) as { errors: { msg: string }[] };
  expect([bad.status, errors[0]?.msg]).toEqual([
    400,
    'tags: a JSON object of texts is expected, such as {"http.status_code":"500"}',
  ]);
});

test("DeepFlow's tracing by row id", async () => {
  const answer = await fetch(`${server.url}/v1/stats/querier/L7FlowTracing`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ DATABASE: 'flow_log', TABLE: 'l7_flow_log', _id: '7' }),
  });
  const { OPT_STATUS, DATA } = (await answer.json()) as {
    OPT_STATUS: string;
    DATA: { tracing: object[] };
  };
  expect(OPT_STATUS).toBe('SUCCESS');
  expect(DATA.tracing).toMatchObject([
    { id: 0, parent_id: -1, tap_side: 'c-p', childs: [1] },
    { id: 1, parent_id: 0, tap_side: 's-p', related_ids: [expect.stringMatching(/^0-network-/)] },
    { id: 2, parent_id: 1, tap_side: 'c-p', related_ids: [expect.stringMatching(/^1-syscall-/)] },
    { id: 3, parent_id: 2, service_uname: 'orders', response_code: 502 },
  ]);
});
