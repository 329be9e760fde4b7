import { makeRunFolder } from '@thalweg/demo';
import { ServerSettings, startServer } from '@thalweg/server';
import { type Bench, median } from './report.ts';
import { rowsVisible, sizeAfterMerges, traceTablesSize, upload } from './server-load.ts';
import { createShop, packed, ROWS_PER_REQUEST } from './shop-rows.ts';

/** From an agent's batches over HTTP to rows that a query sees, with nothing acknowledged lost. */
const BATCH_ROWS = 10_000;
const REQUESTS_PER_S = 2_000;
const WANTED_PER_S = 80_000;
const WANTED_BYTES_PER_ROW = 60;

export const ingest: Bench = async ({ isQuick, signal, progress }) => {
  const runs = isQuick ? 1 : 5;
  const batchesPerRun = isQuick ? 2 : 30;
  const temporary = makeRunFolder('bench');
  const server = await startServer(ServerSettings.parse({ port: 0, data_dir: temporary.path }), {
    version: 'bench',
    logLevel: 'silent',
  });
  const spanS = (runs * batchesPerRun * BATCH_ROWS) / ROWS_PER_REQUEST / REQUESTS_PER_S;
  const shop = createShop({
    seed: 1,
    startUs: (Date.now() / 1e3 - spanS) * 1e6,
    requestsPerS: REQUESTS_PER_S,
    traceIdShare: 0,
  });
  try {
    const speeds: number[] = [];
    let sent = 0;
    let visible = 0;
    for (let run = 0; run < runs && !signal.aborted; run += 1) {
      const uploads = [];
      for (let at = 0; at < batchesPerRun; at += 1) {
        uploads.push(await packed(shop.block(BATCH_ROWS), `bench-${run}-${at}`));
      }
      const startMs = performance.now();
      const rows = await upload(server.url, uploads);
      sent += rows;
      visible = await rowsVisible(server.url, sent);
      const speed = rows / ((performance.now() - startMs) / 1e3);
      speeds.push(speed);
      progress(`run ${run + 1} of ${runs}: ${Math.round(speed)} rows/s`);
    }
    const value = median(speeds);
    const atOnce = (await traceTablesSize(server.url)).bytes / Math.max(1, visible);
    const bytes = (await sizeAfterMerges(server.url)).bytes / Math.max(1, visible);
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
      { ...row, metric: 'bytes_per_row_before_merges', unit: 'bytes', value: atOnce },
      { ...row, metric: 'lost', unit: 'rows', value: sent - visible, reference: 0 },
    ];
  } finally {
    await server.close();
    temporary.remove();
  }
};
