import type { Histogram, Labels, MatrixSeries, QueryValue, VectorSample } from '@thalweg/promql';
import { nativeBuckets } from './native-buckets.ts';
import { openTextBytes, type TextBytes } from './text-bytes.ts';

// Prometheus's JSON, written as text: values are strings, times have three decimals at the most.

/** As Go's FormatFloat with 'f', and 'e' for the very small and the very large. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-6 && size < 1e21) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (size === Number.POSITIVE_INFINITY) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  // JavaScript turns to exponents at the same sizes, but writes one digit where Go has two.
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Seconds. */
export function formatTime(timeMs: number): string {
  return String(Math.round(timeMs) / 1e3);
}

export function labelsJson(labels: Labels): string {
  const members = labels.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${members.join(',')}}`;
}

/** About as many bytes as a point of a matrix and the labels of a series take. */
const POINT_BYTES = 48;
const SERIES_BYTES = 256;

/** As bytes of UTF-8. */
export function valueJson(value: QueryValue): Buffer {
  const out = openTextBytes(sizeOf(value));
  out.ascii(`{"resultType":"${value.kind}","result":`);
  switch (value.kind) {
    case 'scalar':
      writePoint(out, value.timeMs, value.value);
      break;
    case 'string':
      out.text(`[${formatTime(value.timeMs)},${JSON.stringify(value.value)}]`);
      break;
    case 'vector':
      writeList(out, value.samples, writeSample);
      break;
    case 'matrix':
      writeList(out, value.series, writeSeries);
      break;
  }
  out.ascii('}');
  return out.finish();
}

function sizeOf(value: QueryValue): number {
  if (value.kind === 'vector') return (SERIES_BYTES + POINT_BYTES) * value.samples.length;
  if (value.kind !== 'matrix') return SERIES_BYTES;
  const bytesOf = ({ points }: MatrixSeries): number => SERIES_BYTES + POINT_BYTES * points.length;
  return value.series.reduce((sum, series) => sum + bytesOf(series), 0);
}

function writeList<Item>(
  out: TextBytes,
  items: readonly Item[],
  write: (out: TextBytes, item: Item) => void,
): void {
  let before = '[';
  for (const item of items) {
    out.ascii(before);
    write(out, item);
    before = ',';
  }
  out.ascii(items.length === 0 ? '[]' : ']');
}

function writePoint(out: TextBytes, timeMs: number, value: number): void {
  out.ascii('[');
  out.time(timeMs);
  out.ascii(',"');
  out.ascii(formatValue(value));
  out.ascii('"]');
}

function writeHistogram(out: TextBytes, timeMs: number, histogram: Histogram): void {
  out.ascii(`[${formatTime(timeMs)},${histogramJson(histogram)}]`);
}

function writeSample(out: TextBytes, { labels, timeMs, value, histogram }: VectorSample): void {
  out.text(`{"metric":${labelsJson(labels)}`);
  out.ascii(histogram === undefined ? ',"value":' : ',"histogram":');
  if (histogram === undefined) writePoint(out, timeMs, value);
  else writeHistogram(out, timeMs, histogram);
  out.ascii('}');
}

/** Floats, then histograms; each list only where there are any. */
function writeSeries(out: TextBytes, { labels, points }: MatrixSeries): void {
  out.text(`{"metric":${labelsJson(labels)}`);
  let before = ',"values":[';
  for (const { timeMs, value, histogram } of points) {
    if (histogram !== undefined) continue;
    out.ascii(before);
    writePoint(out, timeMs, value);
    before = ',';
  }
  if (before === ',') out.ascii(']');
  before = ',"histograms":[';
  for (const { timeMs, histogram } of points) {
    if (histogram === undefined) continue;
    out.ascii(before);
    writeHistogram(out, timeMs, histogram);
    before = ',';
  }
  out.ascii(before === ',' ? ']}' : '}');
}

function histogramJson(histogram: Histogram): string {
  const buckets = nativeBuckets(histogram).map(
    ({ rule, lower, upper, count }) =>
      `[${rule},"${formatValue(lower)}","${formatValue(upper)}","${formatValue(count)}"]`,
  );
  const list = buckets.length === 0 ? '' : `,"buckets":[${buckets.join(',')}]`;
  return `{"count":"${formatValue(histogram.count)}","sum":"${formatValue(histogram.sum)}"${list}}`;
}
