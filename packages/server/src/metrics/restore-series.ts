import { idsOf, prometheusSeries, valuesOf } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { type LiveSeries, labelsOfRow } from './live-series.ts';
import { answerShape, blocksOf } from './native-answer.ts';

const SERIES = answerShape({
  id: 'id',
  metric: 'text',
  label_names: 'texts',
  label_values: 'texts',
  first_s: 'u32',
  last_s: 'u32',
});
const SAMPLES = answerShape({ id: 'id', ts: 'millis', value: 'f64' });
const IDS = answerShape({ id: 'id' });
const LIMITS = { timeoutMs: 120_000, memoryBytes: 2 * 2 ** 30, rowsMax: 20_000_000 };
/** A series' row is written once for each hour in which samples came. */
const ROW_GRAIN_MS = 3_600_000;
/** Of a restart: two seconds of reading, and half of the head. */
const HEAD_SAMPLES_MAX = 8_000_000;

/**
 * Fills the index from the store, and the head with its newest samples. Call it when the spool of an
 * earlier run is inserted: the head would lack what is still in there. Rejects with `StoreError`.
 */
export async function restoreSeries(
  store: Store,
  live: LiveSeries,
  options: { readonly nowMs: number; readonly windowMs: number },
): Promise<void> {
  await restoreIndex(store, live, 0);
  const head = live.head;
  if (head === undefined) return;
  const fromMs = await headStart(store, options);
  // Before the samples: what is older is not taken.
  head.completeFrom(fromMs);
  const answer = await store.queryNative(
    `SELECT id, ts, value FROM prometheus.samples
     WHERE ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') ORDER BY id, ts`,
    { params: { from: fromMs }, limits: LIMITS },
  );
  for (const block of blocksOf(SAMPLES, answer)) live.restoreSamples(block);
}

/** Series that had samples since `sinceS` (seconds, to the hour): 0 for all. */
export async function restoreIndex(store: Store, live: LiveSeries, sinceS: number): Promise<void> {
  const answer = await store.queryNative(
    `SELECT id, toString(any(metric)) AS metric, any(label_names) AS label_names,
       any(label_values) AS label_values, toUInt32(min(time)) AS first_s, toUInt32(max(time)) AS last_s
     FROM prometheus.${prometheusSeries.name}
     WHERE time >= toDateTime({since:UInt32}) GROUP BY id`,
    { params: { since: sinceS }, limits: LIMITS },
  );
  for (const block of blocksOf(SERIES, answer)) {
    const [metrics, names] = [valuesOf(block, 'metric'), valuesOf(block, 'label_names')];
    const values = valuesOf(block, 'label_values');
    const [first, last] = [valuesOf(block, 'first_s'), valuesOf(block, 'last_s')];
    idsOf(block, 'id').forEach((id, row) => {
      live.restore({
        id,
        // Of kind `texts`.
        labels: labelsOfRow(
          String(metrics[row]),
          names[row] as readonly string[],
          values[row] as readonly string[],
        ),
        firstMs: Number(first[row]) * 1e3,
        lastMs: Number(last[row]) * 1e3 + ROW_GRAIN_MS,
      });
    });
  }
  const histograms = await store.queryNative('SELECT DISTINCT id FROM prometheus.histograms', {
    limits: LIMITS,
  });
  for (const block of blocksOf(IDS, histograms)) live.restoreHistogramIds(idsOf(block, 'id'));
}

/** From when on the head's budget for a restart takes all samples: by the minute. */
async function headStart(
  store: Store,
  { nowMs, windowMs }: { readonly nowMs: number; readonly windowMs: number },
): Promise<number> {
  const { rows } = await store.query(
    `SELECT toUnixTimestamp(toStartOfMinute(ts)) AS minute, count() FROM prometheus.samples
     WHERE ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
     GROUP BY minute ORDER BY minute DESC`,
    { params: { from: nowMs - windowMs }, limits: LIMITS },
  );
  let samples = 0;
  for (const [minute, count] of rows) {
    samples += Number(count);
    if (samples > HEAD_SAMPLES_MAX) return (Number(minute) + 60) * 1e3;
  }
  return nowMs - windowMs;
}
