import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createFieldSeal } from './field-seal.ts';
import { openJournal } from './journal.ts';

const [OLD, NEW] = ['0123456789abcdef', 'fedcba9876543210fedcba9876543210'];
const sealWith = (...keyring: readonly string[]) =>
  createFieldSeal({ keyring, secretFields: (name) => (name === 'key-auth' ? ['key'] : []) });

const consumer = (key: string) => ({
  username: 'jack',
  plugins: { 'key-auth': { key, header: key }, other: { key } },
});

test('what is sealed is opened again, and only secret fields are sealed', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(OLD, NEW), (secret, key) => {
      const { seal, open } = sealWith(key);
      const sealed = seal('/consumers/jack', consumer(secret));
      expect(sealed).toMatchObject({
        plugins: { 'key-auth': { header: secret }, other: { key: secret } },
      });
      expect(open('/consumers/jack', sealed)).toEqual(consumer(secret));
    }),
    { seed: 31 },
  );
});

test('secret fields of plugin metadata are sealed, also within others', () => {
  const { seal, open } = createFieldSeal({ keyring: [OLD], secretFields: () => ['sink.password'] });
  const value = { sink: { user: 'jack', password: 'secret' }, level: 'WARN' };
  const sealed = seal('/plugin_metadata/logger', value);
  expect(sealed).toMatchObject({ sink: { user: 'jack' }, level: 'WARN' });
  expect(JSON.stringify(sealed)).not.toContain('secret');
  expect(open('/plugin_metadata/logger', sealed)).toEqual(value);
  expect(seal('/plugin_metadata/logger', { level: 'WARN' })).toEqual({ level: 'WARN' });
});

test('the journal holds no secret, and keys may be changed while an older one stays in the ring', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const open = (...keyring: readonly string[]) =>
    openJournal(folder, { now: Date.now }, keyring.length === 0 ? undefined : sealWith(...keyring));
  // Written before there was a keyring, although it looks encrypted.
  const plain = await open();
  await plain.put('/consumers/plain', consumer('c2VjcmV0c2VjcmV0c2VjcmV0cw=='));
  await plain.close();
  const first = await open(OLD);
  await first.put('/consumers/jack', consumer('very secret'));
  await first.put('/ssls/1', { cert: 'c', key: 'private', keys: ['too'] });
  await first.close();
  const text = readFileSync(join(folder, 'journal'), 'utf8');
  expect(text).not.toMatch(/"key":"very secret","header"|private|too"/);
  const second = await open(NEW, OLD);
  const values = second.list('/').map(({ value }) => value);
  await second.close();
  expect(values).toEqual([
    consumer('c2VjcmV0c2VjcmV0c2VjcmV0cw=='),
    consumer('very secret'),
    { cert: 'c', key: 'private', keys: ['too'] },
  ]);
});

test('a field that no key opens stays as it is and is counted', () => {
  const sealed = sealWith(OLD).seal('/consumers/jack', consumer('x'));
  const other = sealWith('another-key-of16');
  expect([other.open('/consumers/jack', sealed), other.unopened()]).toEqual([sealed, 1]);
});

test('private keys are shown sealed, and are taken back as they were shown', () => {
  const { seal, open, sealKeys, openKeys } = sealWith(OLD);
  const pem = '-----BEGIN PRIVATE KEY-----';
  const route = { upstream: { tls: { client_key: pem } }, plugins: { 'key-auth': { key: 'k' } } };
  const shown = sealKeys('/routes/1', route);
  expect(JSON.stringify(shown)).not.toContain(pem);
  expect(shown).toMatchObject({ plugins: route.plugins });
  expect(openKeys('/routes/1', shown)).toEqual(route);
  expect(open('/routes/1', seal('/routes/1', route))).toEqual(route);
  // What was kept before they were sealed, and what nobody has sealed.
  expect(open('/upstreams/1', { tls: { client_key: pem } })).toEqual({ tls: { client_key: pem } });
  expect(openKeys('/ssls/1', { key: 'none of ours' })).toEqual({ key: 'none of ours' });
});
