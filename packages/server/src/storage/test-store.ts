import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBatch, createStatements, defineTable, qualifiedName } from '@thalweg/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Store, StoreError } from './store.ts';

const sample = defineTable({
  database: 'contract',
  name: `sample_${randomUUID().slice(0, 8)}`,
  doc: 'Rows of the contract test.',
  timeColumn: 'time',
  orderBy: ['id'],
  retentionHours: 72,
  writer: 'sender',
  columns: {
    time: { kind: 'seconds', doc: 'a', codec: 'delta' },
    id: { kind: 'id', doc: 'a', index: 'runs' },
    service: { kind: 'category', doc: 'a', index: 'bloom' },
    path: { kind: 'text', doc: 'a' },
    names: { kind: 'texts', doc: 'a', codec: 'repeats' },
    share: { kind: 'f32', doc: 'a' },
  },
});
const TABLE = qualifiedName(sample);
const BIGGEST = 2n ** 64n - 1n;
/** Runs for hours when nothing ends it; the marker names it in the engine's list of queries. */
const endless = (marker: string): string =>
  `SELECT count() FROM numbers(1000000000000) WHERE toString(number) = '${marker}'`;

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof StoreError ? error.code : String(error)),
  );

export interface ContractStore {
  readonly store: Store;
  /** Where files for `insertFile` may lie. */
  readonly fileDir: string;
}

