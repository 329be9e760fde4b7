import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseGatewayConfig } from '../../config/config.ts';
import { type Gateway, startGateway } from '../../main.ts';
import { type KeyPair, makeAuthority } from '../../testing/certificates.ts';
import { type EtcdProcess, etcdMissing, startEtcd } from '../../testing/etcd-process.ts';

const ADMIN_KEY = 'etcd-key';
const KEYRING = 'a-key-of-our-own';
const missing = etcdMissing();
const folder = mkdtempSync(join(tmpdir(), 'etcd-tls-'));
const upstream = createServer((_request, response) => response.end('here'));

let etcd: EtcdProcess;

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function pair(name: string, { cert, key }: KeyPair): { cert: string; key: string } {
  return { cert: written(`${name}.crt`, cert), key: written(`${name}.key`, key) };
}

/** `tls`: as in `deployment.etcd`; `trusted`: the path of a CA. */
async function start(tls: object, trusted: string): Promise<Gateway> {
  const data = mkdtempSync(join(tmpdir(), 'etcd-tls-data-'));
  const config = {
    apisix: {
      node_listen: [{ port: 0 }],
      control: { port: 0 },
      ssl: { enable: false, ssl_trusted_certificate: trusted },
      data_encryption: { keyring: [KEYRING] },
    },
    plugins: ['key-auth'],
    deployment: {
      admin: { admin_listen: { port: 0 }, admin_key: [{ key: ADMIN_KEY }] },
      etcd: { host: [etcd.url], timeout: 5, startup_retry: 0, tls },
    },
  };
  onTestFinished(() => rmSync(data, { recursive: true }));
  const gateway = await startGateway({
    config: parseGatewayConfig(JSON.stringify(config), {}).config,
    dataFolder: data,
    environment: {},
    warn: () => undefined,
  });
  onTestFinished(() => gateway.close());
  return gateway;
}

async function put(gateway: Gateway, path: string, body: object): Promise<number> {
  const answer = await fetch(`${gateway.adminUrl}/apisix/admin/${path}`, {
    method: 'PUT',
    headers: { 'X-API-KEY': ADMIN_KEY },
    body: JSON.stringify(body),
  });
  return answer.status;
}

describe.skipIf(missing !== undefined)(`etcd over TLS ${missing ?? ''}`, () => {
  const authority = makeAuthority('etcd ca');
  const ca = written('ca.crt', authority.cert);
  const client = pair('client', authority.issue('gateway'));

  beforeAll(async () => {
    etcd = await startEtcd({ ca, ...pair('etcd', authority.issue('localhost', '127.0.0.1')) });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    upstream.closeAllConnections();
    upstream.close();
    await etcd.close();
    rmSync(folder, { recursive: true });
  });

  test('gateways with a certificate share secrets that etcd holds sealed', async () => {
    const [one, other] = [await start(client, ca), await start(client, ca)];
    const { port } = upstream.address() as AddressInfo;
    const secret = 'the secret of jack';
    const jack = { username: 'jack', plugins: { 'key-auth': { key: secret } } };
    expect(await put(one, 'consumers', jack)).toBe(201);
    const nodes = { [`127.0.0.1:${port}`]: 1 };
    const route = { uri: '/a', plugins: { 'key-auth': {} }, upstream: { nodes } };
    expect(await put(one, 'routes/1', route)).toBe(201);

    const headers = { apikey: secret };
    const ask = async () => (await fetch(`${other.proxies[0]}/a`, { headers })).status;
    await expect.poll(ask, { timeout: 15_000 }).toBe(200);
    const all = await etcd.call('kv/range', { key: 'AA==', range_end: 'AA==' });
    const values = (all['kvs'] as readonly { readonly value: string }[]).map(({ value }) =>
      Buffer.from(value, 'base64').toString(),
    );
    expect(values.find((value) => value.includes('"username":"jack"'))).toBeDefined();
    expect(values.filter((value) => value.includes(secret))).toEqual([]);
  });

  test.each([
    { name: 'no certificate', tls: {}, trusted: () => ca },
    {
      name: 'a certificate of another CA',
      tls: pair('stranger', makeAuthority('other').issue('gateway')),
      trusted: () => ca,
    },
    {
      name: 'another CA than etcd has',
      tls: client,
      trusted: () => written('other.crt', makeAuthority('another').cert),
    },
  ])('with $name the start ends with what to look at', async ({ tls, trusted }) => {
    await expect(start(tls, trusted())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`etcd at ${etcd.url} does not answer`),
    });
  });
});
