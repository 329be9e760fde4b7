import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TABLES } from '@thalweg/model';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedStore, openEmbeddedStore } from '../storage/embedded/embedded.ts';
import { prepareSchema } from '../storage/migrate.ts';
import { runUserSql } from './run.ts';
import { SqlError } from './tokens.ts';

let directory = '';
let store: EmbeddedStore;
const now = Math.floor(Date.now() / 1e3);
const values = async (sql: string): Promise<readonly (readonly unknown[])[]> =>
  (await runUserSql(store, sql)).values;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thalweg-query-'));
  store = await openEmbeddedStore({ dataDir: directory });
  await prepareSchema(store, TABLES);
  // Services a, b, b; durations 0, 100, 400 µs; one error.
  await store.execute(
    `INSERT INTO flow_log.l7_flow_log
       (_id, time, app_service, response_duration, response_status, trace_id, ip_0, type)
     SELECT number + 1, ${now} - number, ['a', 'b', 'b'][number + 1],
       [0, 100, 400][number + 1], [0, 0, 3][number + 1], ['', 'x', 'y'][number + 1],
       ['10.1.2.3', '10.1.9.9', 'fe80::1'][number + 1], 2
     FROM numbers(3)`,
  );
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const FROM = 'FROM l7_flow_log';
const RANGE = `time >= ${now - 10} AND time <= ${now}`;

test.each([
  { sql: `SELECT Count(row), Count(*), count() ${FROM}`, rows: [[3, 3, 3]] },
  { sql: `SELECT _id ${FROM} WHERE _id BETWEEN 2 AND 3 ORDER BY _id`, rows: [[2], [3]] },
  { sql: `SELECT _id ${FROM} WHERE _id NOT BETWEEN 2 AND 3`, rows: [[1]] },
  { sql: `SELECT _id ${FROM} WHERE _id NOT IN (1, 3)`, rows: [[2]] },
  { sql: `SELECT _id ${FROM} WHERE ip_0 LIKE '10.*' ORDER BY _id DESC`, rows: [[2], [1]] },
  { sql: `SELECT _id ${FROM} WHERE ip_0 NOT LIKE '10.*'`, rows: [[3]] },
  { sql: `SELECT _id ${FROM} WHERE ip_0 REGEXP '^10[.]1[.]9'`, rows: [[2]] },
  { sql: `SELECT _id ${FROM} WHERE exist(trace_id) ORDER BY _id`, rows: [[2], [3]] },
  { sql: `SELECT _id ${FROM} WHERE NOT exist(response_duration)`, rows: [[1]] },
  {
    sql: `SELECT app_service, Count(row) AS n ${FROM} GROUP BY app_service HAVING n > 1`,
    rows: [['b', 2]],
  },
  { sql: `SELECT app_service ${FROM} GROUP BY app_service SLIMIT 1`, rows: [['b']] },
  { sql: `SELECT _id ${FROM} ORDER BY _id LIMIT 1 OFFSET 1`, rows: [[2]] },
  {
    sql: `WITH x AS (SELECT app_service AS s, Sum(request) AS n ${FROM} GROUP BY s) SELECT s FROM x WHERE n = 1`,
    rows: [['a']],
  },
  {
    sql: `SELECT CASE WHEN _id = 1 THEN 'one' WHEN _id = 2 THEN 'two' ELSE 'more' END AS w ${FROM} ORDER BY _id`,
    rows: [['one'], ['two'], ['more']],
  },
  {
    sql: `SELECT Avg(response_duration), Min(response_duration), Max(response_duration), Spread(_id), Rspread(response_duration) ${FROM}`,
    rows: [[250, 100, 400, 2, 4]],
  },
  { sql: `SELECT Apdex(response_duration, 100) ${FROM}`, rows: [[75]] },
  { sql: `SELECT Percentage(Sum(error), Sum(response)) AS p ${FROM}`, rows: [[100 / 3]] },
  { sql: `SELECT PerSecond(Sum(request)) ${FROM} WHERE ${RANGE}`, rows: [[0.3]] },
  { sql: `SELECT mask(ip_0, 16) ${FROM} WHERE _id = 1`, rows: [['10.1.0.0']] },
  { sql: `SELECT Enum(response_status) ${FROM} WHERE _id = 3`, rows: [['Server Error']] },
  { sql: `SELECT countDistinct(app_service), UniqExact(app_service) ${FROM}`, rows: [[2, 2]] },
  { sql: `SELECT TopK(app_service, 1) ${FROM}`, rows: [[['b']]] },
  { sql: `SELECT length(Histogram(response_duration, 2)) ${FROM}`, rows: [[2]] },
  {
    sql: 'show tag app_service values from l7_flow_log',
    rows: [
      ['b', 'b', ''],
      ['a', 'a', ''],
    ],
  },
  {
    sql: "show tag app_service values from l7_flow_log where display_name like 'a*' limit 5",
    rows: [['a', 'a', '']],
  },
  {
    sql: "show enum response_status values where display_name like 'Server*'",
    rows: [[3, 'Server Error', '']],
  },
])('$sql', async ({ sql, rows }) => {
  expect(await values(sql)).toEqual(rows);
});

test('every literal arrives as it was written, and is nothing but a literal', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 30 }), async (text) => {
      const literal = `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
      expect(await values(`SELECT toString(${literal}) AS x ${FROM} LIMIT 1`)).toEqual([[text]]);
      expect(
        await values(`SELECT _id ${FROM} WHERE app_service IN (${literal}) AND _id = 9`),
      ).toEqual([]);
    }),
    { seed: 7, numRuns: 150 },
  );
});

test.each([
  { sql: `SELECT 1e999 ${FROM}`, position: 7 },
  { sql: `SELECT _id ${FROM} WHERE _id = 99999999999999999999`, position: 40 },
  { sql: `SELECT PerSecond(Sum(request)) ${FROM}`, position: 7 },
  { sql: `SELECT ${'('.repeat(60)}1 ${FROM}`, position: 55 },
  { sql: `SELECT _id ${FROM} WHERE _id BETWEEN 1`, position: 47 },
  { sql: 'SELECT CASE 1 ELSE 2 END FROM l7_flow_log', position: 12 },
  { sql: 'show enum app_service values', position: 10 },
])('$sql is refused at its place with a hint', async ({ sql, position }) => {
  const error = await runUserSql(store, sql).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SqlError);
  expect(error).toMatchObject({ position });
});
