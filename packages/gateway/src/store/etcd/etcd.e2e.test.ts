import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseGatewayConfig } from '../../config/config.ts';
import { type Gateway, startGateway } from '../../main.ts';
import { type EtcdProcess, etcdMissing, startEtcd } from '../../testing/etcd-process.ts';

const KEY = 'etcd-key';
const b64 = (text: string) => Buffer.from(text).toString('base64');
const missing = etcdMissing();
const WAIT = { timeout: 15_000 };

let etcd: EtcdProcess;
let upstreamPort = 0;
let runs = 0;
const upstream = createServer((_request, response) => response.end('here'));

interface Running {
  readonly gateway: Gateway;
  readonly warnings: readonly string[];
  admin(line: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  proxied(path: string): Promise<number>;
}

async function start(prefix: string, etcdKeys: object = {}): Promise<Running> {
  const warnings: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'gwproto-data-'));
  const config = {
    apisix: { node_listen: [{ port: 0 }], control: { port: 0 }, ssl: { enable: false } },
    plugins: ['key-auth', 'request-id'],
    deployment: {
      admin: { admin_listen: { port: 0 }, admin_key: [{ key: KEY }] },
      etcd: { host: [etcd.url], prefix, timeout: 5, ...etcdKeys },
    },
  };
  const gateway = await startGateway({
    config: parseGatewayConfig(JSON.stringify(config), {}).config,
    dataFolder: folder,
    environment: {},
    warn: (message) => warnings.push(message),
  });
  onTestFinished(async () => {
    await gateway.close();
    rmSync(folder, { recursive: true });
  });
  return {
    gateway,
    warnings,
    async admin(line, body) {
      const [method = '', path = ''] = line.split(' ');
      const response = await fetch(`${gateway.adminUrl}/apisix/admin/${path}`, {
        method,
        headers: { 'X-API-KEY': KEY },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: JSON.parse(await response.text()) };
    },
    proxied: async (path) => {
      const response = await fetch(`${gateway.proxies[0]}${path}`);
      await response.text();
      return response.status;
    },
  };
}

const route = (uri: string) => ({
  uri,
  upstream: { nodes: { [`127.0.0.1:${upstreamPort}`]: 1 } },
});

