import { prometheusSamples } from '@thalweg/model';
import type { RemoteWriteSink } from '@thalweg/wire';
import { createMetricIntake, type TakenMetrics } from './metric-intake.ts';
import { declaredHours, type HoursOf } from './retention-hours.ts';
import type { Refusal, SeriesLimits, SeriesRefusal } from './series-cache.ts';
import type { TelemetrySink } from './telemetry-sink.ts';

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

export function createMetricWriter(options: MetricWriterOptions): MetricWriter {
  const { sink, now, hoursOf = declaredHours } = options;
  const intake = createMetricIntake(options.limits);
  const book = createMetricBook(sink);
  return {
    write: async (fill) => {
      const time = { nowMs: now(), retentionHours: hoursOf(prometheusSamples) };
      const taken = intake.take(fill, time);
      return book.keep(taken, taken.settle);
    },
    counters: book.counters,
  };
}

/** Brings what was taken to the sink, and counts. */
export interface MetricBook {
  /** `settle` is told whether it was kept, whatever happens. */
  keep(taken: TakenMetrics, settle: (isKept: boolean) => void): Promise<MetricsWritten>;
  counters(): MetricCounters;
}

export function createMetricBook(sink: TelemetrySink): MetricBook {
  const totals = { samples: 0, histograms: 0, exemplars: 0, outOfOrder: 0 };
  const refusedBy: Partial<Record<MetricRefusal, number>> = {};
  let activeSeries = 0;

  async function keep(
    { fault, batches, counts, refused, firstRefusal, activeSeries: active }: TakenMetrics,
    settle: (isKept: boolean) => void,
  ): Promise<MetricsWritten> {
    activeSeries = active;
    add(refusedBy, refused);
    let isKept = false;
    try {
      if (fault !== '') return { status: 'malformed', message: fault };
      if (batches.length > 0) {
        const kept = await sink.keep(batches);
        if (kept.status !== 'kept') return kept;
      }
      isKept = true;
    } finally {
      settle(isKept);
    }
    add(totals, counts);
    const { samples, histograms, exemplars } = counts;
    const left = Object.values(refused).reduce((sum, one) => sum + one, 0);
    return { status: 'kept', samples, histograms, exemplars, refused: left, firstRefusal };
  }

  return {
    keep,
    counters: () => ({ ...totals, activeSeries, refused: { ...refusedBy } }),
  };
}

function add<Key extends string>(
  sums: Partial<Record<Key, number>>,
  added: Readonly<Partial<Record<Key, number>>>,
): void {
  for (const key of Object.keys(added) as Key[]) sums[key] = (sums[key] ?? 0) + (added[key] ?? 0);
}
