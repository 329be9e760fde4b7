import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createIntegration } from '@thalweg/integration';
import {
  applicationLog,
  idsOf,
  prometheusSamples,
  prometheusSeries,
  readBlock,
  timesOf,
  valuesOf,
} from '@thalweg/model';
import { createProtoWriter, snappyEncode } from '@thalweg/wire';
import { expect, onTestFinished, test } from 'vitest';
import { openAgentDoor } from './agent-door.ts';
import { type Compression, createCompressor } from './export/compression.ts';
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

interface Options {
  readonly bytesMax?: number;
  readonly token?: string;
  readonly compression?: Compression;
}

async function open(options: Options = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'thalweg-door-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const spool = await openSpool({ directory, bytesMax: options.bytesMax ?? 1e6, instance: 'a' });
  const integration = createIntegration({
    sink: createSpoolSink(
      spool,
      createCompressor(options.compression ?? 'gzip', 'http://127.0.0.1'),
    ),
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

/** A scrape of remote write 1.0: a sample of each metric. */
function scrape(metrics: readonly string[], timeMs: number): RequestInit {
  const writer = createProtoWriter();
  for (const metric of metrics) {
    writer.messageField(1, () => {
      writer.messageField(1, () => {
        writer.textField(1, '__name__');
        writer.textField(2, metric);
      });
      writer.messageField(2, () => {
        writer.doubleField(1, metric.length);
        writer.signedField(2, timeMs);
      });
    });
  }
  return {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    // Node's fetch takes bytes; its type of the web does not name them.
    body: snappyEncode(writer.finish()) as unknown as string,
  };
}

test.each(['gzip', 'none'] as const)(
  'remote write is on the disk as series and samples, each scrape whole (%s)',
  async (compression) => {
    const { spool, url } = await open({ compression });
    const nowMs = Date.now();
    const metrics = ['up', 'go_info'];
    for (let at = 0; at < 3; at += 1) {
      const answer = await fetch(`${url}/api/v1/write`, scrape(metrics, nowMs + at));
      expect(answer.status).toBe(204);
    }
    const blocks = [];
    for (let batch = spool.oldest(); batch !== undefined; batch = spool.oldest()) {
      const bytes = readFileSync(batch.path);
      const table = batch.table === 'series' ? prometheusSeries : prometheusSamples;
      const plain = new Uint8Array(compression === 'gzip' ? gunzipSync(bytes) : bytes);
      const read = readBlock(table, plain, { columns: 'agent' });
      if (read.kind === 'invalid') throw new Error(read.message);
      blocks.push({ table: batch.table, block: read.block });
      await spool.remove(batch);
    }
    const [series, ...samples] = blocks;
    expect(blocks.map(({ table }) => table)).toEqual(['series', 'samples', 'samples', 'samples']);
    expect(series && valuesOf(series.block, 'metric')).toEqual(metrics);
    const ids = series && idsOf(series.block, 'id');
    expect(samples.map(({ block }) => [idsOf(block, 'id'), [...timesOf(block, 'ts')]])).toEqual(
      [0, 1, 2].map((at) => [ids, [nowMs + at, nowMs + at]]),
    );
  },
);

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
