import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from '../storage/embedded/embedded.ts';
import { addTempoRoutes } from './tempo-routes.ts';

/** Rows of a minute ago, more than any search comes to the end of. */
const ENDLESS_TABLE = `CREATE VIEW flow_log.l7_flow_log AS
  SELECT toUInt64(1) AS root_hash, now('UTC') - 60 AS time,
    now64(6, 'UTC') - toIntervalSecond(60) AS start_time
  FROM numbers(1000000000000)`;

test('a client that leaves a Tempo search ends its query in the engine', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'thalweg-tempo-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const store = await openEmbeddedStore({ dataDir });
  onTestFinished(() => store.close());
  await store.execute('CREATE DATABASE flow_log');
  await store.execute(ENDLESS_TABLE);
  const running = async (): Promise<number> => {
    const { rows } = await store.query(
      `SELECT count() FROM system.processes
       WHERE position(query, 'l7_flow_log') > 0 AND position(query, 'system.processes') = 0`,
    );
    return Number(rows[0]?.[0]);
  };
  const app = fastify({ forceCloseConnections: true });
  onTestFinished(() => app.close());
  addTempoRoutes(app, { store, now: Date.now, version: 'test' });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const client = new AbortController();
  const search = `${url}/tempo/api/search?q=${encodeURIComponent('{ }')}`;
  const asked = fetch(search, { signal: client.signal }).catch(() => 'gone');
  await expect.poll(running, { timeout: 20_000 }).toBe(1);
  client.abort();
  expect(await asked).toBe('gone');
  await expect.poll(running, { timeout: 15_000 }).toBe(0);
});
