import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSpan, readRecords, readSpan } from '@thalweg/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseGatewayConfig } from './config/config.ts';
import { type Gateway, startGateway } from './main.ts';
import { chosenSockets } from './testing/running-gateway.ts';

/** The article lies beside the project: its bodies are sent as they stand, comments stripped. */
const ARTICLE = fileURLToPath(new URL('../../../../shared/article/', import.meta.url));
const KEY = 'article-key';
const folder = mkdtempSync(join(tmpdir(), 'article-'));
const posts: { readonly path: string; readonly body: Buffer }[] = [];
let gateway: Gateway;
let article = '';
let shopPort = 0;

const shop = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    if (request.method === 'POST')
      posts.push({ path: request.url ?? '', body: Buffer.concat(pieces) });
    response.end('bought');
  });
});

/** The body of the article's n-th PUT, with our own backend for its address. */
function putBody(index: number): string {
  const found = [...article.matchAll(/-X PUT -d '\n(\{[\s\S]*?\n\})'/g)][index]?.[1];
  if (found === undefined) throw new Error(`the article has no PUT number ${index + 1}`);
  return found.replace(/##.*$/gm, '').replaceAll('10.1.23.200:18090', `127.0.0.1:${shopPort}`);
}

beforeAll(async () => {
  try {
    const [file = ''] = readdirSync(ARTICLE).filter((name) => name.endsWith('.txt'));
    article = readFileSync(join(ARTICLE, file), 'utf8').replaceAll('\r', '');
  } catch (cause) {
    throw new Error(`the article is missing: ${ARTICLE}`, { cause });
  }
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
  shopPort = (shop.address() as AddressInfo).port;
  // The article's plugin attributes: the text has lost its indentation, so it is given back here.
  const attributes = parse(`
opentelemetry:
  resource: { service.name: APISIX }
  collector: { address: '127.0.0.1:${shopPort}/api/v1/otel/trace', request_timeout: 3 }
  batch_span_processor: { max_export_batch_size: 1 }
prometheus:
  export_uri: /metrics
  export_addr: { ip: 127.0.0.1, port: 0 }
  metrics:
    http_status:
      extra_labels:
        - upstream_addr: $upstream_addr
        - upstream_status: $upstream_status
`) as object;
  const config = {
    apisix: { node_listen: [{ port: 0 }], control: { port: 0 }, ssl: { enable: false } },
    plugins: ['opentelemetry', 'prometheus'],
    plugin_attr: attributes,
    deployment: { admin: { admin_listen: { port: 0 }, admin_key: [{ key: KEY }] } },
  };
  gateway = await startGateway({
    config: parseGatewayConfig(JSON.stringify(config), {}).config,
    dataFolder: folder,
    environment: {},
    ...chosenSockets(),
  });
});

afterAll(async () => {
  await gateway.close();
  shop.closeAllConnections();
  shop.close();
  rmSync(folder, { recursive: true });
});

async function put(body: string): Promise<number> {
  const response = await fetch(`${gateway.adminUrl}/apisix/admin/routes/shop`, {
    method: 'PUT',
    headers: { 'X-API-KEY': KEY },
    body,
  });
  await response.text();
  return response.status;
}

test('§2.2.2: the route with opentelemetry sends spans to the address with the path', async () => {
  expect(await put(putBody(0))).toBe(201);
  const response = await fetch(`${gateway.proxies[0]}/shop/full-test`);
  expect(await response.text()).toBe('bought');
  await expect.poll(() => posts.length, { timeout: 10_000 }).toBe(1);
  const [post] = posts;
  expect(post?.path).toBe('/api/v1/otel/trace/v1/traces');
  const span = createSpan();
  const kinds: number[] = [];
  const body = post?.body ?? Buffer.alloc(0);
  const fault = readRecords(body, {
    resource: () => undefined,
    scope: () => undefined,
    item(cursor) {
      readSpan(cursor, span);
      kinds.push(span.kind);
    },
  });
  // CLIENT of the hop to the shop, then SERVER.
  expect({ fault, kinds }).toEqual({ fault: '', kinds: [3, 2] });
  // The tag that the article adds by `additional_attributes`.
  expect(body.includes('deepflow') && body.includes('demo')).toBe(true);
});

test('§3.2: the route with prometheus shows its name and the labels asked for', async () => {
  expect(await put(putBody(1))).toBe(200);
  await (await fetch(`${gateway.proxies[0]}/shop/full-test`)).text();
  const scraped = await fetch(gateway.pluginUrls[0] ?? '');
  expect(gateway.pluginUrls[0]).toMatch(/\/metrics$/);
  const status = (await scraped.text())
    .split('\n')
    .filter((line) => line.startsWith('apisix_http_status{'));
  expect(status).toHaveLength(1);
  expect(status[0]).toContain('route="deepflow-apisix-demo"');
  expect(status[0]).toContain(`upstream_addr="127.0.0.1:${shopPort}",upstream_status="200"} 1`);
});
