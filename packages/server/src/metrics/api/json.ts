import type { Histogram, Labels, MatrixSeries, QueryValue, VectorSample } from '@thalweg/promql';
import { nativeBuckets } from './native-buckets.ts';

// Prometheus's JSON, written as text: values are strings, times have three decimals at the most.

/** As Go's FormatFloat with 'f', and 'e' for the very small and the very large. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
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

export function valueJson(value: QueryValue): string {
  switch (value.kind) {
    case 'scalar':
      return result('scalar', point(value.timeMs, formatValue(value.value)));
    case 'string':
      return result('string', `[${formatTime(value.timeMs)},${JSON.stringify(value.value)}]`);
    case 'vector':
      return result('vector', `[${value.samples.map(vectorSample).join(',')}]`);
    case 'matrix':
      return result('matrix', `[${value.series.map(matrixSeries).join(',')}]`);
  }
}

function result(type: QueryValue['kind'], text: string): string {
  return `{"resultType":"${type}","result":${text}}`;
}

function point(timeMs: number, value: string): string {
  return `[${formatTime(timeMs)},"${value}"]`;
}

function vectorSample({ labels, timeMs, value, histogram }: VectorSample): string {
  const metric = `{"metric":${labelsJson(labels)}`;
  return histogram === undefined
    ? `${metric},"value":${point(timeMs, formatValue(value))}}`
    : `${metric},"histogram":[${formatTime(timeMs)},${histogramJson(histogram)}]}`;
}

function matrixSeries({ labels, points }: MatrixSeries): string {
  const values: string[] = [];
  const histograms: string[] = [];
  for (const { timeMs, value, histogram } of points) {
    if (histogram === undefined) values.push(point(timeMs, formatValue(value)));
    else histograms.push(`[${formatTime(timeMs)},${histogramJson(histogram)}]`);
  }
  const members = [
    `"metric":${labelsJson(labels)}`,
    ...(values.length === 0 ? [] : [`"values":[${values.join(',')}]`]),
    ...(histograms.length === 0 ? [] : [`"histograms":[${histograms.join(',')}]`]),
  ];
  return `{${members.join(',')}}`;
}

function histogramJson(histogram: Histogram): string {
  const buckets = nativeBuckets(histogram).map(
    ({ rule, lower, upper, count }) =>
      `[${rule},"${formatValue(lower)}","${formatValue(upper)}","${formatValue(count)}"]`,
  );
  const list = buckets.length === 0 ? '' : `,"buckets":[${buckets.join(',')}]`;
  return `{"count":"${formatValue(histogram.count)}","sum":"${formatValue(histogram.sum)}"${list}}`;
}
