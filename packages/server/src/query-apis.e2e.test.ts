import { protoCursor, readBytes, readTag, skipField } from '@thalweg/wire';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openQueryServer, type QueryServer, rangeAround } from './testing/query-server.ts';

// Tempo's API against a real server, as Grafana's data source and Traces Drilldown ask it.

const startUs = Math.floor(Date.now() - 60_000) * 1e3;
const range = rangeAround(startUs);
let server: QueryServer;

beforeAll(async () => {
  server = await openQueryServer(startUs);
});
afterAll(() => server.close());

interface Found {
  traceID: string;
  rootServiceName: string;
  rootTraceName: string;
  spanSet: { matched: number; spans: { spanID: string }[] };
}

async function tempoSearch(query: string, more = ''): Promise<Found[]> {
  const answer = await server.getJson(
    `/tempo/api/search?q=${encodeURIComponent(query)}&${range}${more}`,
  );
  return answer.traces;
}

test.each([
  { query: '{ status = error }', traces: 1, matched: 2 },
  { query: '{ .service.name = "gateway" } >> { .service.name = "orders" }', traces: 3, matched: 1 },
  { query: '{ span.http.request.header.x-tier = "gold" }', traces: 1, matched: 1 },
  { query: '{ name = "GET /orders/*" } | count() = 4', traces: 3, matched: 4 },
  { query: '{ .service.name = "nobody" }', traces: 0, matched: undefined },
  { query: '{ duration > 2ms }', traces: 0, matched: undefined },
])('Tempo search: $query', async ({ query, traces, matched }) => {
  const found = await tempoSearch(query);
  expect(found.length).toBe(traces);
  expect(found[0]?.spanSet.matched).toBe(matched);
});

test('Tempo search answers the newest first, up to its limit, with the root named', async () => {
  const found = await tempoSearch('{ }', '&limit=2');
  expect(found).toMatchObject([
    { rootServiceName: 'client', rootTraceName: 'GET /orders/*' },
    { rootServiceName: 'client' },
  ]);
});

test('the search by tags and duration of older clients', async () => {
  const tags = encodeURIComponent('service.name=orders http.status_code=502');
  const path = `/tempo/api/search?tags=${tags}&minDuration=1ms&${range}`;
  // A number is compared as a number, also where it was written as text.
  expect((await server.getJson(path)).traces.length).toBe(1);
});

test('a mistake in TraceQL is a 400 that says where', async () => {
  const answer = await server.get(`/tempo/api/search?q=${encodeURIComponent('{ status = }')}`);
  expect([answer.status, await answer.text()]).toEqual([
    400,
    'invalid TraceQL query: parse error at line 1, col 12: unexpected "}", expected a value, an attribute or an intrinsic',
  ]);
});

test('a trace that carried no id is found by the id that search gave it', async () => {
  const [first] = await tempoSearch('{ status = error }');
  const id = first?.traceID ?? '';
  expect(id).toMatch(/^0{16}[0-9a-f]{16}$/);
  const { batches } = await server.getJson(`/tempo/api/traces/${id}`);
  const names = batches.map(
    (batch: { resource: { attributes: { key: string; value: { stringValue: string } }[] } }) =>
      batch.resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue,
  );
  expect(names).toEqual(['client', 'gateway', 'orders']);
  const v2 = await server.getJson(`/tempo/api/v2/traces/${id}`);
  expect(v2.trace.resourceSpans).toEqual(batches);
});

test('a trace as protobuf holds the same spans', async () => {
  const [first] = await tempoSearch('{ status = error }');
  const answer = await fetch(`${server.url}/tempo/api/traces/${first?.traceID}`, {
    headers: { accept: 'application/protobuf' },
  });
  expect(answer.headers.get('content-type')).toBe('application/protobuf');
  const cursor = protoCursor(new Uint8Array(await answer.arrayBuffer()));
  let spans = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    const resource = protoCursor(readBytes(cursor));
    for (let inner = readTag(resource); inner !== 0; inner = readTag(resource)) {
      if (inner >>> 3 !== 2) skipField(resource, inner);
      else {
        const scope = protoCursor(readBytes(resource));
        for (let last = readTag(scope); last !== 0; last = readTag(scope)) {
          if (last >>> 3 === 2) spans += 1;
          skipField(scope, last);
        }
      }
    }
  }
  expect([cursor.fault, spans]).toEqual(['', 4]);
});

