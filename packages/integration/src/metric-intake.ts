import { randomBytes } from 'node:crypto';
import { prometheusSamples } from '@thalweg/model';
import { createMetadataCache } from './metric-metadata.ts';
import { createMetricRequests } from './metric-request.ts';
import { createMetricTables } from './metric-tables.ts';
import type { MetricBatch, MetricCounts, MetricRefusal } from './metric-writer.ts';
import {
  createSeriesCache,
  type Refusal,
  SERIES_LIMITS,
  type SeriesLimits,
} from './series-cache.ts';
import type { TableBatch } from './telemetry-sink.ts';

/** One request's metrics as blocks, before anybody keeps them. */
export interface TakenMetrics {
  /** What is malformed, or ''. With a fault there are no blocks. */
  readonly fault: string;
  /** None when all was refused. */
  readonly batches: readonly TableBatch[];
  readonly counts: MetricCounts & { readonly outOfOrder: number };
  readonly refused: Readonly<Partial<Record<MetricRefusal, number>>>;
  readonly firstRefusal: Refusal<MetricRefusal> | undefined;
  readonly activeSeries: number;
}

export interface IntakeTime {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Samples that are older are refused. */
  readonly retentionHours: number;
}

/** Series of many senders get their ids, their rows become blocks: the part that takes the CPU. */
export interface MetricIntake {
  /**
   * `fill` pushes a request's metrics, without waiting in between; it answers what is malformed, or
   * ''. What it throws is thrown, nothing of it kept.
   */
  take(fill: (batch: MetricBatch) => string, time: IntakeTime): Taken;
}

export interface Taken extends TakenMetrics {
  /**
   * Call it once: whether the blocks were kept. Later ones may have their memory from then on, or
   * the `memory` that came back from where they were moved to.
   */
  settle(isKept: boolean, memory?: readonly ArrayBuffer[]): void;
}

const HOUR_MS = 3_600_000;

export function createMetricIntake(limits: Partial<SeriesLimits> = {}): MetricIntake {
  const series = createSeriesCache({ ...SERIES_LIMITS, ...limits }, randomBytes(4).readUInt32LE());
  const metadata = createMetadataCache();
  const tables = createMetricTables(series);
  const requests = createMetricRequests({ series, metadata, tables });
  let rotatedMs: number | undefined;

  function take(fill: (batch: MetricBatch) => string, time: IntakeTime): Taken {
    const { nowMs } = time;
    rotatedMs ??= nowMs;
    if (nowMs - rotatedMs >= HOUR_MS) {
      series.rotate();
      rotatedMs = nowMs;
    }
    const request = requests.begin(time);
    let fault: string;
    let batches: TableBatch[];
    try {
      fault = fill(requests.batch);
      batches = fault === '' ? tables.take() : [];
    } finally {
      tables.clear();
    }
    return {
      fault,
      batches,
      counts: request.counts,
      refused: request.refused,
      firstRefusal: request.firstRefusal,
      activeSeries: series.size(),
      settle: (isKept, memory = memoryOf(batches)) => {
        tables.release(memory);
        if (isKept) requests.settle(request);
      },
    };
  }

  return { take };
}

/** What `settle` may be given back: of the blocks that are large and come all the time. */
export function memoryOf(batches: readonly TableBatch[]): ArrayBuffer[] {
  return batches
    .filter(({ table }) => table === prometheusSamples.name)
    .map(({ block }) => block.bytes.buffer);
}
