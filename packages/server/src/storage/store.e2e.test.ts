import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { openClickHouseStore } from './clickhouse/clickhouse.ts';
import { openEmbeddedStore } from './embedded/embedded.ts';
import { testStore } from './test-store.ts';

const folders: string[] = [];
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'thalweg-contract-'));
  folders.push(made);
  return made;
}
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

testStore('embedded, over a unix socket', async () => {
  const dataDir = folder();
  return { store: await openEmbeddedStore({ dataDir }), fileDir: join(dataDir, 'spool') };
});

testStore("clickhouse by URL: the child's own door over TCP", async () => {
  const child = await openEmbeddedStore({ dataDir: folder(), port: 0 });
  const remote = await openClickHouseStore({ url: child.url ?? '' });
  const store = { ...remote, close: () => child.close() };
  return { store, fileDir: folder() };
});

const given = process.env['THALWEG_TEST_CLICKHOUSE_URL'];
if (given === undefined) {
  test.skip('clickhouse of the tester: THALWEG_TEST_CLICKHOUSE_URL names none', () => undefined);
} else {
  testStore(`clickhouse at ${given}`, async () => ({
    store: await openClickHouseStore({ url: given }),
    fileDir: folder(),
  }));
}