test('an unknown trace is 404', async () => {
  expect((await server.get('/tempo/api/traces/0123456789abcdef0123456789abcdef')).status).toBe(404);
});

test('tags and their values, for completion', async () => {
  const { scopes } = await server.getJson(`/tempo/api/v2/search/tags?${range}`);
  const byName = new Map(
    scopes.map((one: { name: string; tags: string[] }) => [one.name, one.tags]),
  );
  expect(byName.get('resource')).toContain('service.name');
  expect(byName.get('span')).toContain('http.request.header.x-tier');
  expect(byName.get('intrinsic')).toContain('duration');
  const values = async (tag: string) =>
    (await server.getJson(`/tempo/api/v2/search/tag/${tag}/values?${range}`)).tagValues;
  expect(await values('resource.service.name')).toEqual([
    { type: 'string', value: 'gateway' },
    { type: 'string', value: 'client' },
    { type: 'string', value: 'orders' },
  ]);
  expect(await values('span.http.request.header.x-tier')).toEqual([
    { type: 'string', value: 'silver' },
    { type: 'string', value: 'gold' },
  ]);
  expect(await values('status')).toContainEqual({ type: 'keyword', value: 'error' });
  expect(await values('.http.status_code')).toEqual([
    { type: 'int', value: '200' },
    { type: 'int', value: '502' },
  ]);
});

test('a span of an SDK keeps its ids, and its resource can be asked for', async () => {
  const nowNs = `${startUs + 5e6}000`;
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const span = (spanId: string, parentSpanId: string) => ({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId,
    parentSpanId,
    name: `work ${spanId}`,
    startTimeUnixNano: nowNs,
    endTimeUnixNano: nowNs,
    events: [
      { timeUnixNano: nowNs, name: `event ${spanId}`, attributes: [text('exception.type', 'E1')] },
    ],
    links: [
      { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), attributes: [text('why', 'batch')] },
    ],
  });
  const answer = await fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [text('service.name', 'cart'), text('k8s.pod.name', 'cart-7')] },
          scopeSpans: [
            {
              scope: { name: 'cart-lib', version: '2.1', attributes: [text('language', 'js')] },
              spans: [span('00f067aa0ba902b7', ''), span('00f067aa0ba902b8', '00f067aa0ba902b7')],
            },
          ],
        },
      ],
    }),
  });
  expect(answer.status).toBe(200);
  const query = '{ resource.k8s.pod.name = "cart-7" } > { .k8s.pod.name =~ "cart-.*" }';
  await vi.waitFor(async () => expect((await tempoSearch(query)).length).toBe(1), 20_000);
  expect(await tempoSearch(query)).toMatchObject([
    {
      traceID: '0af7651916cd43dd8448eb211c80319c',
      spanSet: { matched: 1, spans: [{ spanID: '00f067aa0ba902b8' }] },
    },
  ]);
  const values = await server.getJson(
    `/tempo/api/v2/search/tag/resource.k8s.pod.name/values?${range}`,
  );
  expect(values.tagValues).toEqual([{ type: 'string', value: 'cart-7' }]);
  const { scopes } = await server.getJson(`/tempo/api/v2/search/tags?scope=resource&${range}`);
  expect(scopes[0].tags).toContain('k8s.pod.name');
});

