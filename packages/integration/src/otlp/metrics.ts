import {
  createExemplar,
  createMetric,
  createPoint,
  FLAG_NO_VALUE,
  type MetricType,
  microsOf,
  type OtlpMetric,
  type OtlpPoint,
  type ProtoCursor,
  type Range,
  readExemplar,
  readMetric,
  readPoint,
  readRecords,
  TEMPORALITY_DELTA,
} from '@thalweg/wire';
import type { MetricBatch, MetricWriter } from '../metric-writer.ts';
import { decodeText } from './decode-text.ts';
import { labelsOf, type MetricResource, metricResource } from './metric-labels.ts';
import { metricName, unitName } from './metric-names.ts';
import { nativeHistogram } from './native-histogram.ts';
import type { Exported, Outcome } from './outcome.ts';

/** Prometheus's stale marker: a NaN of these bits. Source: Prometheus, model/value/value.go. */
const STALE_LOW = 2;
const STALE_HIGH = 0x7ff0_0000;

export function metricExport(
  writer: MetricWriter,
  now: () => number,
): (bytes: Uint8Array) => Promise<Exported> {
  return async (bytes) => {
    let outcome: Outcome | undefined;
    const written = await writer.write((batch) => {
      outcome = writeMetrics(bytes, batch, now());
      return outcome.malformed;
    });
    if (written.status === 'malformed') return { status: 'malformed', reason: written.message };
    if (written.status === 'busy') return written;
    if (written.status === 'refused') {
      return { status: 'refused', reason: `${written.code}: ${written.message}` };
    }
    const { refused, firstRefusal, samples, histograms } = written;
    const reasons = [outcome?.reason ?? '', firstRefusal?.message ?? ''];
    return {
      status: 'kept',
      rows: samples + histograms,
      rejected: (outcome?.rejected ?? 0) + refused,
      reason: reasons.filter((reason) => reason !== '').join('; '),
    };
  };
}

/** Pushes an ExportMetricsServiceRequest's points as samples under Prometheus's names. */
function writeMetrics(bytes: Uint8Array, batch: MetricBatch, nowMs: number): Outcome {
  const metric = createMetric();
  const point = createPoint();
  let resource: MetricResource = { labels: [], info: undefined };
  let scope: readonly string[] = [];
  let rows = 0;
  let rejected = 0;
  let reason = '';
  const malformed = readRecords(bytes, {
    resource: (attributes, at) => {
      resource = metricResource(attributes, at);
      if (resource.info !== undefined && batch.seriesLabels(resource.info)) batch.number(nowMs, 1);
    },
    scope: ({ name, version }, at) => {
      const text = ({ from, to }: Range): string => decodeText(at.bytes, from, to);
      scope = ['otel_scope_name', text(name), 'otel_scope_version', text(version)];
    },
    item: (at) => {
      readMetric(at, metric);
      if (at.fault !== '') return;
      const why = refusalOf(metric);
      if (why !== undefined) {
        rejected += metric.pointCount;
        reason = why;
        return;
      }
      const name = nameOf(at, metric);
      const text = ({ from, to }: Range): string => decodeText(at.bytes, from, to);
      batch.metadata(name, typeOf(metric), text(metric.description), unitName(text(metric.unit)));
      for (let i = 0; i < metric.pointCount; i++) {
        const range = metric.points[i];
        if (range === undefined) break;
        readPoint(at, range, metric.kind, point);
        if (at.fault !== '') return;
        const labels = [...labelsOf(point.attributes, at), ...resource.labels, ...scope];
        if (writePoint(at, batch, { metric, point, name, labels })) rows += 1;
        else {
          rejected += 1;
          reason = 'an exponential histogram of a scale below -4';
        }
      }
    },
  });
  return { malformed, rows, rejected, reason };
}

function refusalOf({ kind, temporality }: OtlpMetric): string | undefined {
  const isSummed = kind === 'sum' || kind === 'histogram' || kind === 'exponential';
  if (kind === 'none') return 'a metric without data';
  if (!isSummed || temporality !== TEMPORALITY_DELTA) return undefined;
  return 'delta temporality: set the exporter to cumulative';
}

