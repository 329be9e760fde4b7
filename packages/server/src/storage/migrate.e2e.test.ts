import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStatements, l7FlowLog, TABLES, traceIndex } from '@thalweg/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillTraceIndex } from '../ingest/index.ts';
import { readTrace } from '../traces/trace.ts';
import { type EmbeddedStore, openEmbeddedStore } from './embedded/embedded.ts';
import { prepareSchema } from './migrate.ts';

let directory = '';
let store: EmbeddedStore;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thalweg-migrate-'));
  store = await openEmbeddedStore({ dataDir: directory });
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

test('a table of an older version is taken up: columns, codecs, types, and its traces are found', async () => {
  const { orderBySeconds: _seconds, ...rest } = l7FlowLog;
  const { events: _events, ...columns } = l7FlowLog.columns;
  for (const statement of createStatements({ ...rest, columns, orderBy: ['root_hash'] })) {
    const older = statement
      .replaceAll(/Delta, |GCD, T64, /g, '')
      .replace('Array(LowCardinality(String))', 'Array(String)');
    await store.execute(older);
  }
  await store.execute(
    `INSERT INTO flow_log.l7_flow_log (_id, time, start_time, wire_id, root_hash, trace_id, attribute_names, attribute_values)
     SELECT number + 1, now() - 7200 * number, now64(6), number + 70, 90, 'ab12', ['k'], ['v']
     FROM numbers(2)`,
  );
  const { root_hash: _root, ...indexColumns } = traceIndex.columns;
  for (const statement of createStatements({ ...traceIndex, columns: indexColumns })) {
    await store.execute(statement);
  }
  await store.execute('INSERT INTO flow_log.trace_index (key, time) SELECT 90, now()');
  await prepareSchema(store, TABLES);
  await store.execute(
    'INSERT INTO flow_log.trace_alias (time, old_root_hash, new_root_hash) SELECT now() - 9000, 90, 95',
  );
  await fillTraceIndex(store);
  await fillTraceIndex(store);
  const codecs = await store.query(
    `SELECT name, compression_codec FROM system.columns
     WHERE table = 'l7_flow_log' AND name IN ('events', 'time') ORDER BY name`,
  );
  expect(codecs.rows).toEqual([
    ['events', 'CODEC(ZSTD(1))'],
    ['time', 'CODEC(Delta(4), ZSTD(1))'],
  ]);
  const { rows: attributes } = await store.query(
    `SELECT DISTINCT toTypeName(attribute_names), attribute_names, attribute_values[indexOf(attribute_names, 'k')]
     FROM flow_log.l7_flow_log`,
  );
  expect(attributes).toEqual([['Array(LowCardinality(String))', ['k'], 'v']]);
  for (const id of ['90', '95', '70', '71', '1', '2', `${'0'.repeat(30)}5a`]) {
    const { traceId, spans } = await readTrace(store, id);
    expect([traceId, spans.length]).toEqual(['95', 2]);
  }
});
