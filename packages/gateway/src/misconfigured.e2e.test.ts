// A configuration that makes no sense is refused, or costs what it is about: never the process.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type GatewayProgram, startProgram } from './testing/gateway-program.ts';

const AT_ONCE = { batch_max_size: 1 };
const NO_URL = 'http://127.0.0.1:99999';

async function started(): Promise<[GatewayProgram, Readonly<Record<string, number>>]> {
  const upstream = createServer((_, answer) => answer.end('ok'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const gateway = await startProgram({}, 'NOTURL=nonsense');
  return [gateway, { [`127.0.0.1:${(upstream.address() as AddressInfo).port}`]: 1 }];
}

async function ask(gateway: GatewayProgram): Promise<number> {
  const answer = await fetch(new URL('/', gateway.proxy), { headers: { Connection: 'close' } });
  await answer.arrayBuffer();
  return answer.status;
}

test('what is no URL is refused when it is written', async () => {
  const [gateway, nodes] = await started();
  for (const plugins of [
    { 'http-logger': { uri: `${NO_URL}/logs` } },
    { 'loki-logger': { endpoint_addrs: ['http://127.0.0.1:3100', NO_URL] } },
    { 'proxy-mirror': { host: NO_URL } },
    { zipkin: { endpoint: 'nonsense', sample_ratio: 1 } },
    {
      'clickhouse-logger': {
        endpoint_addr: NO_URL,
        ...{ user: 'a', password: 'b', database: 'c', logtable: 'd' },
      },
    },
  ]) {
    expect([plugins, await gateway.put('routes/1', { uri: '/*', plugins, upstream: { nodes } })]) //
      .toEqual([plugins, 400]);
  }
  const collector = { address: '127.0.0.1:99999' };
  expect(await gateway.put('plugin_metadata/opentelemetry', { collector })).toBe(400);
});

test('a status that is none makes the answer 500 and is told of', async () => {
  const [gateway, nodes] = await started();
  const plugins = { 'uri-blocker': { block_rules: ['/'], rejected_code: 2 ** 31 } };
  expect(await gateway.put('routes/1', { uri: '/*', plugins, upstream: { nodes } })).toBe(201);
  expect(await ask(gateway)).toBe(500);
  expect(gateway.notes()).toContain('2147483648 is no status');
});

test('what is no plugin within multi-auth is refused', async () => {
  const [gateway] = await started();
  const plugins = { 'multi-auth': { auth_plugins: [null, { 'key-auth': {} }] } };
  expect(await gateway.put('routes/1', { uri: '/*', plugins })).toBe(400);
});

test('what cannot be sent is dropped and told, and requests go on', async () => {
  const [gateway, nodes] = await started();
  for (const [plugins, told] of [
    [{ 'http-logger': { uri: 'ftp://127.0.0.1/', ...AT_ONCE } }, 'Protocol "ftp:" not supported'],
    [
      { 'http-logger': { uri: 'http://127.0.0.1/', auth_header: 'a\nb', ...AT_ONCE } },
      'Invalid character in header content ["Authorization"]',
    ],
    [{ 'tcp-logger': { host: 'localhost', port: 70_000, ...AT_ONCE } }, 'Port should be'],
    [{ 'udp-logger': { host: 'localhost', port: 70_000, ...AT_ONCE } }, 'Port should be'],
    [{ 'file-logger': { path: '/nowhere/\0' } }, 'without null bytes'],
  ] as const) {
    const route = { uri: '/*', plugins, upstream: { nodes } };
    expect(await gateway.put('routes/1', route)).toBeLessThan(300);
    expect(await ask(gateway)).toBe(200);
    await expect.poll(gateway.notes).toContain(told);
  }
  expect(await ask(gateway)).toBe(200);
});

test('a logger that cannot be made is told of, and requests go on without it', async () => {
  const [gateway, nodes] = await started();
  const plugins = { 'http-logger': { uri: '$env://NOTURL/' } };
  await gateway.put('routes/1', { uri: '/*', plugins, upstream: { nodes } });
  expect(await ask(gateway)).toBe(200);
  expect(gateway.notes()).toContain('http-logger of routes/1 cannot be made: Invalid URL');
});

test('a node that no socket reaches is refused, or is none', async () => {
  const [gateway, nodes] = await started();
  const far = { nodes: { '127.0.0.1:70000': 1 }, scheme: 'https' };
  expect(await gateway.put('upstreams/1', far)).toBe(400);
  const rules = [{ weighted_upstreams: [{ upstream: far, weight: 1 }] }];
  const plugins = { 'traffic-split': { rules } };
  expect(await gateway.put('routes/1', { uri: '/*', plugins, upstream: { nodes } })).toBe(201);
  expect(await ask(gateway)).toBe(503);
});