/** What every store promises. Each store's own test file calls this once. */
export function testStore(engine: string, open: () => Promise<ContractStore>): void {
  describe(engine, () => {
    let opened: ContractStore;
    let store: Store;

    async function insert(token: string, ids: readonly bigint[]): Promise<void> {
      const batch = createBatch(sample);
      for (const id of ids) {
        const time = Math.floor(Date.now() / 1e3);
        batch.push({ time, id, service: 's', path: 'a\n\n;b', names: ["x'", ''], share: 0.5 });
      }
      mkdirSync(opened.fileDir, { recursive: true });
      const file = join(opened.fileDir, `${randomUUID()}.native`);
      writeFileSync(file, batch.encode());
      await store.insertFile(TABLE, file, token);
      rmSync(file);
    }

    const running = async (marker: string): Promise<number> => {
      const { rows } = await store.query(
        `SELECT count() FROM system.processes
         WHERE position(query, {marker:String}) > 0 AND position(query, 'system.processes') = 0`,
        { params: { marker } },
      );
      return Number(rows[0]?.[0]);
    };

    beforeAll(async () => {
      opened = await open();
      store = opened.store;
      for (const statement of createStatements(sample)) await store.execute(statement);
    });
    afterAll(async () => {
      await store.execute(`DROP TABLE IF EXISTS ${TABLE}`).catch(() => undefined);
      await store.close();
      await store.close();
    });

    test('statements of a declared table may run again', async () => {
      for (const statement of createStatements(sample)) await store.execute(statement);
    });

    test('a file is inserted once however often its token comes, and values keep their types', async () => {
      await insert('once', [1n, BIGGEST]);
      await insert('once', [1n, BIGGEST]);
      await insert('twice', [2n]);
      const { columns, rows } = await store.query(
        `SELECT id, service, path, names, share FROM ${TABLE} ORDER BY id`,
      );
      expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
        'id UInt64',
        'service LowCardinality(String)',
        'path String',
        'names Array(String)',
        'share Float32',
      ]);
      expect(rows).toEqual(
        ['1', '2', String(BIGGEST)].map((id) => [id, 's', 'a\n\n;b', ["x'", ''], 0.5]),
      );
    });

    test.each([
      { name: 'text', type: 'String', value: `a'\\"\`\t\n\r\0{b:String};--\u{1f600}` },
      { name: 'text that looks like a list', type: 'String', value: "['a',1]" },
      { name: 'empty text', type: 'String', value: '' },
      { name: 'texts', type: 'Array(String)', value: ["it's", '\\', 'a,b]', '', '\n'] },
      { name: 'no texts', type: 'Array(String)', value: [] },
      { name: 'the largest id', type: 'UInt64', value: String(BIGGEST) },
      { name: 'ids', type: 'Array(UInt64)', value: ['0', String(BIGGEST)] },
      { name: 'a negative number', type: 'Int32', value: -7 },
      { name: 'a fraction', type: 'Float64', value: 0.25 },
    ])('a parameter arrives as it was given: $name', async ({ type, value }) => {
      const { rows } = await store.query(`SELECT {value:${type}}`, { params: { value } });
      expect(rows).toEqual([[value]]);
    });

    test.each([
      {
        name: 'time',
        sql: 'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(number)',
        limits: { timeoutMs: 300 },
      },
      {
        name: 'memory',
        sql: 'SELECT length(groupArray(number)) FROM numbers(100000000)',
        limits: { memoryBytes: 3e7 },
      },
      { name: 'rows', sql: 'SELECT number FROM numbers(100)', limits: { rowsMax: 10 } },
    ])('a query ends at its limit: $name', async ({ sql, limits }) => {
      expect(await codeOf(store.query(sql, { limits }))).toBe('store_limit');
    });

    test.each([
      { name: 'no such table', sql: 'SELECT 1 FROM contract.nowhere' },
      { name: 'no SQL', sql: 'SELECT FROM WHERE' },
      { name: 'types that differ', sql: "SELECT 1 + 'a'" },
      { name: 'a missing parameter', sql: 'SELECT {absent:String}' },
      { name: 'a write', sql: 'CREATE TABLE contract.x (a Int8) ENGINE = Memory' },
      { name: 'writing a file', sql: "SELECT 1 INTO OUTFILE '/tmp/x'" },
      { name: 'two statements', sql: 'SELECT 1; SELECT 2' },
      { name: 'own settings', sql: 'SELECT 1 SETTINGS readonly = 0' },
    ])('is refused, and the store lives on: $name', async ({ sql }) => {
      expect(await codeOf(store.query(sql))).toBe('store_query_failed');
      expect((await store.query('SELECT 1')).rows).toEqual([[1]]);
    });

    test('an aborted query ends in the engine too', async () => {
      const marker = `abort-${randomUUID()}`;
      const abort = new AbortController();
      const query = codeOf(
        store.query(endless(marker), {
          signal: abort.signal,
          limits: { timeoutMs: 120_000 },
        }),
      );
      await expect.poll(() => running(marker), { timeout: 15_000 }).toBe(1);
      abort.abort();
      expect(await query).toBe('store_aborted');
      await expect.poll(() => running(marker), { timeout: 15_000 }).toBe(0);
    });

    test('a query with values does not wait for another one', async () => {
      const marker = `beside-${randomUUID()}`;
      const abort = new AbortController();
      const slow = codeOf(
        store.query(`${endless(marker)} AND number != {none:UInt64}`, {
          params: { none: '7' },
          signal: abort.signal,
          limits: { timeoutMs: 120_000 },
        }),
      );
      await expect.poll(() => running(marker), { timeout: 15_000 }).toBe(1);
      expect((await store.query('SELECT {a:UInt8}', { params: { a: 1 } })).rows).toEqual([[1]]);
      abort.abort();
      expect(await slow).toBe('store_aborted');
    });

    test('20,000 ids are one value', async () => {
      const ids = Array.from({ length: 20_000 }, (_, at) => String(BIGGEST - BigInt(at)));
      const { rows } = await store.query('SELECT length({ids:Array(UInt64)})', { params: { ids } });
      expect(rows).toEqual([['20000']]);
    });

    test('a signal that is aborted already starts nothing', async () => {
      const query = store.query('SELECT 1', { signal: AbortSignal.abort() });
      expect(await codeOf(query)).toBe('store_aborted');
    });

    test('says that it is well, and which version it is', async () => {
      expect((await store.health()).version).toMatch(/^\d+\.\d+/);
    });
  });
}
