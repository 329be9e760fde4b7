import { expect, test } from 'vitest';
import { answered, onBench, request, tryAt } from '../testing/plugin-bench.ts';
import { createHistogram, histogramLines, observe } from './histogram.ts';
import { prometheus } from './prometheus.ts';
import { createSeriesTable } from './series-table.ts';

interface Asked {
  readonly attributes?: object;
  readonly metadata?: object;
  readonly conf?: object;
}

/** One request to a node, 10 ms long, 4 of them upstream; what the endpoint then shows. */
async function scraped({ attributes = {}, metadata = {}, conf = {} }: Asked): Promise<string> {
  const { handlers, environment } = onBench(
    prometheus,
    { ...conf },
    {
      attributes: { enable_export_server: false, ...attributes },
      metadata: () => ({ ...metadata }),
    },
  );
  const context = request({ route: { id: 'r1', object: { name: 'shop' } } });
  tryAt(context, 8080, 200);
  answered(context, 200);
  context.endMs = context.startMs + 10;
  context.receivedBytes = 50;
  context.sentBytes = 60;
  handlers.log?.(context);
  const [api] = prometheus.publicApis(environment);
  const answer = await api?.handle(context);
  return String(answer?.body);
}

const LINE =
  'apisix_http_status{code="200",route="r1",matched_uri="/orders/*",matched_host="",service="",' +
  'consumer="",node="127.0.0.1",request_type="traditional_http",request_llm_model="",' +
  'llm_model="",response_source="upstream"} 1';

test.each([
  { name: 'a status has all labels in APISIX order', asked: {}, want: LINE },
  {
    name: 'a name stands for the id when preferred',
    asked: { conf: { prefer_name: true } },
    want: LINE.replace('route="r1"', 'route="shop"'),
  },
  {
    name: 'extra labels come last, with the values of variables',
    asked: {
      attributes: {
        metrics: { http_status: { extra_labels: [{ up: '$upstream_addr' }, { none: '$nope' }] } },
      },
    },
    want: LINE.replace('"} 1', '",up="127.0.0.1:8080",none=""} 1'),
  },
  {
    name: 'disabled labels are empty',
    asked: { metadata: { disabled_labels: { http_status: ['node'] } } },
    want: LINE.replace('node="127.0.0.1"', 'node=""'),
  },
  {
    name: 'the prefix can be another',
    asked: { attributes: { metric_prefix: 'gw_' } },
    want: LINE.replace('apisix_', 'gw_'),
  },
])('$name', async ({ asked, want }) => {
  expect((await scraped(asked)).split('\n')).toContain(want);
});

test('latency is told apart into all, upstream, and the gateway own part', async () => {
  const sums = [...(await scraped({})).matchAll(/http_latency_sum\{type="(\w+)".*\} (\d+)/g)];
  expect(Object.fromEntries(sums.map(([, type, sum]) => [type, Number(sum)]))).toEqual({
    request: 10,
    apisix: 6,
    upstream: 4,
  });
});

test('everything that the official dashboard draws is there', async () => {
  const text = await scraped({});
  for (const name of [
    'http_requests_total 7',
    'nginx_http_current_connections{state="waiting"} 2',
    'bandwidth{type="ingress",',
    'bandwidth{type="egress",',
    'http_latency_bucket{type="apisix",',
    'etcd_modify_indexes{key="routes"} 4',
    'etcd_reachable 1',
    'nginx_metric_errors_total 0',
    'node_info{hostname="gw-1",version="3.18.0"} 1',
    'shared_dict_capacity_bytes{name="heap"}',
    'shared_dict_free_space_bytes{name="heap"}',
  ]) {
    expect(text).toContain(`apisix_${name}`);
  }
});

test('buckets count everything up to and with their bound', () => {
  const bounds = [1, 5];
  const histogram = createHistogram(bounds);
  for (const value of [0.5, 1, 5, 6]) observe(histogram, bounds, value);
  expect(histogramLines('h', 'a="b"', histogram, bounds).split('\n')).toEqual([
    'h_bucket{a="b",le="1"} 2',
    'h_bucket{a="b",le="5"} 3',
    'h_bucket{a="b",le="+Inf"} 4',
    'h_count{a="b"} 4',
    'h_sum{a="b"} 12.5',
    '',
  ]);
});

test('a table gives no more series than it may, and forgets the unused', () => {
  const table = createSeriesTable({
    labelNames: ['a'],
    seriesMax: 1,
    expireMs: 100,
    make: () => 0,
  });
  expect(table.at(['say "x"\\\n'], 0)?.labels).toBe('a="say \\"x\\"\\\\\\n"');
  expect(table.at(['y'], 50)).toBeUndefined();
  expect([table.expire(99), table.expire(100)]).toEqual([false, true]);
  expect(table.at(['y'], 100)?.labels).toBe('a="y"');
});
