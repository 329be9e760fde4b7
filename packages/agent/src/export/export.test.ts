import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createCompressor } from './compression.ts';
import { type NewBatch, openSpool, type Spool } from './spool.ts';
import { createUploader, type Uploader } from './uploader.ts';

const batch = (size: number, rows: number, table = 'l7_flow_log'): NewBatch => {
  return { table, rows, content: new Uint8Array(size), encoding: 'identity' };
};

function temporaryFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'thalweg-spool-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // A TCP server's address.
}

function uploaderTo(serverUrl: string, spool: Spool): Uploader {
  const rest = { token: undefined, headers: () => ({}) };
  return createUploader({ spool, serverUrl, ...rest });
}

test('a full spool gives up its oldest batches and counts their rows', async () => {
  const spool = await openSpool({ directory: temporaryFolder(), bytesMax: 250, instance: 'a' });
  for (const rows of [1, 2, 3]) await spool.put(batch(100, rows));
  expect(spool.counters()).toEqual({
    bytes: 200,
    batches: 2,
    rowsDroppedCap: 1,
    rowsDroppedDisk: 0,
  });
  expect(spool.oldest()?.rows).toBe(2);
});

test('batches of an earlier run are found again, in order and under their own tokens', async () => {
  const directory = temporaryFolder();
  const earlier = await openSpool({ directory, bytesMax: 1e6, instance: 'one' });
  for (const rows of [1, 2]) await earlier.put(batch(10, rows));
  const later = await openSpool({ directory, bytesMax: 1e6, instance: 'two' });
  await later.put(batch(10, 3));
  const seen: string[] = [];
  for (let one = later.oldest(); one; one = later.oldest()) {
    seen.push(`${one.rows} ${one.token}`);
    await later.remove(one);
  }
  expect(seen).toEqual(['1 one-1', '2 one-2', '3 two-3']);
});

test('rows that cannot be written are counted, with the reason kept', async () => {
  const directory = temporaryFolder();
  const spool = await openSpool({ directory, bytesMax: 1e6, instance: 'a' });
  rmSync(directory, { recursive: true });
  await spool.put(batch(10, 7));
  expect(spool.counters().rowsDroppedDisk).toBe(7);
  expect(spool.lastError?.cause).toMatchObject({ code: 'ENOENT' });
});

test('the only batch that waits is not read again, those behind it are', async () => {
  const directory = temporaryFolder();
  const spool = await openSpool({ directory, bytesMax: 1e6, instance: 'a' });
  const [first, second] = [batch(10, 1), { ...batch(10, 2), content: new Uint8Array(10).fill(7) }];
  await spool.put(first);
  await spool.put(second);
  const oldest = spool.oldest();
  if (oldest === undefined) throw new Error('nothing waits');
  rmSync(oldest.path);
  expect(await spool.read(oldest)).toEqual(first.content);
  await spool.remove(oldest);
  const next = spool.oldest();
  if (next === undefined) throw new Error('nothing waits');
  expect(new Uint8Array(await spool.read(next))).toEqual(second.content);
});

test('memory is spare once it is on disk and not held, or held and sent; never when given up', async () => {
  const directory = temporaryFolder();
  const spool = await openSpool({ directory, bytesMax: 250, instance: 'a' });
  const spare: string[] = [];
  const put = (name: string): Promise<void> => spool.put(batch(100, 1), () => spare.push(name));
  await put('held');
  await put('behind');
  expect(spare).toEqual(['behind']);
  const held = spool.oldest();
  if (held === undefined) throw new Error('nothing waits');
  await spool.sent(held);
  expect(spare).toEqual(['behind', 'held']);
  const left = spool.oldest();
  if (left === undefined) throw new Error('nothing waits');
  await spool.sent(left);
  await put('given up');
  for (const name of ['next', 'last']) await put(name);
  expect(spare).toEqual(['behind', 'held', 'next', 'last']);
});

test('a batch stays until the server has it; a retry carries the same token', async () => {
  const tokens: (string | string[] | undefined)[] = [];
  const url = await listen((request, response) => {
    tokens.push(request.headers['x-thalweg-token']);
    response.statusCode = tokens.length === 1 ? 503 : 200;
    response.end();
  });
  const spool = await openSpool({ directory: temporaryFolder(), bytesMax: 1e6, instance: 'a' });
  await spool.put(batch(10, 5));
  const uploader = uploaderTo(url, spool);
  await uploader.drain();
  expect(spool.counters().batches).toBe(1);
  await uploader.drain();
  expect([tokens, spool.counters().batches, uploader.counters().rowsSent]).toEqual([
    ['a-1', 'a-1'],
    0,
    5,
  ]);
});

