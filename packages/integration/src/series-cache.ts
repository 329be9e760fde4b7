import { hash } from 'node:crypto';

/** What a series' writer remembers between requests. */
export interface SeriesEntry {
  readonly idLow: number;
  readonly idHigh: number;
  readonly metric: string;
  /** Without `__name__`, sorted by name. */
  readonly labelNames: readonly string[];
  readonly labelValues: readonly string[];
  /** The newest sample that was taken: time, and the value's bits. */
  lastMs: number;
  lastLow: number;
  lastHigh: number;
  /** Hour since the epoch of the samples for which the series' row is on disk; -1: none. */
  rowHour: number;
  /** Where a row waits in the request that runs: its number, and the hour. */
  pendingRequest: number;
  pendingHour: number;
}

export interface SeriesLimits {
  /** Series of all metrics, and of one, that sent samples in the last one to two hours. */
  readonly seriesMax: number;
  readonly seriesPerMetricMax: number;
  readonly labelsMax: number;
  readonly labelNameLengthMax: number;
  /** In UTF-16 units. */
  readonly labelValueLengthMax: number;
}

export const SERIES_LIMITS: SeriesLimits = {
  // About 600 bytes each: 300 MB at the most.
  seriesMax: 500_000,
  seriesPerMetricMax: 200_000,
  labelsMax: 128,
  labelNameLengthMax: 1_024,
  labelValueLengthMax: 8_192,
};

export type SeriesRefusal =
  | 'series_limit'
  | 'metric_series_limit'
  | 'labels_invalid'
  | 'labels_too_many'
  | 'label_too_long';

export interface Refusal<Code extends string> {
  readonly code: Code;
  readonly message: string;
}

export interface SeriesCache {
  /** Of a sender's own spelling of the labels. Hot: one look-up of a string. */
  get(key: string): SeriesEntry | undefined;
  /** Flat labels (name, value, …) in any order. */
  add(key: string, labels: readonly string[]): SeriesEntry | Refusal<SeriesRefusal>;
  /** Forgets what nobody asked for since the call before. Call once an hour. */
  rotate(): void;
  readonly size: number;
}

const NAME = '__name__';

/**
 * Series that senders write, by their own bytes. Bounded: a series beyond the limit is refused, one
 * that sends no more makes room after one to two hours.
 */
export function createSeriesCache(limits: SeriesLimits): SeriesCache {
  let young = new Map<string, SeriesEntry>();
  let old = new Map<string, SeriesEntry>();
  const perMetric = new Map<string, number>();

  function get(key: string): SeriesEntry | undefined {
    const entry = young.get(key);
    if (entry !== undefined || old.size === 0) return entry;
    const slept = old.get(key);
    if (slept === undefined) return undefined;
    old.delete(key);
    young.set(key, slept);
    return slept;
  }

  function add(key: string, labels: readonly string[]): SeriesEntry | Refusal<SeriesRefusal> {
    const { seriesMax, seriesPerMetricMax } = limits;
    if (young.size + old.size >= seriesMax) {
      return refusal('series_limit', `more active series than ${seriesMax}`);
    }
    const sorted = sortLabels(labels, limits);
    if ('code' in sorted) return sorted;
    const count = (perMetric.get(sorted.metric) ?? 0) + 1;
    if (count > seriesPerMetricMax) {
      return refusal(
        'metric_series_limit',
        `more active series of ${shown(sorted.metric)} than ${seriesPerMetricMax}`,
      );
    }
    perMetric.set(sorted.metric, count);
    const id = seriesId(sorted.metric, sorted.labelNames, sorted.labelValues);
    const entry: SeriesEntry = {
      ...sorted,
      idLow: id.low,
      idHigh: id.high,
      lastMs: Number.NEGATIVE_INFINITY,
      lastLow: 0,
      lastHigh: 0,
      rowHour: -1,
      pendingRequest: -1,
      pendingHour: -1,
    };
    young.set(key, entry);
    return entry;
  }

  return {
    get,
    add,
    rotate: () => {
      for (const { metric } of old.values()) {
        const left = (perMetric.get(metric) ?? 1) - 1;
        if (left === 0) perMetric.delete(metric);
        else perMetric.set(metric, left);
      }
      old = young;
      young = new Map();
    },
    get size() {
      return young.size + old.size;
    },
  };
}

interface SortedLabels {
  readonly metric: string;
  readonly labelNames: readonly string[];
  readonly labelValues: readonly string[];
}

/** Sorted by name; an empty value is the same as no label. */
function sortLabels(
  labels: readonly string[],
  limits: SeriesLimits,
): SortedLabels | Refusal<SeriesRefusal> {
  const { labelsMax, labelNameLengthMax, labelValueLengthMax } = limits;
  const pairs: [name: string, value: string][] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i] ?? '';
    const value = labels[i + 1] ?? '';
    if (name === '') return refusal('labels_invalid', 'a label without a name');
    if (name.length > labelNameLengthMax || value.length > labelValueLengthMax) {
      return refusal(
        'label_too_long',
        `label ${shown(name)} of ${name.length} + ${value.length} characters, the most is ${labelNameLengthMax} + ${labelValueLengthMax}`,
      );
    }
    if (value !== '') pairs.push([name, value]);
  }
  if (pairs.length > labelsMax) {
    return refusal(
      'labels_too_many',
      `a series of ${pairs.length} labels, the most is ${labelsMax}`,
    );
  }
  pairs.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const twice = pairs.find(([name], at) => name === pairs[at + 1]?.[0]);
  if (twice !== undefined)
    return refusal('labels_invalid', `label ${shown(twice[0])} stands twice`);
  const metric = pairs.find(([name]) => name === NAME)?.[1];
  if (metric === undefined) return refusal('labels_invalid', 'a series without a metric name');
  const others = pairs.filter(([name]) => name !== NAME);
  return {
    metric,
    labelNames: others.map(([name]) => name),
    labelValues: others.map(([, value]) => value),
  };
}

/**
 * The id of a label set: the first 64 bits of the SHA-256 of its spelling, so that nobody can make
 * two sets meet. `labelNames` are sorted. Ten million series meet by chance with odds of 1 in
 * 370,000.
 */
export function seriesId(
  metric: string,
  labelNames: readonly string[],
  labelValues: readonly string[],
): { readonly low: number; readonly high: number } {
  let text = `${metric.length} ${metric}`;
  for (let i = 0; i < labelNames.length; i += 1) {
    const name = labelNames[i] ?? '';
    const value = labelValues[i] ?? '';
    text += `${name.length} ${name}${value.length} ${value}`;
  }
  const digest = hash('sha256', text, 'buffer');
  return { low: digest.readUInt32LE(0), high: digest.readUInt32LE(4) };
}

function refusal<Code extends string>(code: Code, message: string): Refusal<Code> {
  return { code, message };
}

const SHOWN_LENGTH = 80;
function shown(name: string): string {
  return name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}…` : name;
}