const isCounter = ({ kind, isMonotonic }: OtlpMetric): boolean => kind === 'sum' && isMonotonic;

function nameOf(cursor: ProtoCursor, metric: OtlpMetric): string {
  const text = ({ from, to }: Range): string => decodeText(cursor.bytes, from, to);
  const isGauge = metric.kind === 'gauge';
  return metricName(text(metric.name), text(metric.unit), {
    isCounter: isCounter(metric),
    isGauge,
  });
}

function typeOf(metric: OtlpMetric): MetricType {
  if (isCounter(metric)) return 'counter';
  if (metric.kind === 'histogram' || metric.kind === 'exponential') return 'histogram';
  return metric.kind === 'summary' ? 'summary' : 'gauge';
}

interface PointOf {
  readonly metric: OtlpMetric;
  readonly point: OtlpPoint;
  readonly name: string;
  readonly labels: readonly string[];
}

/** False when Prometheus has no such thing. */
function writePoint(cursor: ProtoCursor, batch: MetricBatch, of: PointOf): boolean {
  const { metric, point, name, labels } = of;
  const timeMs = Math.floor(microsOf(point.time) / 1e3);
  const isStale = (point.flags & FLAG_NO_VALUE) !== 0;
  const push = (suffix: string, value: number, ...more: string[]): boolean => {
    if (!batch.seriesLabels(['__name__', `${name}${suffix}`, ...labels, ...more])) return false;
    if (isStale) batch.sample(timeMs, STALE_LOW, STALE_HIGH);
    else batch.number(timeMs, value);
    return true;
  };
  switch (metric.kind) {
    case 'gauge':
    case 'sum':
      if (push('', point.value ?? 0))
        writeExemplars(cursor, batch, point, Number.POSITIVE_INFINITY);
      return true;
    case 'histogram':
      writeBuckets(cursor, batch, point, push);
      break;
    case 'summary':
      for (let i = 0; i + 1 < point.quantiles.length; i += 2) {
        push('', point.quantiles[i + 1] ?? 0, 'quantile', String(point.quantiles[i]));
      }
      break;
    case 'exponential': {
      const message = nativeHistogram(point, timeMs);
      if (message === undefined) return false;
      if (!batch.seriesLabels(['__name__', name, ...labels])) return true;
      batch.histogramMessage(timeMs, message);
      writeExemplars(cursor, batch, point, Number.POSITIVE_INFINITY);
      return true;
    }
    case 'none':
      return false;
  }
  push('_count', point.count);
  if (point.sum !== undefined) push('_sum', point.sum);
  return true;
}

/** Cumulative counts by `le`; an exemplar stands at the first bucket that holds its value. */
function writeBuckets(
  cursor: ProtoCursor,
  batch: MetricBatch,
  point: OtlpPoint,
  push: (suffix: string, value: number, ...more: string[]) => boolean,
): void {
  let cumulative = 0;
  let below = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < point.bounds.length; i++) {
    const bound = point.bounds[i] ?? 0;
    cumulative += point.counts[i] ?? 0;
    if (push('_bucket', cumulative, 'le', String(bound))) {
      writeExemplars(cursor, batch, point, bound, below);
    }
    below = bound;
  }
  if (push('_bucket', point.count, 'le', '+Inf')) {
    writeExemplars(cursor, batch, point, Number.POSITIVE_INFINITY, below);
  }
}

const exemplar = createExemplar();

/** Those whose value is in `(below, bound]`, under the series that began last. */
function writeExemplars(
  cursor: ProtoCursor,
  batch: MetricBatch,
  point: OtlpPoint,
  bound: number,
  below = Number.NEGATIVE_INFINITY,
): void {
  for (const range of point.exemplars) {
    readExemplar(cursor, range, exemplar);
    if (exemplar.value > bound || exemplar.value <= below) continue;
    const hex = ({ from, to }: Range): string =>
      Buffer.from(cursor.bytes.subarray(from, to)).toString('hex');
    const labels = ['trace_id', hex(exemplar.traceId), 'span_id', hex(exemplar.spanId)];
    const timeMs = Math.floor(microsOf(exemplar.time) / 1e3);
    batch.exemplar(timeMs, exemplar.value, labels);
  }
}