describe.skipIf(missing !== undefined)(`etcd as the store ${missing ?? ''}`, () => {
  let prefix = '';

  beforeAll(async () => {
    etcd = await startEtcd();
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    upstreamPort = (upstream.address() as AddressInfo).port;
  });
  beforeEach(() => {
    runs += 1;
    prefix = `/run${runs}`;
  });
  afterAll(async () => {
    upstream.closeAllConnections();
    upstream.close();
    await etcd.close();
  });

  async function inEtcd(key: string): Promise<unknown> {
    const answer = await etcd.call('kv/range', { key: b64(prefix + key) });
    const [first] = (answer['kvs'] ?? []) as readonly { readonly value: string }[];
    return first === undefined
      ? undefined
      : JSON.parse(Buffer.from(first.value, 'base64').toString());
  }

  test('what one gateway is told the other serves, under the keys that APISIX has', async () => {
    const [one, other] = [await start(prefix), await start(prefix)];
    const made = await one.admin('PUT routes/1', route('/a'));
    expect(made).toMatchObject({ status: 201, body: { key: `${prefix}/routes/1` } });
    expect(await inEtcd('/routes/1')).toMatchObject({ uri: '/a', id: '1' });
    // Acknowledged is visible where it was acknowledged, and soon at the other.
    expect(await one.proxied('/a')).toBe(200);
    await expect.poll(() => other.proxied('/a'), WAIT).toBe(200);
    const again = await other.admin('PUT routes/1', route('/b'));
    expect(again.status).toBe(200);
    expect(await other.proxied('/a')).toBe(404);
    await expect.poll(() => one.proxied('/b'), WAIT).toBe(200);
    const { body } = await one.admin('GET routes/1');
    expect(body).toEqual((await other.admin('GET routes/1')).body);
    expect((await one.admin('DELETE routes/1')).status).toBe(200);
    expect(await one.proxied('/b')).toBe(404);
    await expect.poll(() => other.proxied('/b'), WAIT).toBe(404);
    expect((await one.admin('DELETE routes/1')).status).toBe(404);
  });

  test('two gateways never make the same id', async () => {
    const [one, other] = [await start(prefix), await start(prefix)];
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? one : other).admin('POST routes', route(`/${i}`)),
      ),
    );
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(made.map(({ body }) => body['key'])).size).toBe(20);
  });

  test('requests go on and writes fail while etcd is away; afterwards all is followed again', async () => {
    const [one, other] = [await start(prefix), await start(prefix)];
    await one.admin('PUT routes/1', route('/a'));
    await expect.poll(() => other.proxied('/a'), WAIT).toBe(200);
    await etcd.kill();
    expect(await one.proxied('/a')).toBe(200);
    const refused = await one.admin('PUT routes/2', route('/b'));
    expect(refused.status).toBe(503);
    expect(refused.body['error_msg']).toContain('does not answer');
    await etcd.start();
    await expect
      .poll(async () => (await one.admin('PUT routes/2', route('/b'))).status, WAIT)
      .toBeLessThan(300);
    await expect.poll(() => other.proxied('/b'), WAIT).toBe(200);
    expect(await other.proxied('/a')).toBe(200);
    expect(other.warnings.join('\n')).toMatch(/does not answer|broke off.*[\s\S]*answers again/);
  });

  test('changes made and compacted away while it did not look are read anew', async () => {
    const one = await start(prefix);
    await one.admin('PUT routes/1', route('/old'));
    await one.admin('PUT routes/2', route('/kept'));
    await etcd.kill();
    await etcd.start();
    // Before the watch is back, or after: both ways must end in the same.
    await etcd.call('kv/deleterange', { key: b64(`${prefix}/routes/1`) });
    const put = { key: b64(`${prefix}/routes/3`), value: b64(JSON.stringify(route('/new'))) };
    const { header } = await etcd.call('kv/put', put);
    const { revision } = header as { readonly revision: string };
    await etcd.call('kv/compaction', { revision, physical: true });
    await expect.poll(() => one.proxied('/new'), WAIT).toBe(200);
    await expect.poll(() => one.proxied('/old'), WAIT).toBe(404);
    expect(await one.proxied('/kept')).toBe(200);
  });

  test('a cluster made anew with older revisions is read, not waited for', async () => {
    const own = await startEtcd();
    onTestFinished(() => own.close());
    const one = await start(prefix, { host: [own.url] });
    await one.admin('PUT routes/1', route('/before'));
    await own.kill();
    own.wipe();
    await own.start();
    await expect.poll(() => one.proxied('/before'), WAIT).toBe(404);
    await one.admin('PUT routes/2', route('/after'));
    expect(await one.proxied('/after')).toBe(200);
  });

  test('an object of another writer that cannot be used is left out, with a warning', async () => {
    const put = (key: string, value: string) =>
      etcd.call('kv/put', { key: b64(prefix + key), value: b64(value) });
    await put('/routes/', 'init_dir');
    await put('/routes/good', JSON.stringify({ ...route('/good'), create_time: 1 }));
    await put('/routes/bad', JSON.stringify({ uri: 7 }));
    const one = await start(prefix);
    await put('/routes/worse', '{');
    await put('/routes/2', JSON.stringify({ ...route('/two'), plugins: { 'no-such': {} } }));
    await put('/routes/3', JSON.stringify(route('/three')));
    await expect.poll(() => one.proxied('/three'), WAIT).toBe(200);
    expect(await one.proxied('/good')).toBe(200);
    expect(one.warnings.length).toBe(3);
    expect(one.warnings.join('\n')).toMatch(/bad.*left out[\s\S]*worse.*JSON[\s\S]*no-such/);
  });

  test('ttl is a lease, and a patch that another overtook is refused', async () => {
    const one = await start(prefix);
    expect((await one.admin('PUT routes/1?ttl=2', route('/brief'))).status).toBe(201);
    expect(await one.proxied('/brief')).toBe(200);
    await expect.poll(() => one.proxied('/brief'), WAIT).toBe(404);
    await one.admin('PUT routes/2', route('/b'));
    const patches = await Promise.all(
      ['x', 'y', 'z'].map((name) => one.admin('PATCH routes/2', { labels: { [name]: '1' } })),
    );
    const kept = patches.filter(({ status }) => status === 200).length;
    const { body } = await one.admin('GET routes/2');
    const { labels } = body['value'] as { readonly labels: object };
    expect(Object.keys(labels).length).toBe(kept);
    for (const { status, body: why } of patches.filter((one) => one.status !== 200)) {
      expect([status, why['error_msg']]).toEqual([503, 'value changed before overwritten']);
    }
  });

  test('hundreds of objects come in pages, and a start without etcd says where it looked', async () => {
    for (let i = 0; i < 450; i++) {
      const put = { key: b64(`${prefix}/routes/${i}`), value: b64(JSON.stringify(route(`/${i}`))) };
      await etcd.call('kv/put', put);
    }
    const one = await start(prefix);
    expect((await one.admin('GET routes')).body['total']).toBe(450);
    const nowhere = { host: ['http://127.0.0.1:1'], startup_retry: 1 };
    await expect(start(prefix, nowhere)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('etcd at http://127.0.0.1:1 does not answer'),
    });
  });

  test('a user and a password are sent, and a wrong one is refused with etcd’s own words', async () => {
    const secured = await startEtcd();
    onTestFinished(() => secured.close());
    await secured.call('auth/user/add', { name: 'root', password: 'pw' });
    await secured.call('auth/role/add', { name: 'root' });
    await secured.call('auth/user/grant', { user: 'root', role: 'root' });
    await secured.call('auth/enable', {});
    const one = await start(prefix, { host: [secured.url], user: 'root', password: 'pw' });
    expect((await one.admin('PUT routes/1', route('/a'))).status).toBe(201);
    expect(await one.proxied('/a')).toBe(200);
    const wrong = { host: [secured.url], user: 'root', password: 'no', startup_retry: 0 };
    await expect(start(prefix, wrong)).rejects.toThrow(/authentication failed/);
  });
});
