import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRunFolder } from '@thalweg/demo';
import { ServerSettings, startServer } from '@thalweg/server';
import { type Bench, median } from './report.ts';
import { shopBatch } from './shop-rows.ts';

/** From an agent's batches over HTTP to rows that a query sees, with nothing acknowledged lost. */
const BATCH_ROWS = 10_000;
const IN_FLIGHT = 4;
const WANTED_PER_S = 80_000;
const WANTED_BYTES_PER_ROW = 60;
const VISIBLE_MS_MAX = 60_000;

export const ingest: Bench = async ({ isQuick, signal, progress }) => {
  const runs = isQuick ? 1 : 5;
  const batchesPerRun = isQuick ? 2 : 30;
  const temporary = makeRunFolder('bench');
  const folder = temporary.path;
  const server = await startServer(ServerSettings.parse({ port: 0, data_dir: folder }), {
    version: 'bench',
    logLevel: 'silent',
  });
  try {
    const speeds: number[] = [];
    let sent = 0;
    let visible = 0;
    for (let run = 0; run < runs && !signal.aborted; run += 1) {
      const bodies: Buffer[] = [];
      for (let at = 0; at < batchesPerRun; at += 1)
        bodies.push(await shopBatch(run * 1_000 + at, BATCH_ROWS));
      const startMs = performance.now();
      sent += await send(server.url, run, bodies);
      visible = await rowsVisible(server.url, sent);
      const speed = (batchesPerRun * BATCH_ROWS) / ((performance.now() - startMs) / 1e3);
      speeds.push(speed);
      progress(`run ${run + 1} of ${runs}: ${Math.round(speed)} rows/s`);
    }
    const value = median(speeds);
    const bytes = bytesOf(folder) / Math.max(1, visible);
    const row = { case: 'http-to-visible' };
    return [
      {
        ...row,
        metric: 'rows_per_s',
        unit: '1/s',
        value,
        reference: WANTED_PER_S,
        ratio: value / WANTED_PER_S,
      },
      {
        ...row,
        metric: 'bytes_per_row',
        unit: 'bytes',
        value: bytes,
        reference: WANTED_BYTES_PER_ROW,
        ratio: bytes / WANTED_BYTES_PER_ROW,
      },
      { ...row, metric: 'lost', unit: 'rows', value: sent - visible, reference: 0 },
    ];
  } finally {
    await server.close();
    temporary.remove();
  }
};

/** Posts all batches, a few at once; a refusal for now (503) is sent again. */
async function send(url: string, run: number, bodies: readonly Buffer[]): Promise<number> {
  let next = 0;
  let rows = 0;
  const post = async (): Promise<void> => {
    for (let at = next++; at < bodies.length; at = next++) {
      for (;;) {
        const answer = await fetch(new URL('/api/ingest/l7_flow_log', url), {
          method: 'POST',
          body: bodies[at] ?? null,
          headers: {
            'content-type': 'application/octet-stream',
            'content-encoding': 'gzip',
            'x-thalweg-agent': 'bench',
            'x-thalweg-token': `bench-${run}-${at}`,
          },
        });
        const text = await answer.text();
        if (answer.ok) break;
        if (answer.status !== 503) throw new Error(`ingest answered ${answer.status}: ${text}`);
        await sleep(100);
      }
      rows += BATCH_ROWS;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, post));
  return rows;
}

async function rowsVisible(url: string, wanted: number): Promise<number> {
  const deadline = Date.now() + VISIBLE_MS_MAX;
  for (;;) {
    const answer = await fetch(new URL('/v1/query/', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql: 'SELECT Count(row) AS n FROM l7_flow_log' }),
    });
    const told = (await answer.json()) as { result: { values: unknown[][] } }; // Our own server's.
    const rows = Number(told.result.values[0]?.[0]);
    if (rows >= wanted || Date.now() > deadline) return rows;
    await sleep(50);
  }
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/spool'))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