const block = new TextEncoder().encode('rows '.repeat(100));
test.each([
  { name: 'a server here gets plain batches', to: 'http://127.0.0.1:1', waiting: 0, gzip: false },
  { name: 'so it does by name', to: 'http://localhost:1', waiting: 7, gzip: false },
  { name: 'and by IPv6', to: 'http://[::1]:1', waiting: 0, gzip: false },
  { name: 'many waiting batches are kept small', to: 'http://[::1]:1', waiting: 8, gzip: true },
  { name: 'another machine gets gzip', to: 'http://10.0.0.7:1', waiting: 0, gzip: true },
  { name: 'a name like an address is elsewhere', to: 'http://127.test:1', waiting: 0, gzip: true },
])('compression: $name', async ({ to, waiting, gzip }) => {
  const [bytes, encoding] = await createCompressor('auto', to)(block, waiting);
  expect(encoding).toBe(gzip ? 'gzip' : 'identity');
  expect(gzip ? new Uint8Array(gunzipSync(bytes)) : bytes).toEqual(block);
});

test('a batch keeps its encoding over a restart and on the way to the server', async () => {
  const encodings: (string | undefined)[] = [];
  const url = await listen((request, response) => {
    encodings.push(request.headers['content-encoding']);
    response.end();
  });
  const directory = temporaryFolder();
  const earlier = await openSpool({ directory, bytesMax: 1e6, instance: 'one' });
  await earlier.put({ ...batch(10, 1), encoding: 'gzip' });
  await earlier.put(batch(10, 2));
  await uploaderTo(url, await openSpool({ directory, bytesMax: 1e6, instance: 'two' })).drain();
  expect(encodings).toEqual(['gzip', 'identity']);
});

test('what the server refuses for good is counted and does not block the rest', async () => {
  let posts = 0;
  const url = await listen((_request, response) => {
    posts += 1;
    response.statusCode = posts === 1 ? 400 : 200;
    response.end('{"error":{"code":"bad_block"}}');
  });
  const spool = await openSpool({ directory: temporaryFolder(), bytesMax: 1e6, instance: 'a' });
  for (const rows of [3, 4]) await spool.put(batch(10, rows));
  const uploader = uploaderTo(url, spool);
  await uploader.drain();
  expect(uploader.counters()).toMatchObject({ rowsSent: 4, rowsRefused: 3 });
});

test('kept batches are all there or none, and nothing is given up for them', async () => {
  const spool = await openSpool({ directory: temporaryFolder(), bytesMax: 250, instance: 'a' });
  expect(await spool.keep([batch(100, 1, 'log'), batch(100, 2)])).toBe(true);
  expect(await spool.keep([batch(30, 3), batch(30, 4)])).toBe(false);
  expect(spool.counters()).toMatchObject({ bytes: 200, batches: 2, rowsDroppedCap: 0 });
});

test('kept batches that the disk refuses are none, with the reason kept', async () => {
  const directory = temporaryFolder();
  const spool = await openSpool({ directory, bytesMax: 1e6, instance: 'a' });
  rmSync(directory, { recursive: true });
  expect(await spool.keep([batch(10, 1)])).toBe(false);
  expect(spool.counters()).toMatchObject({ bytes: 0, batches: 0 });
  expect(spool.lastError?.cause).toMatchObject({ code: 'ENOENT' });
});

test('each batch goes to its table, also after a restart and from an older version', async () => {
  const directory = temporaryFolder();
  const earlier = await openSpool({ directory, bytesMax: 1e6, instance: 'a' });
  await earlier.keep([batch(10, 1, 'log')]);
  writeFileSync(join(directory, '000000000002-5-old-2.batch.gz'), '');
  const paths: (string | undefined)[] = [];
  const url = await listen((request, response) => {
    paths.push(request.url);
    response.end();
  });
  const later = await openSpool({ directory, bytesMax: 1e6, instance: 'b' });
  await uploaderTo(url, later).drain();
  expect(paths).toEqual(['/api/ingest/log', '/api/ingest/l7_flow_log']);
});
