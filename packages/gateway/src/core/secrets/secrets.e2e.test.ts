import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../../testing/running-gateway.ts';

/** By path below `/v1/`: what a KV engine of Vault holds, as its HTTP API answers it. */
let held: Record<string, object> = {};
let asked: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
const vault = createServer(({ url = '', headers }, response) => {
  asked.push({ path: url, headers });
  const data = held[url.slice('/v1/'.length)];
  const status = headers['x-vault-token'] !== 'open' ? 403 : data === undefined ? 404 : 200;
  response.writeHead(status).end(JSON.stringify(status === 200 ? { data } : { errors: [] }));
});
const upstream = createServer((_request, response) => response.end('here'));

let gateway: RunningGateway;

beforeAll(async () => {
  for (const server of [vault, upstream]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
  gateway = await runGateway();
  const nodes = { [`127.0.0.1:${(upstream.address() as AddressInfo).port}`]: 1 };
  const plugins = { 'key-auth': {} };
  await gateway.put('routes/1', { uri: '/a', plugins, upstream: { nodes } });
});

beforeEach(() => {
  held = {};
  asked = [];
});

afterAll(async () => {
  await gateway.close();
  for (const server of [vault, upstream]) {
    server.closeAllConnections();
    server.close();
  }
});

function putVault(id: string, token = 'open'): Promise<void> {
  const uri = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
  return gateway.put(`secrets/vault/${id}`, { uri, prefix: 'kv/apisix', token, namespace: 'ns' });
}

function putJack(reference: string): Promise<void> {
  return gateway.put('consumers', {
    username: 'jack',
    plugins: { 'key-auth': { key: reference } },
  });
}

async function ask(apikey: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${gateway.ports[0]}/a`, { headers: { apikey } })).status;
}

test.each([
  { name: 'version 1', data: { key: 'from vault' } },
  { name: 'version 2', data: { data: { key: 'from vault' }, metadata: { version: 3 } } },
])('a key of a consumer is read from a KV engine of $name', async ({ name, data }) => {
  const id = name.replace(' ', '-');
  held = { 'kv/apisix/jack/auth': data };
  await putVault(id);
  await putJack(`$secret://vault/${id}/jack/auth/key`);
  await expect.poll(() => ask('from vault')).toBe(200);
  expect(await ask(`$secret://vault/${id}/jack/auth/key`)).toBe(401);
  expect(asked).toMatchObject([
    { path: '/v1/kv/apisix/jack/auth', headers: { 'x-vault-namespace': 'ns' } },
  ]);
});

test('a secret object that is mended is used at once, without the consumers being written', async () => {
  held = { 'kv/apisix/jack/auth': { key: 'mended' } };
  await putVault('mended', 'shut');
  await putJack('$secret://vault/mended/jack/auth/key');
  await expect.poll(() => asked.length).toBe(1);
  expect(await ask('mended')).toBe(401);
  await putVault('mended');
  await expect.poll(() => ask('mended')).toBe(200);
});

test('a reference within a plugin of a route is resolved, and its answer is asked for once', async () => {
  held = { 'kv/apisix/limits': { header: 'x-from-vault' } };
  await putVault('plugin');
  await gateway.put('routes/2', {
    uri: '/echo',
    plugins: {
      mocking: { response_example: 'ok', with_mock_header: false },
      'response-rewrite': {
        headers: { set: { 'x-seen': '$secret://vault/plugin/limits/header' } },
      },
    },
  });
  const seen = async () => {
    const answer = await fetch(`http://127.0.0.1:${gateway.ports[0]}/echo`);
    return answer.headers.get('x-seen');
  };
  await expect.poll(seen).toBe('x-from-vault');
  expect(await seen()).toBe('x-from-vault');
  expect(asked.length).toBe(1);
});
