import {
  type Batch,
  createBatch,
  prometheusExemplars,
  prometheusHistograms,
  prometheusMetadata,
  prometheusSamples,
  prometheusSeries,
} from '@thalweg/model';
import type { FlatLabels } from '@thalweg/wire';
import type { MetadataEntry } from './metric-metadata.ts';
import { createSampleColumns, type SampleColumns } from './sample-columns.ts';
import type { SeriesCache } from './series-cache.ts';
import type { TableBatch } from './telemetry-sink.ts';

/** Rows of the metric tables in the making; one set, used again by each request. */
export interface MetricTables {
  series(series: number, timeS: number): void;
  sample(series: number, timestampMs: number, low: number, high: number): void;
  histogram(series: number, timestampMs: number, message: Uint8Array): void;
  exemplar(series: number, timestampMs: number, value: number, labels: FlatLabels): void;
  metadata(entry: MetadataEntry, timeS: number): void;
  /** All rows, encoded, and empty tables. Series first: no sample is seen without its labels. */
  take(): TableBatch[];
  /** Memory of samples that were taken, or as good: later ones may have it. */
  release(memory: readonly ArrayBuffer[]): void;
  clear(): void;
}

interface Pushed extends Pick<SampleColumns, 'rows' | 'isFull' | 'block' | 'clear'> {
  readonly name: string;
}

export function createMetricTables(cache: SeriesCache): MetricTables {
  const series = createBatch(prometheusSeries);
  const samples = createSampleColumns();
  const histograms = createBatch(prometheusHistograms);
  const exemplars = createBatch(prometheusExemplars);
  const metadata = createBatch(prometheusMetadata);
  const all: readonly Pushed[] = [
    pushed(prometheusSeries.name, series),
    { name: prometheusSamples.name, ...samples },
    pushed(prometheusHistograms.name, histograms),
    pushed(prometheusExemplars.name, exemplars),
    pushed(prometheusMetadata.name, metadata),
  ];
  let full: TableBatch[] = [];

  function room(at: number): void {
    const one = all[at];
    if (one?.isFull() === true) encode(one);
  }

  function encode({ name, rows, block, clear }: Pushed): void {
    if (rows() === 0) return;
    full.push({ table: name, block: block() });
    clear();
  }

  const idOf = (one: number): bigint => {
    const { idLow, idHigh } = cache.columns();
    return (BigInt(idHigh[one] ?? 0) << 32n) | BigInt(idLow[one] ?? 0);
  };
  return {
    series: (one, time) => {
      room(0);
      const { metric, labelNames, labelValues } = cache.entryOf(one);
      const labels = { label_names: labelNames, label_values: labelValues };
      series.push({ time, id: idOf(one), metric, ...labels });
    },
    sample: (one, timestampMs, valueLow, valueHigh) => {
      if (samples.isFull()) room(1);
      const { idLow, idHigh } = cache.columns();
      samples.push(idLow[one] as number, idHigh[one] as number, timestampMs, valueLow, valueHigh);
    },
    histogram: (one, ts, histogram) => {
      room(2);
      histograms.push({ id: idOf(one), ts, histogram });
    },
    exemplar: (one, ts, value, labels) => {
      room(3);
      exemplars.push({
        id: idOf(one),
        ts,
        value,
        label_names: labels.filter((_, at) => at % 2 === 0),
        label_values: labels.filter((_, at) => at % 2 === 1),
      });
    },
    metadata: ({ family, type, help, unit }, time) => {
      room(4);
      metadata.push({ time, metric: family, type, help, unit });
    },
    take: () => {
      for (const one of all) encode(one);
      const taken = full;
      full = [];
      return taken;
    },
    release: (memory) => {
      for (const buffer of memory) samples.release(buffer);
    },
    clear: () => {
      full = [];
      for (const { clear } of all) clear();
    },
  };
}

function pushed(name: string, batch: Batch<never>): Pushed {
  const { block, clear } = batch;
  return { name, block, clear, rows: () => batch.rows, isFull: () => batch.isFull };
}
