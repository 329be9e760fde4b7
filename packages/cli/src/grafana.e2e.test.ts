import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Gateway, readGatewayConfig, startGateway } from '@thalweg/gateway';
import { type Server, ServerSettings, startServer } from '@thalweg/server';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

// What Grafana's own data sources send, without a Grafana: our gateway's metrics, scraped and written
// by Debian's Prometheus, and the panels of dashboards asked of a real server.

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const KEY = 'grafana-e2e-key';
const folder = mkdtempSync(join(tmpdir(), 'thalweg-grafana-'));
const upstream: HttpServer = createServer((_request, response) => response.end('ok'));
let gateway: Gateway;
let server: Server;
let prometheus: ChildProcess | undefined;
let isDriving = true;
let driving: Promise<void>;

async function admin(path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${gateway.adminUrl}/apisix/admin/${path}`, {
    method: 'PUT',
    headers: { 'X-API-KEY': KEY },
    body: JSON.stringify(body),
  });
  expect([path, answer.ok, answer.ok ? '' : await answer.text()]).toEqual([path, true, '']);
}

async function openGateway(): Promise<void> {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  const config = JSON.stringify({
    apisix: {
      node_listen: [{ ip: '127.0.0.1', port: 0 }],
      control: { port: 0 },
      ssl: { enable: false },
    },
    plugin_attr: { prometheus: { export_addr: { port: 0 }, refresh_interval: 0.2 } },
    deployment: { admin: { admin_listen: { port: 0 }, admin_key: [{ key: KEY }] } },
  });
  const path = join(folder, 'gateway.yaml'); // JSON is YAML.
  writeFileSync(path, config);
  gateway = await startGateway({
    config: readGatewayConfig(path, {}).config,
    dataFolder: join(folder, 'gateway'),
    environment: {},
    warn: () => undefined,
  });
  await admin('global_rules/1', { plugins: { prometheus: {} } });
  await admin('services/shop', { upstream: { nodes: { [`127.0.0.1:${port}`]: 1 } } });
  await admin('consumers/jack', {
    username: 'jack',
    plugins: { 'key-auth': { key: 'jacks-key' } },
  });
  await admin('routes/open', { uri: '/open/*', service_id: 'shop' });
  await admin('routes/closed', {
    uri: '/closed/*',
    service_id: 'shop',
    plugins: { 'key-auth': {} },
  });
}

async function drive(): Promise<void> {
  const [proxy] = gateway.proxies;
  while (isDriving) {
    for (const path of ['/open/a', '/closed/b', '/nowhere']) {
      const answer = await fetch(`${proxy}${path}`, { headers: { apikey: 'jacks-key' } });
      await answer.text();
    }
    await sleep(50);
  }
}

function startPrometheus(): void {
  const target = new URL(gateway.pluginUrls[0] ?? '');
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: apisix
    metrics_path: /apisix/prometheus/metrics
    static_configs: [{ targets: ['${target.host}'] }]
remote_write:
  - url: ${server.url}/api/v1/write
    queue_config: { batch_send_deadline: 500ms }
    metadata_config: { send_interval: 1s }
`,
  );
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      '--web.listen-address=127.0.0.1:0',
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
}

/** Requests of two services in the last three minutes, as an SDK reports them. */
async function sendSpans(): Promise<void> {
  const attribute = (key: string, value: object) => ({ key, value });
  const spans = Array.from({ length: 90 }, (_, at) => {
    const endMs = Date.now() - at * 2_000;
    return {
      traceId: (at + 1).toString(16).padStart(32, '0'),
      spanId: (at + 1).toString(16).padStart(16, '0'),
      name: 'GET /orders',
      kind: 2,
      startTimeUnixNano: `${endMs - 20}000000`,
      endTimeUnixNano: `${endMs}000000`,
      attributes: [
        attribute('http.request.method', { stringValue: 'GET' }),
        attribute('http.route', { stringValue: '/orders' }),
        attribute('http.response.status_code', { intValue: [200, 404, 500][at % 3] }),
      ],
    };
  });
  const answer = await fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [attribute('service.name', { stringValue: 'orders' })] },
          scopeSpans: [{ spans }],
        },
      ],
    }),
  });
  expect(answer.status).toBe(200);
}

beforeAll(async () => {
  await openGateway();
  const settings = ServerSettings.parse({ port: 0, data_dir: join(folder, 'server') });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
  await sendSpans();
  driving = drive();
  startPrometheus();
  const query = 'min(count_over_time(apisix_http_status[1m]))';
  await vi.waitFor(
    async () => {
      const { data } = await api('query', { query });
      expect(Number(data.result[0]?.value[1] ?? 0)).toBeGreaterThan(8);
    },
    { timeout: 90_000, interval: 500 },
  );
});