test('events, links and the scope of a span are searched, listed and answered', async () => {
  const conditions = [
    'event:name = "event 00f067aa0ba902b8"',
    'event.exception.type = "E1"',
    `link:traceID = "${'ab'.repeat(16)}"`,
    'link.why =~ "b.*"',
    'instrumentation:name = "cart-lib"',
    'instrumentation.language = "js"',
  ];
  const found = await tempoSearch(`{ ${conditions.join(' && ')} }`);
  expect(found).toMatchObject([
    { spanSet: { matched: 1, spans: [{ spanID: '00f067aa0ba902b8' }] } },
  ]);
  expect(await tempoSearch('{ event:name = "event of nobody" }')).toEqual([]);

  const { scopes } = await server.getJson(`/tempo/api/v2/search/tags?limit=5000&${range}`);
  expect(scopes).toEqual(
    expect.arrayContaining([
      { name: 'event', tags: ['exception.type'] },
      { name: 'link', tags: ['why'] },
      { name: 'instrumentation', tags: ['language'] },
    ]),
  );
  const values = async (tag: string, more = '') => {
    const path = `/tempo/api/v2/search/tag/${tag}/values?limit=5000&${range}${more}`;
    return (await server.getJson(path)).tagValues.map(({ value }: { value: string }) => value);
  };
  expect(await values('event.exception.type')).toEqual(['E1']);
  expect(await values('event:name')).toEqual(['event 00f067aa0ba902b7', 'event 00f067aa0ba902b8']);
  expect(await values('instrumentation:version')).toEqual(['2.1']);
  expect(await values('link.why')).toEqual(['batch']);
  // A query that is still being written narrows by what of it can be read.
  const unfinished = encodeURIComponent('{ .service.name = "orders" && resource.k8s. }');
  expect(await values('resource.service.name', `&q=${unfinished}`)).toEqual(['orders']);

  const { batches } = await server.getJson('/tempo/api/traces/0af7651916cd43dd8448eb211c80319c');
  const [{ scope, spans }] = batches[0].scopeSpans;
  expect(scope).toMatchObject({ name: 'cart-lib', version: '2.1' });
  expect(spans[0].events).toMatchObject([{ name: 'event 00f067aa0ba902b7' }]);
  const link = Buffer.from('ab'.repeat(16), 'hex').toString('base64');
  expect(spans[0].links).toMatchObject([{ traceId: link }]);
});

interface MetricSeries {
  labels: { key: string; value: object }[];
  promLabels: string;
  samples: { timestampMs: string; value: number }[];
}

const metricsPath = (query: string, more: string): string =>
  `/tempo/api/metrics/query_range?q=${encodeURIComponent(query)}&${more}`;

const ofRequests = '.service.name =~ "client|gateway|orders"';

test('a metrics query counts every span once, at the end of its interval', async () => {
  const query = `{ ${ofRequests} } | count_over_time() by (resource.service.name, status)`;
  const { series, metrics } = await server.getJson(metricsPath(query, `${range}&step=10s`));
  const found = (series as MetricSeries[]).map(({ promLabels, samples }) => [
    promLabels,
    samples.reduce((sum, { value }) => sum + value, 0),
    samples.every(({ timestampMs }) => Number(timestampMs) % 10_000 === 0),
  ]);
  expect(new Set(found)).toEqual(
    new Set([
      ['{resource.service.name="client", status="ok"}', 3, true],
      ['{resource.service.name="gateway", status="ok"}', 5, true],
      ['{resource.service.name="gateway", status="error"}', 1, true],
      ['{resource.service.name="orders", status="ok"}', 2, true],
      ['{resource.service.name="orders", status="error"}', 1, true],
    ]),
  );
  expect(metrics).toMatchObject({ completedJobs: 1, totalJobs: 1 });
  const first = series[0].samples.find(({ value }: { value: number }) => value > 0);
  expect(Number(first.timestampMs)).toBeGreaterThanOrEqual(startUs / 1e3);
  expect(Number(first.timestampMs)).toBeLessThan(startUs / 1e3 + 10_000 + 3_000);
});

test.each([
  '{ COND } | rate()',
  '{ COND && status = error } | rate() by (.service.name)',
  '{ COND && duration > 1us } | quantile_over_time(duration, .5, .9) by (name)',
  '{ COND } | histogram_over_time(duration)',
  '{ COND && span.http.request.header.x-tier != nil } | count_over_time() by (.http.request.header.x-tier)',
  '{ kind = server && span.http.response.status_code >= 200 } | max_over_time(.http.status_code)',
  '{ event:name =~ "event.*" && .k8s.pod.name = "cart-7" } | rate() by (event:name, name)',
  '{ instrumentation.language = "js" } | sum_over_time(duration) by (instrumentation:name)',
  '{ COND && .endpoint != nil } | avg_over_time(duration) by (kind) | topk(1)',
])('rows alone give what whole traces give: %s', async (text) => {
  const query = text.replace('COND', ofRequests);
  const whole = query.replace(/^(\{.*?\}) \|/, '($1) |');
  const ask = async (one: string) =>
    (await server.getJson(metricsPath(one, `${range}&step=5`))).series;
  const found = await ask(query);
  const byLabels = (a: MetricSeries, b: MetricSeries) => a.promLabels.localeCompare(b.promLabels);
  expect(found.length).toBeGreaterThan(0);
  expect(found.sort(byLabels)).toEqual((await ask(whole)).sort(byLabels));
});

