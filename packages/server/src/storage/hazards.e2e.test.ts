import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClickHouseStore } from './clickhouse/clickhouse.ts';
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

test.each([
  { name: 'time', sql: 'SELECT count() FROM numbers(1e12)', limits: { timeoutMs: 300 } },
  {
    name: 'memory',
    sql: 'SELECT groupArray(number) FROM numbers(1e8)',
    limits: { memoryBytes: 3e7 },
  },
  { name: 'rows', sql: 'SELECT number FROM numbers(100)', limits: { rowsMax: 10 } },
])('a query stops at its limit: $name', async ({ sql, limits }) => {
  expect(await codeOf(store.query(sql, { limits }))).toBe('store_limit');
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

test('the same contract by URL: parameters, limits and health', async () => {
  const remote = await openClickHouseStore({ url: store.url ?? '' });
  const params = { text: "a'\\\n", list: ['x', "y'"], ids: ['18446744073709551615'] };
  const { rows } = await remote.query(
    'SELECT {text:String}, {list:Array(String)}, {ids:Array(UInt64)}',
    { params },
  );
  expect(rows).toEqual([[params.text, params.list, params.ids]]);
});

test('a running query does not hold up the end', async () => {
  const other = await openEmbeddedStore({ dataDir: join(directory, 'other') });
  const query = codeOf(
    other.query('SELECT count() FROM numbers(1e12)', { limits: { timeoutMs: 60_000 } }),
  );
  await other.close();
  expect(await query).toBe('store_unavailable');
});
