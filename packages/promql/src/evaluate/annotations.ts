// What Prometheus says beside an answer. Source: the texts that its API shows and its docs describe.
import { formatFloat } from '../parse/numbers.ts';
import { positionOf } from '../parse/parse-error.ts';
import { quote } from '../parse/quoting.ts';
import type { Annotations } from './query.ts';

/** Texts kept of each kind; each is kept once. */
const ANNOTATIONS_MAX = 100;

export interface AnnotationLog {
  warn(message: string, at: { readonly start: number }): void;
  inform(message: string, at: { readonly start: number }): void;
  read(): Annotations;
}

export function openAnnotationLog(query: string): AnnotationLog {
  const warnings = new Set<string>();
  const infos = new Set<string>();
  const add = (kind: string, set: Set<string>) => (message: string, at: { start: number }) => {
    const known = set.size < ANNOTATIONS_MAX;
    if (known) set.add(`PromQL ${kind}: ${message} (${positionOf(query, at.start)})`);
  };
  return {
    warn: add('warning', warnings),
    inform: add('info', infos),
    read: () => ({ warnings: [...warnings].sort(), infos: [...infos].sort() }),
  };
}

const forMetric = (name: string): string => (name === '' ? '' : ` for metric name ${quote(name)}`);

export const MESSAGES = {
  invalidQuantile: (q: number) => `quantile value should be between 0 and 1, got ${formatFloat(q)}`,
  invalidRatio: (ratio: number, cap: number) =>
    `ratio value should be between -1 and 1, got ${formatFloat(ratio)}, capping to ${formatFloat(cap)}`,
  badBucketLabel: (value: string, name: string) =>
    `bucket label "le" is missing or has a malformed value of ${quote(value)}${forMetric(name)}`,
  mixedFloatsHistograms: (name: string) =>
    `encountered a mix of histograms and floats${forMetric(name)}`,
  mixedInAggregation: 'encountered a mix of histograms and floats for aggregation',
  mixedClassicNative: (name: string) =>
    `vector contains a mix of classic and native histograms${forMetric(name)}`,
  notCounter: (name: string) => `this native histogram metric is not a counter: ${quote(name)}`,
  notGauge: (name: string) => `this native histogram metric is not a gauge: ${quote(name)}`,
  mixedSchemas: (name: string) =>
    `vector contains a mix of histograms with exponential and custom buckets schemas${forMetric(name)}`,
  possibleNonCounter: (name: string) =>
    `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quote(name)}`,
  forcedMonotonicity: (name: string) =>
    'input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/' +
    `docs/prometheus/latest/querying/functions/#histogram_quantile)${forMetric(name)}`,
  incompatibleTypes: (left: string, operator: string, right: string) =>
    `incompatible sample types encountered for binary operator ${quote(operator)}: ${left} ${operator} ${right}`,
  incompatibleBuckets: (operator: string) =>
    `incompatible bucket layout encountered for binary operator ${quote(operator)}`,
  histogramIgnored: (aggregation: string) => `ignored histogram in ${aggregation} aggregation`,
  histogramIgnoredInRange: (name: string) =>
    `ignored histograms in a range containing both floats and histograms${forMetric(name)}`,
  quantileOfNaN: (name: string) =>
    `input to histogram_quantile has NaN observations, result is NaN${forMetric(name)}`,
  quantileSkewed: (name: string) =>
    `input to histogram_quantile has NaN observations, result is skewed higher${forMetric(name)}`,
  fractionOfNaN: (name: string) =>
    `input to histogram_fraction has NaN observations, which are excluded from all fractions${forMetric(name)}`,
  resetCollision: (operation: string) => `conflicting counter resets during histogram ${operation}`,
  reconciledBuckets: (operation: string) =>
    `mismatched custom buckets were reconciled during ${operation}`,
} as const;
