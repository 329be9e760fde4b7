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
       (_id, time, app_service, response_duration, response_status, trace_id, ip_0, type,
        signal_source, observation_point)
     SELECT number + 1, ${now} - number, ['a', 'b', 'b'][number + 1],
       [0, 100, 400][number + 1], [0, 0, 3][number + 1], ['', 'x', 'y'][number + 1],
       ['10.1.2.3', '10.1.9.9', 'fe80::1'][number + 1], 2, 3, 's-p'
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
  { sql: `SELECT _id ${FROM} WHERE ip = '10.1.2.3'`, rows: [[1]] },
  { sql: `SELECT _id ${FROM} WHERE ip != '10.1.2.3' ORDER BY _id`, rows: [[2], [3]] },
  { sql: `SELECT _id ${FROM} WHERE ip NOT LIKE '10.*'`, rows: [[3]] },
  {
    sql: `SELECT node_type(app_service), node_type(ip_0) ${FROM} LIMIT 1`,
    rows: [['service', 'ip']],
  },
  {
    sql: `SELECT Avg(error_ratio), Avg(success_ratio), Avg(request) ${FROM} WHERE ${RANGE}`,
    rows: [[100 / 3, 100 * (1 - 1 / 3), 0.3]],
  },
  {
    sql: `SELECT time(time, 1, 1, 0) AS t, Count(row) AS n ${FROM}
      WHERE time >= ${now - 3} AND time <= ${now} GROUP BY t ORDER BY t`,
    rows: [
      [now - 3, 0],
      [now - 2, 1],
      [now - 1, 1],
      [now, 1],
    ],
  },
  {
    sql: `SELECT time(time, 1, 1, null) AS t, app_service, Max(_id) AS n ${FROM}
      WHERE time >= ${now - 1} AND time <= ${now} GROUP BY t, app_service ORDER BY app_service, t`,
    rows: [
      [now - 1, 'a', null],
      [now, 'a', 1],
      [now - 1, 'b', 2],
      [now, 'b', null],
    ],
  },
  {
    sql: `SELECT time(time, 1, 2) AS t, Count(row) AS n ${FROM} GROUP BY t ORDER BY t`,
    rows: [
      [now - 2, 1],
      [now - 1, 2],
      [now, 2],
      [now + 1, 1],
    ],
  },
  {
    sql: `SELECT time(time, 3600, 1, none, ${(now - 2) % 3_600}) AS t, Count(row) ${FROM} GROUP BY t`,
    rows: [[now - 2, 3]],
  },
  {
    sql: `SELECT time(time, 1) AS t, nonNegativeDerivative(Max(_id)) AS d ${FROM} GROUP BY t ORDER BY t`,
    rows: [
      [now - 2, 0],
      [now - 1, 0],
      [now, 0],
    ],
  },
  {
    sql: `SELECT time(time, 1) AS t, nonNegativeDerivative(Max(10 - _id)) AS d ${FROM} GROUP BY t ORDER BY t`,
    rows: [
      [now - 2, 0],
      [now - 1, 1],
      [now, 1],
    ],
  },
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
    sql: "show tag app_service values from l7_flow_log where value in ('a', 'c') or display_name regexp '^x'",
    rows: [['a', 'a', '']],
  },
  {
    sql: `show tag app_service values from l7_flow_log where time < ${now} limit 1 offset 0`,
    rows: [['b', 'b', '']],
  },
  { sql: 'show tag ip values from l7_flow_log', rows: [['', '', '']] },
  {
    sql: "show tag app_service values from application_map where display_name = 'a'",
    rows: [['a', 'a', '']],
  },
  {
    sql: "show enum response_status values where value = 0 or display_name regexp '^Time'",
    rows: [
      [0, 'Success', ''],
      [2, 'Timeout', ''],
    ],
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
  { sql: 'show enum response_status values where time > 1', position: 44 },
  { sql: `SELECT ip ${FROM}`, position: 7 },
  { sql: `SELECT node_type(response_code) ${FROM}`, position: 7 },
  { sql: `SELECT Avg(error) ${FROM}`, position: 11 },
  { sql: `SELECT nonNegativeDerivative(Max(_id)) ${FROM}`, position: 7 },
  { sql: `SELECT time(time, 1, 1, 0) AS t, Count(row) ${FROM} GROUP BY t`, position: 7 },
  { sql: `SELECT time(time, 1, 1, 'x') AS t, Count(row) ${FROM} GROUP BY t`, position: 24 },
])('$sql is refused at its place with a hint', async ({ sql, position }) => {
  const error = await runUserSql(store, sql).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SqlError);
  expect(error).toMatchObject({ position });
});

const flows = async (sql: string, precision?: '1s' | '1m'): Promise<unknown> =>
  (await runUserSql(store, sql, { database: 'flow_metrics', precision })).values;

test.each([
  {
    name: 'the rate, delay and errors of a service',
    sql: `SELECT auto_service_1, PerSecond(Sum(request)) AS rps, Avg(rrt) AS us, Max(rrt_max) AS most,
        Avg(server_error_ratio) AS err
      FROM application_map WHERE time >= ${now - 10} AND time <= ${now} AND app_service = 'b'
      GROUP BY auto_service_1`,
    rows: [['b', 0.2, 250, 400, 50]],
  },
  {
    name: 'a mean over intervals counts those without rows',
    sql: `SELECT Avg(request), PerSecond(Avg(request)) FROM \`application.1s\`
      WHERE time >= ${now - 10} AND time <= ${now}`,
    rows: [[0.3, 0.3]],
  },
  {
    name: 'the minute that the interval lies in',
    sql: `SELECT DISTINCT time FROM application.1m WHERE time <= ${now} AND time > ${now - 7_200} AND app_service = 'a'`,
    rows: [[Math.floor(now / 60) * 60]],
  },
  {
    name: 'connections',
    sql: `SELECT Sum(l7_request), Avg(l7_error_ratio) FROM network WHERE time <= ${now}`,
    rows: [[3, 100 / 3]],
  },
])('flow tables: $name', async ({ sql, rows }) => {
  expect(await flows(sql, '1s')).toEqual(rows);
});

test("SHOW answers in the columns of DeepFlow's clients", async () => {
  const show = async (sql: string): Promise<Record<string, unknown>[]> => {
    const { columns, values: rows } = await runUserSql(store, sql);
    return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  };
  expect(await show('show tags from l7_flow_log')).toContainEqual(
    expect.objectContaining({
      name: 'ip',
      client_name: 'ip_0',
      server_name: 'ip_1',
      type: 'string',
      table: 'l7_flow_log',
    }),
  );
  expect(await show('show metrics from application')).toContainEqual(
    expect.objectContaining({ name: 'rrt', unit: 'µs', type: 3, table: 'application' }),
  );
  expect(await show('show metrics on flow_metrics')).toContainEqual(
    expect.objectContaining({ name: 'l7_error_ratio', type: 4, table: 'network_map' }),
  );
  expect(await show('show metrics functions')).toContainEqual(
    expect.objectContaining({ name: 'Percentile', type: 1, additional_param_count: 1 }),
  );
  expect(await show('show all_enum_tags')).toContainEqual(
    expect.objectContaining({ name: 'response_status', type: 'int_enum' }),
  );
  expect(await show('show language')).toEqual([{ language: 'en' }]);
});
