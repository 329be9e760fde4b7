import { createRequire } from 'node:module';
import { decodeHistogram } from '@thalweg/wire';
import { expect, onTestFinished, test } from 'vitest';
import { openIntegration } from '../testing/open-integration.ts';
import { labelName, metricName } from './metric-names.ts';

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
const TIME = `${NOW_MS}000000`;
const root = createRequire(import.meta.url)(
  '@opentelemetry/otlp-transformer/build/src/generated/root.js',
).opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;

const text = (key: string, value: string): object => ({ key, value: { stringValue: value } });
const RESOURCE = {
  attributes: [
    text('service.name', 'cart'),
    text('service.namespace', 'shop'),
    text('service.instance.id', 'cart-1'),
    text('host.name', 'node-3'),
  ],
};

/** Sends one metric as JSON and as protobuf of the official definitions; both must say the same. */
async function series(metric: object): Promise<{ said: string[]; body: string }> {
  const body = { resourceMetrics: [{ resource: RESOURCE, scopeMetrics: [{ metrics: [metric] }] }] };
  const json = await sent(JSON.stringify(body), 'application/json');
  const bytes = new Uint8Array(root.encode(root.fromObject(body)).finish());
  const proto = await sent(bytes, 'application/x-protobuf');
  expect(proto.said).toEqual(json.said);
  return json;
}

async function sent(body: string | Uint8Array, type: string) {
  const { url, rows, close } = await openIntegration({ now: () => NOW_MS });
  onTestFinished(close);
  const answer = await fetch(`${url}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: body as string, // Node's fetch takes bytes; its type of the web does not name a view.
  });
  expect(answer.status).toBe(200);
  const names = new Map(rows('series').map((row) => [row['id'], spelled(row)]));
  const samples = rows('samples').map((row) => `${names.get(row['id'])} ${row['value']}`);
  const exemplars = rows('exemplars').map(
    (row) => `# ${names.get(row['id'])} ${row['value']} ${row['label_values']}`,
  );
  return { said: [...samples, ...exemplars].sort(), body: await answer.text(), rows };
}

function spelled(row: Readonly<Record<string, unknown>>): string {
  const names = row['label_names'] as string[]; // The column's kind.
  const values = row['label_values'] as string[];
  const labels = names
    .map((name, at) => `${name}=${values[at]}`)
    .filter((label) => !/^(job|instance|otel_scope)/.test(label));
  return `${row['metric']}{${labels.join()}}`;
}

const INFO = 'target_info{host_name=node-3} 1';
const point = (rest: object): object => ({
  timeUnixNano: TIME,
  attributes: [text('http.route', '/cart')],
  ...rest,
});
const sum = (name: string, rest: object): object => ({
  name,
  sum: {
    aggregationTemporality: 2,
    isMonotonic: true,
    dataPoints: [point({ asInt: '7' })],
    ...rest,
  },
});

test.each([
  {
    name: 'a counter',
    metric: sum('http.requests', {}),
    want: ['http_requests_total{http_route=/cart} 7', INFO],
  },
  {
    name: 'a sum that may fall is a gauge',
    metric: sum('queue.size', { isMonotonic: false }),
    want: ['queue_size{http_route=/cart} 7', INFO],
  },
  {
    name: 'a gauge with a unit',
    metric: { name: 'cpu.time', unit: 's', gauge: { dataPoints: [point({ asDouble: -0.5 })] } },
    want: ['cpu_time_seconds{http_route=/cart} -0.5', INFO],
  },
  {
    name: 'a histogram',
    metric: {
      name: 'latency',
      unit: 'ms',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          point({
            count: '6',
            sum: 30.5,
            bucketCounts: ['1', '2', '3'],
            explicitBounds: [5, 10],
            exemplars: [{ timeUnixNano: TIME, asDouble: 7 }],
          }),
        ],
      },
    },
    want: [
      '# latency_milliseconds_bucket{http_route=/cart,le=10} 7 ,',
      'latency_milliseconds_bucket{http_route=/cart,le=+Inf} 6',
      'latency_milliseconds_bucket{http_route=/cart,le=10} 3',
      'latency_milliseconds_bucket{http_route=/cart,le=5} 1',
      'latency_milliseconds_count{http_route=/cart} 6',
      'latency_milliseconds_sum{http_route=/cart} 30.5',
      INFO,
    ],
  },
  {
    name: 'a summary',
    metric: {
      name: 'size',
      summary: {
        dataPoints: [point({ count: 2, sum: 3, quantileValues: [{ quantile: 0.5, value: 1.5 }] })],
      },
    },
    want: [
      'size_count{http_route=/cart} 2',
      'size_sum{http_route=/cart} 3',
      'size{http_route=/cart,quantile=0.5} 1.5',
      INFO,
    ],
  },
])('$name', async ({ metric, want }) => {
  expect((await series(metric)).said).toEqual(want);
});

test('an exponential histogram becomes a native one, fine scales merged', async () => {
  const dataPoint = point({
    count: '7',
    sum: 9,
    scale: 9,
    zeroCount: '1',
    positive: { offset: 0, bucketCounts: ['1', '2', '0', '0', '3'] },
  });
  const metric = {
    name: 'latency',
    exponentialHistogram: { aggregationTemporality: 2, dataPoints: [dataPoint] },
  };
  const body = { resourceMetrics: [{ scopeMetrics: [{ metrics: [metric] }] }] };
  const { rows } = await sent(JSON.stringify(body), 'application/json');
  const [row] = rows('histograms');
  const bytes = Object.values(row ?? {}).find((value) => value instanceof Uint8Array);
  expect(bytes && decodeHistogram(bytes)).toMatchObject({ schema: 8, count: 7, sum: 9 });
});

test('delta sums are left out, and the sender is told what to set', async () => {
  const { body, said } = await series(sum('requests', { aggregationTemporality: 1 }));
  expect(said).toEqual([INFO]);
  expect(JSON.parse(body)).toEqual({
    partialSuccess: {
      rejectedDataPoints: '1',
      errorMessage: 'delta temporality: set the exporter to cumulative',
    },
  });
});

test.each([
  { name: 'http.server.duration', unit: 'ms', want: 'http_server_duration_milliseconds' },
  { name: 'system.memory.bytes', unit: 'By', want: 'system_memory_bytes' },
  { name: 'fill', unit: '1', want: 'fill_ratio' },
  { name: 'rate', unit: 'By/s', want: 'rate_bytes_per_second' },
  { name: 'requests', unit: '{request}', want: 'requests' },
  { name: '2xx!!count', unit: '', want: '_2xx_count' },
])('$name in $unit is $want', ({ name, unit, want }) => {
  expect(metricName(name, unit, { isCounter: false, isGauge: true })).toBe(want);
});

test.each([
  { name: 'hits_total', unit: '', want: 'hits_total' },
  { name: 'io', unit: 'By', want: 'io_bytes_total' },
])('the counter $name in $unit is $want', ({ name, unit, want }) => {
  expect(metricName(name, unit, { isCounter: true, isGauge: false })).toBe(want);
});

test.each([
  { name: 'http.route', want: 'http_route' },
  { name: '2xx', want: 'key_2xx' },
  { name: '__name__', want: 'key__name__' },
])('the attribute $name is the label $want', ({ name, want }) => {
  expect(labelName(name)).toBe(want);
});
