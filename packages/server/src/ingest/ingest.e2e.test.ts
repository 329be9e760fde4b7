import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  createBatch,
  type EncodedBlock,
  l7FlowLog,
  prometheusSamples,
  type RowOf,
  TABLES,
} from '@thalweg/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedStore, openEmbeddedStore } from '../storage/embedded/embedded.ts';
import { prepareSchema } from '../storage/migrate.ts';
import { createIngest, createRootTable, type Ingest, restoreRoots } from './index.ts';

const NUMBERS = new Set(['seconds', 'micros', 'u8', 'u16', 'u32', 'i32', 'f32']);
const LISTS = new Set(['texts', 'categories', 'floats', 'ids']);

type Row = RowOf<(typeof l7FlowLog)['columns']>;

function rowOf(values: Partial<Row>): Row {
  const empty = Object.entries(l7FlowLog.columns).map(([name, { kind }]) => {
    if (NUMBERS.has(kind)) return [name, 0];
    if (LISTS.has(kind)) return [name, []];
    return [name, kind === 'id' ? 0n : ''];
  });
  // Every column got the empty value of its kind.
  return { ...(Object.fromEntries(empty) as Row), time: Math.floor(Date.now() / 1e3), ...values };
}

function blockOf(rows: readonly Partial<Row>[]): EncodedBlock {
  const batch = createBatch(l7FlowLog);
  for (const row of rows) batch.push(rowOf(row));
  return batch.block();
}

let directory = '';
let store: EmbeddedStore;
const open = (): Promise<Ingest> =>
  createIngest({
    store,
    spoolDir: join(directory, 'spool'),
    roots: createRootTable(),
    now: Date.now,
  });
const countOf = async (where: string): Promise<number> => {
  const { rows } = await store.query(`SELECT count() FROM flow_log.l7_flow_log WHERE ${where}`);
  return Number(rows[0]?.[0]);
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thalweg-ingest-'));
  store = await openEmbeddedStore({ dataDir: directory });
  await prepareSchema(store, TABLES);
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a kept batch is in the store once, whatever the retries and restarts', async () => {
  const body = gzipSync(
    blockOf([{ _id: 1n, request_resource: '/a\n\nDROP TABLE x' }, { _id: 2n }]).bytes,
  );
  const origin = { agent: 'a', token: 'batch-1', encoding: 'gzip' as const };
  const first = await open();
  const kept = { status: 'kept', rows: 2, dropped: 0 };
  expect(await first.accept('l7_flow_log', body, origin)).toEqual(kept);
  expect(await first.accept('l7_flow_log', body, origin)).toEqual(kept);
  await first.flush();
  await first.close();
  const second = await open();
  expect(await second.accept('l7_flow_log', body, origin)).toEqual(kept);
  await second.close();
  expect(await countOf('_id IN (1, 2)')).toBe(2);
});

test('batches kept before the store was killed are inserted after its restart', async () => {
  const ingest = await open();
  const ids: bigint[] = [];
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10; i++) {
      const id = BigInt(1_000 + round * 100 + i);
      ids.push(id);
      const body = blockOf([{ _id: id }]).bytes;
      const answer = await ingest.accept('l7_flow_log', body, { agent: 'a', token: `kill-${id}` });
      expect(answer.status).toBe('kept');
    }
    const inserted = ingest.flush().catch(() => undefined);
    const pid = store.pid();
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    await inserted;
    await expect
      .poll(
        () =>
          ingest.flush().then(
            () => 'done',
            () => 'away',
          ),
        { timeout: 30_000 },
      )
      .toBe('done');
  }
  await ingest.close();
  expect(await countOf(`_id IN (${ids.join(',')})`)).toBe(ids.length);
});

