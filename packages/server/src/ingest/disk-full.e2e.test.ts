import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBatch, type EncodedBlock, l7FlowLog, TABLES } from '@thalweg/model';
import { expect, onTestFinished, test } from 'vitest';
import { openEmbeddedStore } from '../storage/embedded/embedded.ts';
import { prepareSchema } from '../storage/migrate.ts';
import { createIngest, createRootTable } from './index.ts';

const BATCH_ROWS = 500;
const DISK_BYTES = 2 ** 20;

/** Rows that do not compress away, ids from `first` on. */
function blockOf(first: number): EncodedBlock {
  const batch = createBatch(l7FlowLog);
  const time = Math.floor(Date.now() / 1e3);
  for (let at = 0; at < BATCH_ROWS; at += 1) {
    batch.add((columns) => {
      for (const [name, { kind, ...column }] of Object.entries(l7FlowLog.columns)) {
        if ('origin' in column) continue;
        const value = {
          seconds: time,
          id: BigInt(first + at),
          text: `/${'x'.repeat(80)}`,
          category: '',
          texts: [],
          floats: [],
          ids: [],
        } as const;
        // Each column's sink takes a value of the column's kind.
        const sink = columns[name as keyof typeof columns] as { push(value: unknown): void };
        sink.push(kind in value ? value[kind as keyof typeof value] : 0);
      }
    });
  }
  return batch.block();
}

const hasMount = ((): boolean => {
  const probe = mkdtempSync(join(tmpdir(), 'thalweg-mount-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe]);
  if (status === 0) spawnSync('umount', [probe]);
  rmSync(probe, { recursive: true, force: true });
  return status === 0;
})();

test.skipIf(!hasMount)(
  'a full disk is said, keeps nothing of what it refuses, and loses nothing acknowledged (needs the right to mount)',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'thalweg-full-'));
    const spoolDir = join(directory, 'small');
    mkdirSync(spoolDir);
    expect(
      spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', spoolDir]).status,
    ).toBe(0);
    onTestFinished(() => {
      spawnSync('umount', ['-l', spoolDir]);
      rmSync(directory, { recursive: true, force: true });
    });
    const store = await openEmbeddedStore({ dataDir: directory, spoolDirs: [spoolDir] });
    onTestFinished(() => store.close());
    await prepareSchema(store, TABLES);
    const open = () =>
      createIngest({
        store,
        spoolDir,
        roots: createRootTable(),
        limits: { flushMs: 600_000 },
        now: Date.now,
      });
    let ingest = await open();
    const send = (at: number) => {
      const origin = { agent: 'a', token: `batch-${at}` };
      return ingest.accept('l7_flow_log', blockOf(1 + at * BATCH_ROWS).bytes, origin);
    };
    let kept = 0;
    let answer = await send(kept);
    for (; answer.status === 'kept' && kept < 100; answer = await send(kept)) kept += 1;
    expect(answer).toMatchObject({ status: 'busy', code: 'disk_full' });
    expect(kept).toBeGreaterThan(0);
    const block = blockOf(1 + kept * BATCH_ROWS);
    const again = await ingest.keep([{ table: 'l7_flow_log', block }]);
    expect(again.status).toBe('busy');
    expect(ingest.counters().lastError).toMatch(/ENOSPC/);

    // A restart on the full disk finds all of it; the inserts make room again.
    await ingest.close();
    writeFileSync(join(spoolDir, 'x'), 'x');
    ingest = await open();
    expect(await send(0)).toMatchObject({ status: 'kept', rows: BATCH_ROWS });
    await ingest.flush();
    expect(await send(kept)).toMatchObject({ status: 'kept' });
    await ingest.flush();
    await ingest.close();
    const { rows } = await store.query(
      'SELECT count(), uniqExact(_id), max(_id) FROM flow_log.l7_flow_log',
    );
    const all = String((kept + 1) * BATCH_ROWS);
    expect(rows).toEqual([[all, all, all]]);
  },
);
