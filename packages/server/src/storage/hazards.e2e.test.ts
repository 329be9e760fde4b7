import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedStore, openEmbeddedStore } from './embedded/embedded.ts';
import { StoreError } from './store.ts';

let directory = '';
let store: EmbeddedStore;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof StoreError ? error.code : String(error)),
  );

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thalweg-hazards-'));
  store = await openEmbeddedStore({ dataDir: join(directory, 'data'), port: 0 });
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

test.each([
  { name: 'writing a file', sql: "SELECT 1 INTO OUTFILE '/tmp/x'" },
  { name: 'two statements', sql: 'SELECT 1; SELECT 2' },
  { name: 'own settings', sql: 'SELECT 1 SETTINGS readonly = 0' },
  { name: 'reading a file', sql: "SELECT * FROM file('/etc/hostname', LineAsString)" },
  { name: 'a write', sql: 'CREATE TABLE x (a Int8) ENGINE = Memory' },
])('a query is refused: $name', async ({ sql }) => {
  expect(await codeOf(store.query(sql))).toBe('store_query_failed');
});

test('a second process on one directory is told so', async () => {
  const second = openEmbeddedStore({ dataDir: join(directory, 'data') });
  expect(await codeOf(second)).toBe('store_locked');
});

test('only files of the spool are inserted', async () => {
  const file = join(directory, 'elsewhere.native');
  writeFileSync(file, 'x');
  expect(await codeOf(store.insertFile('d.t', file, 'token'))).toBe('store_query_failed');
});

test('data behind a blank line is data, never SQL', async () => {
  await store.execute('CREATE TABLE default.kept (a String) ENGINE = MergeTree ORDER BY a');
  const query = encodeURIComponent('INSERT INTO default.kept FORMAT JSONEachRow');
  const body = '{"a":"x"}\n\nDROP TABLE default.kept';
  await fetch(`${store.url}/?query=${query}`, { method: 'POST', body });
  expect(await codeOf(store.query('SELECT count() FROM default.kept'))).toBe('done');
});

test('the engine refuses a worker thread, where it would end the process, and says why', () => {
  const engine = JSON.stringify(fileURLToPath(new URL('./embedded/engine.ts', import.meta.url)));
  const inWorker = `require('tsx/cjs/api').register();
    require(${engine}).openEngine('/nowhere', '/nowhere').catch((error) =>
      require('node:worker_threads').parentPort.postMessage(error.message));`;
  const program = `const { Worker } = require('node:worker_threads');
    new Worker(${JSON.stringify(inWorker)}, { eval: true }).on('message', console.log);`;
  const ended = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000 });
  expect(ended.stdout).toContain('chdb runs on the main thread of its own process only');
  expect([ended.status, ended.signal]).toEqual([0, null]);
});

test('a running query does not hold up the end', async () => {
  const other = await openEmbeddedStore({ dataDir: join(directory, 'other') });
  const query = codeOf(
    other.query('SELECT count() FROM numbers(1e12)', { limits: { timeoutMs: 60_000 } }),
  );
  await other.close();
  expect(await query).toBe('store_unavailable');
});
