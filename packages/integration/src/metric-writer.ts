import { randomBytes } from 'node:crypto';
import { prometheusSamples } from '@thalweg/model';
import type { RemoteWriteSink } from '@thalweg/wire';
import { createMetadataCache } from './metric-metadata.ts';
import { createMetricRequest } from './metric-request.ts';
import { createMetricTables } from './metric-tables.ts';
import { declaredHours, type HoursOf } from './retention-hours.ts';
import {
  createSeriesCache,
  type Refusal,
  SERIES_LIMITS,
  type SeriesLimits,
  type SeriesRefusal,
} from './series-cache.ts';
import type { TableBatch, TelemetrySink } from './telemetry-sink.ts';

export type SampleRefusal =
  | 'sample_duplicate'
  | 'sample_too_old'
  | 'sample_in_future'
  | 'histogram_invalid'
  | 'exemplar_invalid';
export type MetricRefusal = SeriesRefusal | SampleRefusal;

/** One request's metrics in the making; the methods of `RemoteWriteSink`, and plainer ones. */
export interface MetricBatch extends RemoteWriteSink {
  /** A float sample of the series that began last. */
  number(timestampMs: number, value: number): void;
  /** A native histogram, as the message prometheus.Histogram. */
  histogramMessage(timestampMs: number, message: Uint8Array): void;
}

export interface MetricCounts {
  readonly samples: number;
  readonly histograms: number;
  readonly exemplars: number;
}

export type MetricsWritten =
  | (MetricCounts & {
      readonly status: 'kept';
      /** What was left out, and why the first one was. */
      readonly refused: number;
      readonly firstRefusal: Refusal<MetricRefusal> | undefined;
    })
  | { readonly status: 'malformed'; readonly message: string }
  | { readonly status: 'busy'; readonly retryAfterS: number }
  | { readonly status: 'refused'; readonly code: string; readonly message: string };

export interface MetricCounters extends MetricCounts {
  readonly activeSeries: number;
  /** Samples older than one that their series had before: kept, but dearer. */
  readonly outOfOrder: number;
  readonly refused: Readonly<Partial<Record<MetricRefusal, number>>>;
}

/**
 * Metrics of all senders on their way to the store: series get their ids, rows become batches. For
 * remote write, OTLP and whoever else has samples.
 */
export interface MetricWriter {
  /**
   * `fill` pushes a request's metrics, without waiting in between; it answers what is malformed, or
   * ''. Resolves to `kept` when all that was not refused is on disk; to the rest, nothing is kept.
   */
  write(fill: (batch: MetricBatch) => string): Promise<MetricsWritten>;
  counters(): MetricCounters;
}

export interface MetricWriterOptions {
  readonly sink: TelemetrySink;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** As declared when absent. */
  readonly hoursOf?: HoursOf;
  readonly limits?: Partial<SeriesLimits>;
}

const HOUR_MS = 3_600_000;

export function createMetricWriter(options: MetricWriterOptions): MetricWriter {
  const { sink, now, hoursOf = declaredHours } = options;
  const series = createSeriesCache(
    { ...SERIES_LIMITS, ...options.limits },
    randomBytes(4).readUInt32LE(),
  );
  const metadata = createMetadataCache();
  const refusedBy: Partial<Record<MetricRefusal, number>> = {};
  const totals = { samples: 0, histograms: 0, exemplars: 0, outOfOrder: 0 };
  const tables = createMetricTables(series);
  let requests = 0;
  let rotatedMs = now();

  async function write(fill: (batch: MetricBatch) => string): Promise<MetricsWritten> {
    const nowMs = now();
    if (nowMs - rotatedMs >= HOUR_MS) {
      series.rotate();
      rotatedMs = nowMs;
    }
    requests += 1;
    const request = createMetricRequest({
      series,
      metadata,
      tables,
      nowMs,
      retentionHours: hoursOf(prometheusSamples),
      number: requests,
    });
    let fault: string;
    let batches: TableBatch[];
    try {
      fault = fill(request.batch);
      batches = fault === '' ? tables.take() : [];
    } finally {
      tables.clear();
    }
    count(refusedBy, request.refused);
    if (fault !== '') return { status: 'malformed', message: fault };
    if (batches.length > 0) {
      const kept = await sink.keep(batches);
      tables.release(batches);
      if (kept.status !== 'kept') return kept;
    }
    request.settle();
    totals.samples += request.counts.samples;
    totals.histograms += request.counts.histograms;
    totals.exemplars += request.counts.exemplars;
    totals.outOfOrder += request.counts.outOfOrder;
    const { samples, histograms, exemplars } = request.counts;
    return {
      status: 'kept',
      samples,
      histograms,
      exemplars,
      refused: Object.values(request.refused).reduce((sum, one) => sum + one, 0),
      firstRefusal: request.firstRefusal(),
    };
  }

  return {
    write,
    counters: () => ({ ...totals, activeSeries: series.size, refused: { ...refusedBy } }),
  };
}

function count(
  sums: Partial<Record<MetricRefusal, number>>,
  added: Partial<Record<MetricRefusal, number>>,
): void {
  for (const code of Object.keys(added) as MetricRefusal[]) {
    sums[code] = (sums[code] ?? 0) + (added[code] ?? 0);
  }
}