test.each(['{ COND } | max_over_time(duration)', '({ COND }) | rate()'])(
  'exemplars name traces that are there: %s',
  async (text) => {
    const query = text.replace('COND', ofRequests);
    const { series } = await server.getJson(metricsPath(query, `${range}&step=10s&exemplars=5`));
    const [{ samples, exemplars }] = series;
    expect(exemplars.length).toBeGreaterThan(0);
    for (const { labels, value, timestampMs } of exemplars) {
      expect(samples.map((sample: { value: number }) => sample.value)).toContain(value);
      expect(Math.abs(Number(timestampMs) - startUs / 1e3)).toBeLessThan(60_000);
      const [{ key, value: id }] = labels;
      expect(key).toBe('trace:id');
      const { batches } = await server.getJson(`/tempo/api/traces/${id.stringValue}`);
      expect(batches.length).toBeGreaterThan(0);
    }
  },
);

test('metrics queries about the whole trace, as Traces Drilldown sends them', async () => {
  const query =
    '{nestedSetParent<0 && true && resource.service.name != nil} | rate() by(resource.service.name)';
  const path = `/tempo/api/metrics/query_range?query=${encodeURIComponent(query)}&${range}`;
  const { series } = await server.getJson(path);
  const names = series.map(({ promLabels }: MetricSeries) => promLabels);
  expect(names).toContain('{resource.service.name="client"}');
  const structural =
    '{ .service.name = "gateway" } >> { .service.name = "orders" } | count_over_time()';
  const { series: instant } = await server.getJson(
    `/tempo/api/metrics/query?q=${encodeURIComponent(structural)}&${range}`,
  );
  expect(instant).toEqual([
    {
      labels: [{ key: '__name__', value: { stringValue: 'count_over_time' } }],
      promLabels: '{__name__="count_over_time"}',
      value: 3,
    },
  ]);
});

test('a comparison counts the values of attributes inside a selection and outside of it', async () => {
  const query = `{ ${ofRequests} } | compare({ status = error }, 2)`;
  const { series, metrics } = await server.getJson(metricsPath(query, `${range}&step=10s`));
  const sums = new Map(
    (series as MetricSeries[]).map(({ promLabels, samples }) => [
      promLabels,
      samples.reduce((sum, { value }) => sum + value, 0),
    ]),
  );
  const of = (type: string, service: string): number | undefined =>
    sums.get(`{__meta_type="${type}", resource.service.name="${service}"}`);
  expect(metrics).toMatchObject({ completedJobs: 1, totalJobs: 1 });
  expect(of('baseline', 'gateway')).toBe(5);
  expect(of('baseline_total', 'nil')).toBe(10);
  expect(of('selection', 'gateway')).toBe(1);
  expect(of('selection', 'orders')).toBe(1);
  expect(of('selection_total', 'nil')).toBe(2);
  expect(sums.has('{__meta_error="__too_many_values__", resource.service.name="nil"}')).toBe(true);
});

test.each([
  { path: metricsPath('{ } | rate(', range), says: 'invalid TraceQL query: parse error at line 1' },
  { path: metricsPath('{ }', range), says: 'q: a metrics query such as { } | rate() is expected' },
  { path: metricsPath('{ } | rate()', `${range}&step=1ms`), says: 'the most is 11000' },
  { path: metricsPath('{ } | rate()', `${range}&exemplars=-1`), says: 'exemplars' },
  {
    path: metricsPath('{ } | rate()', 'start=now'),
    says: 'start: seconds, nanoseconds or RFC 3339',
  },
  { path: '/tempo/api/metrics/query', says: 'q: is missing' },
  { path: '/tempo/api/search?q=%7B%7D%7Crate()', says: 'q: a metrics query' },
])('a mistake in a metrics query is told: $says', async ({ path, says }) => {
  const answer = await server.get(path);
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(says)]);
});

test('a trace as protobuf is what the same trace is as OTLP, with events and links', async () => {
  const answer = await fetch(`${server.url}/tempo/api/traces/0af7651916cd43dd8448eb211c80319c`, {
    headers: { accept: 'application/protobuf' },
  });
  const sent = await fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: await answer.arrayBuffer(),
  });
  expect([sent.status, await sent.text()]).toEqual([200, '']);
});
