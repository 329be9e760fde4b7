import { BLOCK_LIMITS } from '@thalweg/model';
import { decodeHistogram, decodeLabels, type FlatLabels } from '@thalweg/wire';
import type { IntakeTime } from './metric-intake.ts';
import { familyOf, type MetadataCache } from './metric-metadata.ts';
import type { MetricTables } from './metric-tables.ts';
import type { MetricBatch, MetricRefusal } from './metric-writer.ts';
import {
  type Refusal,
  SERIES_LIMITS,
  type SeriesCache,
  type SeriesEntry,
  type SeriesRefusal,
} from './series-cache.ts';

const HOUR_MS = 3_600_000;
/** Clocks differ; a sample from later than this is a wrong clock. As ingest has it. */
const FUTURE_MS = 600_000;
const EXEMPLAR_LABELS_LENGTH_MAX = 2_048;
const HELP_LENGTH_MAX = 8_192;
const UNIT_LENGTH_MAX = 256;

/** What one request's metrics come to. */
export interface MetricRequest {
  readonly counts: { samples: number; histograms: number; exemplars: number; outOfOrder: number };
  readonly refused: Partial<Record<MetricRefusal, number>>;
  firstRefusal: Refusal<MetricRefusal> | undefined;
  /** Series whose row it writes, each with the hour and the entry that it had then. */
  readonly withRow: number[];
  readonly rowHours: number[];
  readonly rowEntries: SeriesEntry[];
  readonly saidMetadata: (() => void)[];
}

/**
 * Takes requests' metrics, one request after the other. One set of functions for all of them: ones made
 * anew for each request kept the compiler busy.
 */
export interface MetricRequests {
  /** What is pushed belongs to the request that began last. */
  readonly batch: MetricBatch;
  begin(time: IntakeTime): MetricRequest;
  /** Its rows are on disk: what they say need not be said again in this hour. */
  settle(request: MetricRequest): void;
}

