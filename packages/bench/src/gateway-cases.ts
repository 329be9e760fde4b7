import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayObjects } from './gateway-subject.ts';

/** One way to configure the gateway, and the requests that go with it. */
export interface GatewayCase {
  readonly name: string;
  objects(originPort: number): GatewayObjects;
  /** Field lines that the route asks for. */
  readonly headers: readonly string[];
  /** Requests ask for each of so many routes in turn; 0: for `/`. */
  readonly routes: number;
  /** Spans of each request. */
  readonly spans: number;
}

const KEY = 'bench-key';
/** Never reached: what is measured is the counting. */
const COUNT_MAX = 2 ** 31;

function plain(name: string, plugins: Readonly<Record<string, unknown>>): GatewayCase {
  const needsKey = 'key-auth' in plugins;
  return {
    name,
    headers: needsKey ? [`apikey: ${KEY}`] : [],
    routes: 0,
    // One of the server, one of the call upstream.
    spans: 'opentelemetry' in plugins ? 2 : 0,
    objects: (originPort) => ({
      routes: [{ id: '1', uri: '/*', plugins, upstream: upstream(originPort) }],
      consumers: needsKey ? [{ username: 'bench', plugins: { 'key-auth': { key: KEY } } }] : [],
    }),
  };
}

function routed(count: number): GatewayCase {
  return {
    name: `routes-${count}`,
    headers: [],
    routes: count,
    spans: 0,
    objects: (originPort) => ({
      upstreams: [{ id: '1', ...upstream(originPort) }],
      routes: Array.from({ length: count }, (_, at) => ({
        id: String(at),
        uri: at % 2 === 0 ? pathOf(at) : `${pathOf(at).slice(0, -'items'.length)}*`,
        methods: ['GET', 'POST'],
        upstream_id: '1',
      })),
    }),
  };
}

function upstream(originPort: number) {
  return { type: 'roundrobin', nodes: { [`127.0.0.1:${originPort}`]: 1 } };
}

function pathOf(route: number): string {
  return `/api/v1/service-${route}/items`;
}

const LIMIT = { count: COUNT_MAX, time_window: 60, rejected_code: 429, key: 'remote_addr' };

export const GATEWAY_CASES: readonly GatewayCase[] = [
  plain('bare', {}),
  plain('key-auth', { 'key-auth': {} }),
  plain('prometheus', { prometheus: {} }),
  plain('prometheus+limit-count', { prometheus: {}, 'limit-count': LIMIT }),
  plain('opentelemetry', { opentelemetry: { sampler: { name: 'always_on' } } }),
  routed(10_000),
];

/** What `routes-10000` is held against. */
export const FEW_ROUTES = routed(10);

/** wrk's words for a case's requests; paths of many routes need a script, which is put in `folder`. */
export function wrkWords(folder: string, { headers, routes }: GatewayCase): readonly string[] {
  const words = headers.flatMap((line) => ['-H', line]);
  if (routes === 0) return words;
  const script = join(folder, `routes-${routes}.lua`);
  // 7919 is a prime: neighbours in time are no neighbours in the index.
  writeFileSync(
    script,
    `local requests, at = {}, 0
init = function()
  for i = 0, ${routes - 1} do requests[i] = wrk.format('GET', '/api/v1/service-' .. i .. '/items') end
end
request = function() at = (at + 7919) % ${routes}; return requests[at] end
`,
  );
  return [...words, '-s', script];
}
