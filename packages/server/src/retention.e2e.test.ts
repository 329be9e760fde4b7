import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RetentionAnswer, type RetentionOfTable } from '@thalweg/model';
import { expect, onTestFinished, test } from 'vitest';
import { type Server, ServerSettings, startServer } from './index.ts';
import { openEmbeddedStore } from './storage/embedded/embedded.ts';
import { createRowMaker, encodeRows } from './testing/l7-rows.ts';

// Retention in hours and in bytes, changed while a real server runs over the embedded store.

const HOUR_S = 3_600;
const TABLE = 'flow_log.l7_flow_log';

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-retention-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(
  folder: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Server> {
  const settings = ServerSettings.parse({ port: 0, data_dir: folder, ...more });
  const server = await startServer(settings, { version: 'test', logLevel: 'silent' });
  onTestFinished(() => server.close());
  return server;
}

const put = (server: Server, body: unknown, headers = {}): Promise<Response> =>
  fetch(`${server.url}/api/retention`, {
    method: 'PUT',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

async function change(server: Server, body: unknown): Promise<RetentionAnswer> {
  const answer = await put(server, body);
  expect(answer.status).toBe(200);
  return RetentionAnswer.parse(await answer.json());
}

async function tableOf(server: Server, table: string): Promise<RetentionOfTable | undefined> {
  const answer = await fetch(`${server.url}/api/retention`);
  return RetentionAnswer.parse(await answer.json()).tables.find((one) => one.table === table);
}

/** Rows of so many hours ago, a batch for each; answers what ingest said. */
async function send(server: Server, hoursAgo: number, count = 1): Promise<unknown> {
  const row = createRowMaker((Date.now() / 1e3 - hoursAgo * HOUR_S) * 1e6);
  // Random text, so that bytes on disk are about the bytes sent.
  const text = (): string =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(600))).toString('hex');
  const rows = Array.from({ length: count }, (_, at) => row(at, { request_resource: text() }));
  const answer = await fetch(`${server.url}/api/ingest/l7_flow_log`, {
    method: 'POST',
    body: encodeRows(rows),
    headers: {
      'content-type': 'application/octet-stream',
      'x-thalweg-token': `retention-${hoursAgo}-${crypto.randomUUID()}`,
    },
  });
  return answer.json();
}

async function ages(server: Server): Promise<readonly number[]> {
  const answer = await fetch(`${server.url}/v1/query/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      sql: 'SELECT time, Count(row) AS n FROM l7_flow_log GROUP BY time ORDER BY time LIMIT 100',
    }),
  });
  const { result } = (await answer.json()) as { result: { values: [number | string, number][] } };
  const times = result.values.map(([time]) =>
    typeof time === 'number' ? time : Date.parse(`${time.replace(' ', 'T')}Z`) / 1e3,
  );
  return [...new Set(times.map((time) => Math.round((Date.now() / 1e3 - time) / HOUR_S)))].sort(
    (a, b) => b - a,
  );
}

test('changed hours hold at once: in the TTL, for rows to come and for rows that are stored', async () => {
  const folder = folderOf();
  const server = await start(folder);
  expect(await send(server, 5)).toMatchObject({ rows: 1 });
  expect(await send(server, 0)).toMatchObject({ rows: 1 });
  await expect.poll(() => ages(server), { timeout: 20_000 }).toEqual([5, 0]);

  const { tables } = await change(server, { hours: { l7_flow_log: 2 } });
  const found = tables.filter(({ hours }) => hours === 2);
  expect(found.map(({ table, hoursFrom }) => [table, hoursFrom])).toEqual([
    [TABLE, 'changed'],
    ['flow_log.trace_alias', 'followed'],
    ['flow_log.trace_index', 'followed'],
  ]);
  expect(await send(server, 3)).toMatchObject({
    error: { message: expect.stringContaining('kept are 2 hours') },
  });
  await expect.poll(() => ages(server), { timeout: 60_000 }).toEqual([0]);

  await change(server, { hours: { l7_flow_log: 100 } });
  expect(await send(server, 90)).toMatchObject({ rows: 1 });
  await server.close();
  const store = await openEmbeddedStore({ dataDir: folder });
  onTestFinished(() => store.close());
  const { rows } = await store.query(
    `SELECT name, extract(engine_full, 'TTL (.*) SETTINGS') FROM system.tables
     WHERE database = 'flow_log' ORDER BY name`,
  );
  expect(rows).toEqual([
    ['l7_flow_log', 'time + toIntervalHour(100)'],
    ['link_calibration', 'time + toIntervalHour(720)'],
    ['trace_alias', 'time + toIntervalHour(100)'],
    ['trace_index', 'time + toIntervalHour(100)'],
  ]);
});

test('a cap of bytes drops the oldest partition and no other, and says what is gone', async () => {
  const server = await start(folderOf());
  for (const hoursAgo of [6, 4, 0]) {
    expect(await send(server, hoursAgo, 2_000)).toMatchObject({ rows: 2_000 });
  }
  await expect.poll(() => ages(server), { timeout: 20_000 }).toEqual([6, 4, 0]);
  const { bytes = 0 } = (await tableOf(server, TABLE)) ?? {};
  expect(bytes).toBeGreaterThan(3e6);

  await change(server, { bytes: { l7_flow_log: Math.floor(bytes * 0.9) } });
  expect(await ages(server)).toEqual([4, 0]);
  const after = await tableOf(server, TABLE);
  expect(after).toMatchObject({ bytesFrom: 'changed', dropped: { partitions: 1, rows: 2_000 } });
  expect(after?.bytes).toBeLessThan(bytes * 0.9);

  await change(server, { bytes: { l7_flow_log: 1e6 } });
  expect(await ages(server)).toEqual([0]);
  const dropped = { partitions: 2, rows: 4_000 };
  const status = await fetch(`${server.url}/api/status`);
  expect(await status.json()).toMatchObject({ droppedByCap: { [TABLE]: dropped } });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain(`thalweg_retention_dropped_rows{table="${TABLE}"} 4000\n`);
});

test('a restart keeps what was changed, over the settings; null gives it back to them', async () => {
  const folder = folderOf();
  const settings = { retention_hours: 'l7_flow_log=30,log=10', retention_bytes: { log: 5e6 } };
  const first = await start(folder, settings);
  await change(first, { hours: { l7_flow_log: 40 }, bytes: { [TABLE]: 7e6 } });
  await first.close();
  const second = await start(folder, settings);
  expect(await tableOf(second, TABLE)).toMatchObject({
    hours: 40,
    hoursFrom: 'changed',
    bytesMax: 7e6,
  });
  expect(await tableOf(second, 'application_log.log')).toMatchObject({
    hours: 10,
    hoursFrom: 'settings',
    bytesMax: 5e6,
    bytesFrom: 'settings',
  });
  await change(second, { hours: { l7_flow_log: null }, bytes: { l7_flow_log: null } });
  expect(await tableOf(second, TABLE)).toMatchObject({
    hours: 30,
    hoursFrom: 'settings',
    bytesMax: null,
    bytesFrom: 'none',
  });
  await second.close();
  writeFileSync(join(folder, 'retention.json'), '{"hours":{"nope":1}}');
  await expect(start(folder)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('unknown table "nope"'),
  });
});

test('a change with mistakes is refused as a whole, each mistake named; the token is asked for', async () => {
  const token = 'a-token-of-some-length';
  const server = await start(folderOf(), { token });
  const change = {
    hours: { l7_flow_lok: 1, log: 0 },
    bytes: { samples: 'much', l7_flow_log: 9e6 },
  };
  expect((await put(server, change)).status).toBe(401);
  const authorization = `Bearer ${token}`;
  const refused = await put(server, change, { authorization });
  expect([refused.status, await refused.json()]).toEqual([
    400,
    {
      error: {
        code: 'retention_invalid',
        message:
          'hours: unknown table "l7_flow_lok"; did you mean "l7_flow_log"?; ' +
          'hours: log: 0 is not a whole number of hours from 1 to 87,600; ' +
          'bytes: samples: "much" is not a whole number of bytes from 1,000,000',
        fix: 'GET /api/retention lists the tables; null takes a choice back',
      },
    },
  ]);
  const misspelt = await put(server, { hour: {} }, { authorization });
  expect(misspelt.status).toBe(400);
  const answer = await fetch(`${server.url}/api/retention`, { headers: { authorization } });
  const { tables } = RetentionAnswer.parse(await answer.json());
  const origins = tables.flatMap(({ hoursFrom, bytesFrom }) => [hoursFrom, bytesFrom]);
  expect([...new Set(origins)].sort()).toEqual(['declared', 'followed', 'none']);
  const description = await fetch(`${server.url}/api/openapi.json`, { headers: { authorization } });
  expect(await description.json()).toMatchObject({
    paths: { '/api/retention': { get: {}, put: { requestBody: { required: true } } } },
  });
});
