import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createIntegration } from '@thalweg/integration';
import { applicationLog, readBlock, valuesOf } from '@thalweg/model';
import { expect, onTestFinished, test } from 'vitest';
import { openAgentDoor } from './agent-door.ts';
import { createCompressor } from './export/compression.ts';
import { openSpool } from './export/spool.ts';
import { createSpoolSink } from './export/spool-sink.ts';

const STATUS = {
  name: 'here',
  pid: 1,
  isAttached: true,
  rung: 'A',
  reason: '',
  counters: { 'spool.bytes': 3 },
  links: [{ service: 'a "b"', right: 9, wrong: 1, open: 2, solidRight: 8, solidWrong: 0 }],
  lastError: '',
};

async function open(options: { bytesMax?: number; token?: string } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'thalweg-door-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const spool = await openSpool({ directory, bytesMax: options.bytesMax ?? 1e6, instance: 'a' });
  const integration = createIntegration({
    sink: createSpoolSink(spool, createCompressor('gzip', 'http://127.0.0.1')),
    token: options.token,
    agent: 'here',
    instance: 1,
    now: Date.now,
    limits: { flushMs: 1 },
  });
  const host = '127.0.0.1';
  const listener = await openAgentDoor({ host, port: 0, door: integration.door }, () => STATUS);
  onTestFinished(() => listener.close());
  return { spool, url: listener.url };
}

const log = (body: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: body } }] }] }],
  }),
});

test('what is answered with 200 is on the disk, as a block of its table', async () => {
  const { spool, url } = await open();
  expect((await fetch(`${url}/v1/logs`, log('hello'))).status).toBe(200);
  const kept = spool.oldest();
  expect(kept).toMatchObject({ table: 'log', rows: 1 });
  const block = new Uint8Array(gunzipSync(readFileSync(kept?.path ?? '')));
  const read = readBlock(applicationLog, block, { columns: 'agent' });
  expect(read.kind === 'block' && valuesOf(read.block, 'body')).toEqual(['hello']);
  expect(read.kind === 'block' && valuesOf(read.block, 'agent')).toEqual(['here']);
});

test('a full spool is said to the sender: 503, and nothing older is given up', async () => {
  const { spool, url } = await open({ bytesMax: 10 });
  const answer = await fetch(`${url}/v1/logs`, log('hello'));
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(spool.counters()).toMatchObject({ batches: 0, rowsDroppedCap: 0 });
});

test.each([
  { path: '/status', want: '"name":"here"' },
  { path: '/metrics', want: 'thalweg_agent_spool_bytes 3' },
  {
    path: '/metrics',
    want: 'thalweg_agent_links_compared{service="a \\"b\\"",verdict="wrong"} 1',
  },
])('$path is on the same port', async ({ path, want }) => {
  const { url } = await open();
  expect(await (await fetch(url + path)).text()).toContain(want);
});

test('other paths are answered with those that there are', async () => {
  const { url } = await open();
  const answer = await fetch(`${url}/nothing`);
  expect(answer.status).toBe(404);
  expect(await answer.text()).toContain('/v1/traces');
});

test('with a token, the status is for those who have it', async () => {
  const token = '0123456789abcdef';
  const { url } = await open({ token });
  const headers = { authorization: `Bearer ${token}` };
  const statuses = [await fetch(`${url}/status`), await fetch(`${url}/status`, { headers })];
  expect(statuses.map(({ status }) => status)).toEqual([404, 200]);
});