afterAll(async () => {
  isDriving = false;
  await driving;
  prometheus?.kill('SIGTERM');
  await server.close();
  await gateway.close();
  upstream.closeAllConnections();
  upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers of APIs whose shape is what is tested.
async function api(path: string, form: Record<string, string> | undefined): Promise<any> {
  const url = `${server.url}/prom/api/v1/${path}`;
  const answer = await (form === undefined
    ? fetch(url)
    : fetch(url, { method: 'POST', body: new URLSearchParams(form) }));
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.json();
}

interface Panel {
  readonly title?: string;
  readonly targets?: readonly { readonly expr?: string }[];
  readonly panels?: readonly Panel[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}
interface Variable {
  readonly name: string;
  readonly query: string | { readonly query: string };
}

function readDashboard(path: string): Dashboard {
  const file = join(ROOT, path);
  if (!existsSync(file)) throw new Error(`this test reads ${file}: put the shared folder there`);
  return JSON.parse(readFileSync(file, 'utf8')) as Dashboard; // Of Grafana's making.
}

function expressionsOf(panels: readonly Panel[]): { title: string; expr: string }[] {
  return panels.flatMap(({ title = '', targets = [], panels: inner = [] }) => [
    ...targets.flatMap(({ expr }) => (expr === undefined ? [] : [{ title, expr }])),
    ...expressionsOf(inner),
  ]);
}

/** The values that Grafana offers: of `label_values(metric, label)` by both of its ways to ask. */
async function valuesOf({ query }: Variable): Promise<readonly string[]> {
  const text = typeof query === 'string' ? query : query.query;
  const [, metric = '', label = ''] = /^label_values\((\w+), ?(\w+)\)$/.exec(text) ?? [];
  const { start, end } = times();
  const range = `match[]=${metric}&start=${start}&end=${end}`;
  const { data } = await api(`label/${label}/values?${range}`, undefined);
  const series = await api('series', { 'match[]': metric, start, end });
  const found = series.data.map((labels: Record<string, string>) => labels[label] ?? '');
  expect([...new Set(found)].filter((value) => value !== '').sort()).toEqual(
    data.filter((value: string) => value !== ''),
  );
  return data;
}

/** Ten minutes: the spans were of before the test, which may be slow to come here. */
function times(): { start: string; end: string } {
  const now = Math.floor(Date.now() / 1e3);
  return { start: String(now - 600), end: String(now) };
}

/** What panels answer nothing for, asked with all values of each variable and with one of each. */
async function emptyExpressions(dashboard: Dashboard): Promise<string[]> {
  const chosen = new Map<string, string>();
  for (const variable of dashboard.templating.list) {
    const values = await valuesOf(variable);
    expect([variable.name, values.length > 0]).toEqual([variable.name, true]);
    chosen.set(variable.name, values.map((value) => value.replace(/[.\\]/g, '\\\\$&')).join('|'));
  }
  const empty = new Set<string>();
  expect(expressionsOf(dashboard.panels).length).toBeGreaterThanOrEqual(7);
  for (const { expr } of expressionsOf(dashboard.panels)) {
    for (const isAll of [true, false]) {
      const query = expr
        .replaceAll('$__rate_interval', '10s')
        .replace(/\$(\w+)/g, (_, name: string) => (isAll ? '.*' : `(${chosen.get(name)}|)`));
      const { data } = await api('query_range', { query, ...times(), step: '5' });
      const points = data.result.flatMap(({ values }: { values: [number, string][] }) => values);
      if (!points.some(([, value]: [number, string]) => value !== 'NaN')) empty.add(expr);
    }
  }
  return [...empty];
}

test("every panel of APISIX's own dashboard has data from the gateway", async () => {
  const dashboard = readDashboard('../shared/conformance/apisix/grafana-dashboard.json');
  expect(await emptyExpressions(dashboard)).toEqual([]);
});

test.each(['deploy/grafana/dashboards/apisix.json', 'deploy/grafana/dashboards/red.json'])(
  'every panel of %s has data',
  async (path) => {
    expect(await emptyExpressions(readDashboard(path))).toEqual([]);
  },
);

test('a query tells its stages on request, and its limits when it meets them', async () => {
  const query = 'sum by (route) (rate(apisix_http_status[10s]))';
  const { data } = await api('query_range', { query, ...times(), step: '5', stats: 'all' });
  const { samples, trace } = data.stats;
  expect(samples.totalQueryableSamples).toBeGreaterThan(8);
  expect(trace).toMatchObject({
    expression: query,
    series: data.result.length,
    children: [{ expression: 'rate(apisix_http_status[10s])', series: expect.any(Number) }],
  });
  const form = { query, start: '0', end: '11001', step: '1' };
  const refused = await fetch(`${server.url}/prom/api/v1/query_range`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  expect([refused.status, await refused.json()]).toEqual([
    400,
    {
      status: 'error',
      errorType: 'bad_data',
      error:
        'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    },
  ]);
});

test('what the Prometheus data source asks: health, Explore, completion, exemplars', async () => {
  const { start, end } = times();
  const health = await api('query', { query: '1+1', time: end });
  expect(health.data).toEqual({ resultType: 'scalar', result: [Number(end), '2'] });
  const { data: build } = await api('status/buildinfo', undefined);
  expect(build).toMatchObject({ version: expect.stringMatching(/^3\./) });

  const range = { start, end, limit: '40000' };
  expect((await api('labels', range)).data).toContain('matched_uri');
  const search = new URLSearchParams(range);
  const names = await api(`label/__name__/values?${search}`, undefined);
  expect(names.data).toContain('apisix_http_latency_bucket');
  const metadata = await api('metadata?limit=40000', undefined);
  expect(metadata.data['apisix_http_status']).toMatchObject([{ type: 'counter' }]);
  const selector = '{__name__="apisix_http_status",route="open"}';
  const codes = await api(
    `label/code/values?${new URLSearchParams({ ...range, 'match[]': selector })}`,
    undefined,
  );
  expect(codes.data).toEqual(['200']);
  expect((await api('series', { ...range, 'match[]': selector })).data).toMatchObject([
    { __name__: 'apisix_http_status', code: '200', route: 'open', service: 'shop' },
  ]);
  const exemplars = await api('query_exemplars', { query: 'apisix_http_status', start, end });
  expect(exemplars).toEqual({ status: 'success', data: [] });
  expect((await api('rules', undefined)).data).toEqual({ groups: [] });
  expect((await api('alerts', undefined)).data).toEqual({ alerts: [] });
  const formatted = await api('format_query', { query: 'sum(up)by(job)' });
  expect(formatted.data).toBe('sum by (job) (up)');
});
