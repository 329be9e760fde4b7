import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from '../storage/embedded/embedded.ts';
import { untilGone } from './until-gone.ts';

test("a client that closes its connection ends its request's query in the engine", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'thalweg-gone-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const store = await openEmbeddedStore({ dataDir });
  onTestFinished(() => store.close());
  const marker = `gone-${randomUUID()}`;
  const sql = `SELECT count() FROM numbers(1000000000000) WHERE toString(number) = '${marker}'`;
  const app = fastify({ forceCloseConnections: true });
  onTestFinished(() => app.close());
  app.get('/', (_request, reply) =>
    untilGone(store, reply).query(sql, { limits: { timeoutMs: 120_000 } }),
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const running = async (): Promise<number> => {
    const { rows } = await store.query(
      `SELECT count() FROM system.processes
       WHERE position(query, {marker:String}) > 0 AND position(query, 'system.processes') = 0`,
      { params: { marker } },
    );
    return Number(rows[0]?.[0]);
  };
  const client = new AbortController();
  const asked = fetch(url, { signal: client.signal }).catch(() => 'gone');
  await expect.poll(running, { timeout: 20_000 }).toBe(1);
  client.abort();
  expect(await asked).toBe('gone');
  await expect.poll(running, { timeout: 20_000 }).toBe(0);
});