test('rows that a late link joins have one root after aliases; a restart does not forget it', async () => {
  const ingest = await open();
  const send = (token: string, row: Partial<Row>): Promise<unknown> =>
    ingest.accept('l7_flow_log', blockOf([row]).bytes, { agent: 'a', token });
  await send('r1', { _id: 51n, wire_id: 501n, parent_wire_id: 500n, link_probability: 0.99 });
  await send('r2', { _id: 52n, wire_id: 499n });
  await send('r3', { _id: 53n, wire_id: 500n, parent_wire_id: 499n, link_probability: 0.95 });
  await ingest.flush();
  await ingest.close();
  const { rows } = await store.query(
    'SELECT old_root_hash, new_root_hash FROM flow_log.trace_alias',
  );
  expect(rows).toContainEqual(['500', '499']);
  const roots = createRootTable();
  await restoreRoots(store, roots, Math.floor(Date.now() / 1e3), 900);
  const late = {
    rows: 1,
    wireIds: Uint32Array.of(502, 0),
    parentWireIds: Uint32Array.of(501, 0),
    probabilities: Float32Array.of(1),
    traceKeys: Uint32Array.of(0, 0),
    rowIds: Uint32Array.of(54, 0),
  };
  expect([...roots.rootsOf(late, Math.floor(Date.now() / 1e3))]).toEqual([499n]);
});

test('batches of this process are kept all or none; rows out of time are left out and counted', async () => {
  const ingest = await open();
  const table = l7FlowLog.name;
  const good = { table, block: blockOf([{ _id: 71n }, { _id: 72n, time: 1 }]) };
  const more = { table, block: blockOf([{ _id: 73n }]) };
  const late = { table, block: blockOf([{ _id: 74n, time: 1 }]) };
  const bad = { ...good, table: 'nope' };
  expect(await ingest.keep([more, bad])).toMatchObject({ status: 'refused' });
  expect(await ingest.keep([late])).toMatchObject({ code: 'time_out_of_range' });
  expect(await ingest.keep([good, late, more])).toMatchObject({ status: 'kept', dropped: 2 });
  expect(ingest.counters()).toMatchObject({ rows: 2, rowsDropped: 2 });
  await ingest.flush();
  await ingest.close();
  const { rows } = await store.query(
    'SELECT _id FROM flow_log.l7_flow_log WHERE _id BETWEEN 71 AND 74 ORDER BY _id',
  );
  expect(rows).toEqual([['71'], ['73']]);
});

test('rows that queries find without the store wait for a larger insert', async () => {
  const ingest = await createIngest({
    store,
    spoolDir: join(directory, 'spool'),
    roots: createRootTable(),
    limits: { flushMs: 20, heldFlushMs: 600_000 },
    heldTables: [prometheusSamples.name],
    now: Date.now,
  });
  const samples = createBatch(prometheusSamples);
  samples.push({ id: 1n, ts: Date.now(), value: 1 });
  const table = l7FlowLog.name;
  await ingest.keep([{ table: prometheusSamples.name, block: samples.block() }]);
  await ingest.keep([{ table, block: blockOf([{ _id: 81n }, { _id: 82n }]) }]);
  const ofSamples = async (): Promise<unknown> => {
    const { rows } = await store.query('SELECT count() FROM prometheus.samples WHERE id = 1');
    return rows[0]?.[0];
  };
  await expect.poll(() => countOf('_id IN (81, 82)'), { timeout: 20_000 }).toBe(2);
  expect(await ofSamples()).toBe('0');
  await ingest.flush();
  expect(await ofSamples()).toBe('1');
  await ingest.close();
});

test('what cannot be kept is refused with a stable code and counted', async () => {
  const ingest = await open();
  const origin = { agent: 'a', token: 'bad' };
  const old = blockOf([{ time: 1 }]).bytes;
  const garbage = new Uint8Array([200, 1, 1, 2, 3]);
  const codes = [
    await ingest.accept('l7_flow_log', garbage, origin),
    await ingest.accept('l7_flow_log', old, origin),
    await ingest.accept('nope', old, origin),
    await ingest.accept('l7_flow_log', old, { ...origin, token: 'a b' }),
    await ingest.accept('l7_flow_log', old, { ...origin, encoding: 'gzip' }),
  ].map((answer) => (answer.status === 'refused' ? answer.code : answer.status));
  expect(codes).toEqual([
    'block_truncated',
    'time_out_of_range',
    'table_unknown',
    'token_invalid',
    'body_not_gzip',
  ]);
  await ingest.close();
});