/** Hot: nothing is allocated for a sample of a known series. */
export function createMetricRequests({
  series,
  metadata,
  tables,
}: {
  readonly series: SeriesCache;
  readonly metadata: MetadataCache;
  readonly tables: MetricTables;
}): MetricRequests {
  let request = emptyRequest();
  let { counts } = request;
  /** Of the request: different for each. */
  let number = 0;
  let nowMs = 0;
  let oldestMs = 0;
  let newestMs = 0;
  /** The series that began last; -1: one that was refused. */
  let current = -1;
  const key: { view: DataView; start: number; end: number } = {
    view: new DataView(new ArrayBuffer(0)),
    start: 0,
    end: 0,
  };
  let bufferOf: Uint8Array | undefined;

  function begin(time: IntakeTime): MetricRequest {
    request = emptyRequest();
    counts = request.counts;
    number += 1;
    nowMs = time.nowMs;
    oldestMs = nowMs - time.retentionHours * HOUR_MS;
    newestMs = nowMs + FUTURE_MS;
    current = -1;
    return request;
  }

  function refuse(refusal: Refusal<MetricRefusal>): void {
    const { refused } = request;
    refused[refusal.code] = (refused[refusal.code] ?? 0) + 1;
    request.firstRefusal ??= refusal;
  }

  /** A series that is not known yet. */
  function addSeries(labels: FlatLabels | undefined): boolean {
    const added: number | Refusal<SeriesRefusal> =
      labels === undefined
        ? { code: 'labels_invalid', message: 'malformed labels' }
        : series.add(key, labels);
    if (typeof added === 'number') current = added;
    else refuse(added);
    return current >= 0;
  }

  function seriesBytes(bytes: Uint8Array, start: number, end: number): boolean {
    if (bufferOf !== bytes) {
      key.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      bufferOf = bytes;
    }
    key.start = start;
    key.end = end;
    current = series.get(key);
    return current >= 0 || addSeries(decodeLabels(bytes, start, end));
  }

  function seriesAgain(view: DataView, start: number, end: number): number {
    const length = series.follow(view, start, end);
    if (length === 0) return -1;
    current = series.followed();
    return start + length;
  }

  function seriesLabels(labels: FlatLabels): boolean {
    const bytes = Buffer.from(keyOf(labels));
    key.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    bufferOf = undefined;
    key.start = 0;
    key.end = bytes.length;
    current = series.get(key);
    return current >= 0 || addSeries(labels);
  }

  /** Whether the time is one that is kept; writes the series' row where it is not on disk yet. */
  function admit(one: number, timestampMs: number): boolean {
    if (timestampMs < oldestMs) {
      refuse({ code: 'sample_too_old', message: `a sample of ${shownTime(timestampMs)}` });
      return false;
    }
    if (timestampMs > newestMs) {
      refuse({ code: 'sample_in_future', message: `a sample of ${shownTime(timestampMs)}` });
      return false;
    }
    const hour = Math.floor(timestampMs / HOUR_MS);
    const { rowHour, pendingRequest, pendingHour } = series.columns();
    if (rowHour[one] === hour) return true;
    if (pendingRequest[one] === number && pendingHour[one] === hour) return true;
    pendingRequest[one] = number;
    pendingHour[one] = hour;
    request.withRow.push(one);
    request.rowHours.push(hour);
    request.rowEntries.push(series.entryOf(one));
    tables.series(one, Math.floor(timestampMs / 1e3));
    return true;
  }

  function sample(timestampMs: number, low: number, high: number): void {
    const one = current;
    if (one < 0 || !admit(one, timestampMs)) return;
    const { lastMs, lastLow, lastHigh } = series.columns();
    const beforeMs = lastMs[one] ?? 0;
    if (timestampMs > beforeMs) {
      lastMs[one] = timestampMs;
      lastLow[one] = low;
      lastHigh[one] = high;
    } else if (timestampMs < beforeMs) counts.outOfOrder += 1;
    else if (lastLow[one] !== low || lastHigh[one] !== high) {
      const message = `${nameOf(one)} has another value at ${shownTime(timestampMs)}`;
      refuse({ code: 'sample_duplicate', message });
      return;
    }
    tables.sample(one, timestampMs, low, high);
    counts.samples += 1;
  }

  function histogramMessage(timestampMs: number, message: Uint8Array): void {
    const one = current;
    if (one < 0) return;
    const isTooLarge = message.length > BLOCK_LIMITS.textBytesMax;
    if (isTooLarge || decodeHistogram(message) === undefined) {
      const why = isTooLarge ? `${message.length} bytes` : 'spans and counts disagree';
      refuse({ code: 'histogram_invalid', message: `a histogram of ${nameOf(one)}: ${why}` });
      return;
    }
    if (!admit(one, timestampMs)) return;
    tables.histogram(one, timestampMs, message);
    counts.histograms += 1;
  }

  const nameOf = (one: number): string => series.entryOf(one).metric;
  const halves = new Uint32Array(2);
  const double = new Float64Array(halves.buffer);
  return {
    begin,
    settle: ({ withRow, rowHours, rowEntries, saidMetadata }) => {
      const { rowHour } = series.columns();
      withRow.forEach((one, at) => {
        // Its number may be another series' by now.
        if (series.entryOf(one) === rowEntries[at]) rowHour[one] = rowHours[at] ?? -1;
      });
      for (const said of saidMetadata) said();
    },
    batch: {
      seriesAgain,
      seriesBytes,
      seriesLabels,
      sample,
      number: (timestampMs, value) => {
        double[0] = value;
        sample(timestampMs, halves[0] ?? 0, halves[1] ?? 0);
      },
      histogram: (timestampMs, bytes, start, end) =>
        histogramMessage(timestampMs, bytes.subarray(start, end)),
      histogramMessage,
      exemplar: (timestampMs, value, labels) => {
        const one = current;
        if (one < 0) return;
        if (labels.reduce((sum, { length }) => sum + length, 0) > EXEMPLAR_LABELS_LENGTH_MAX) {
          refuse({
            code: 'exemplar_invalid',
            message: `an exemplar of ${nameOf(one)} is too long`,
          });
          return;
        }
        if (!admit(one, timestampMs)) return;
        tables.exemplar(one, timestampMs, value, labels);
        counts.exemplars += 1;
      },
      metadata: (metric, type, help, unit) => {
        const family = metric === '' ? familyOf(current < 0 ? '' : nameOf(current), type) : metric;
        if (family === '' || family.length > SERIES_LIMITS.labelValueLengthMax) return;
        const said = {
          family,
          type,
          help: help.slice(0, HELP_LENGTH_MAX),
          unit: unit.slice(0, UNIT_LENGTH_MAX),
        };
        const settle = metadata.isNew(said, Math.floor(nowMs / HOUR_MS));
        if (settle === undefined) return;
        tables.metadata(said, Math.floor(nowMs / 1e3));
        request.saidMetadata.push(settle);
      },
    },
  };
}

const emptyRequest = (): MetricRequest => ({
  counts: { samples: 0, histograms: 0, exemplars: 0, outOfOrder: 0 },
  refused: {},
  firstRefusal: undefined,
  withRow: [],
  rowHours: [],
  rowEntries: [],
  saidMetadata: [],
});

/** Never the spelling of a 1.0 series, which starts with a line feed. */
function keyOf(labels: FlatLabels): string {
  const isPlain = labels.every((label) => !label.includes('\u0000'));
  return isPlain ? `${labels.length} ${labels.join('\u0000')}` : JSON.stringify(labels);
}

function shownTime(timestampMs: number): string {
  const date = new Date(timestampMs);
  return Number.isNaN(date.getTime()) ? `${timestampMs} ms` : date.toISOString();
}
