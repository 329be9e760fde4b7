import { hash } from 'node:crypto';
import { createKeyTable } from './key-table.ts';

/** A series that a sender writes, as far as it never changes. */
export interface SeriesEntry {
  readonly metric: string;
  /** Without `__name__`, sorted by name. */
  readonly labelNames: readonly string[];
  readonly labelValues: readonly string[];
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

/** Bytes that spell a series' labels, the same each time that a sender writes it. */
export interface SeriesKey {
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

/**
 * Series by number. What changes with each sample lies in columns: one look at a few arrays, and no
 * object, for a sample of a known series.
 */
export interface SeriesCache {
  /** -1: not known. Hot. */
  get(key: SeriesKey): number;
  /** As `follow` of a key table, and the series that `followed` then is. Hot. */
  follow(view: DataView, start: number, end: number): number;
  followed(): number;
  /** Flat labels (name, value, …) in any order. The key must not be known. */
  add(key: SeriesKey, labels: readonly string[]): number | Refusal<SeriesRefusal>;
  entryOf(series: number): SeriesEntry;
  columns(): SeriesColumns;
  /** Forgets what nobody asked for since the call before. Call once an hour. */
  rotate(): void;
  size(): number;
}

export interface SeriesColumns {
  readonly idLow: Uint32Array;
  readonly idHigh: Uint32Array;
  /** The newest sample that was taken: time, and the value's bits. */
  readonly lastMs: Float64Array;
  readonly lastLow: Uint32Array;
  readonly lastHigh: Uint32Array;
  /** Hour since the epoch of the samples for which the series' row is on disk; -1: none. */
  readonly rowHour: Int32Array;
  /** Where a row waits in the request that runs: its number, and the hour. */
  readonly pendingRequest: Int32Array;
  readonly pendingHour: Int32Array;
}

const NAME = '__name__';
const FIRST_SERIES = 1_024;

/**
 * Series that senders write, by their own bytes. Bounded: a series beyond the limit is refused, one
 * that sends no more makes room after one to two hours. `seed`: 32 random bits.
 */
export function createSeriesCache(limits: SeriesLimits, seed: number): SeriesCache {
  let young = createKeyTable(seed);
  let old = createKeyTable(seed);
  const perMetric = new Map<string, number>();
  const entries: (SeriesEntry | undefined)[] = [];
  const free: number[] = [];
  let columns = columnsOf(FIRST_SERIES);

  function get({ view, start, end }: SeriesKey): number {
    const series = young.get(view, start, end);
    if (series >= 0 || old.size() === 0) return series;
    const slept = old.get(view, start, end);
    if (slept < 0) return -1;
    old.unset(view, start, end);
    young.set(view, start, end, slept);
    return slept;
  }

  function add(
    { view, start, end }: SeriesKey,
    labels: readonly string[],
  ): number | Refusal<SeriesRefusal> {
    const { seriesMax, seriesPerMetricMax } = limits;
    if (young.size() + old.size() >= seriesMax) {
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
    const series = free.pop() ?? entries.length;
    entries[series] = sorted;
    if (series >= columns.lastMs.length) columns = grownColumns(columns);
    const id = seriesId(sorted.metric, sorted.labelNames, sorted.labelValues);
    columns.idLow[series] = id.low;
    columns.idHigh[series] = id.high;
    columns.lastMs[series] = Number.NEGATIVE_INFINITY;
    columns.rowHour[series] = -1;
    columns.pendingRequest[series] = -1;
    young.set(view, start, end, series);
    return series;
  }

  function forget(series: number): void {
    const metric = entries[series]?.metric ?? '';
    const left = (perMetric.get(metric) ?? 1) - 1;
    if (left === 0) perMetric.delete(metric);
    else perMetric.set(metric, left);
    entries[series] = undefined;
    free.push(series);
  }

  return {
    get,
    follow: (view, start, end) => young.follow(view, start, end),
    followed: () => young.followed(),
    add,
    entryOf: (series) => entries[series] ?? NOBODY,
    columns: () => columns,
    rotate: () => {
      for (const series of old.values()) forget(series);
      old = young;
      young = createKeyTable(seed);
    },
    size: () => young.size() + old.size(),
  };
}

const NOBODY: SeriesEntry = { metric: '', labelNames: [], labelValues: [] };

function columnsOf(length: number): SeriesColumns {
  return {
    idLow: new Uint32Array(length),
    idHigh: new Uint32Array(length),
    lastMs: new Float64Array(length),
    lastLow: new Uint32Array(length),
    lastHigh: new Uint32Array(length),
    rowHour: new Int32Array(length),
    pendingRequest: new Int32Array(length),
    pendingHour: new Int32Array(length),
  };
}

function grownColumns(columns: SeriesColumns): SeriesColumns {
  const larger = columnsOf(2 * columns.lastMs.length);
  larger.idLow.set(columns.idLow);
  larger.idHigh.set(columns.idHigh);
  larger.lastMs.set(columns.lastMs);
  larger.lastLow.set(columns.lastLow);
  larger.lastHigh.set(columns.lastHigh);
  larger.rowHour.set(columns.rowHour);
  larger.pendingRequest.set(columns.pendingRequest);
  larger.pendingHour.set(columns.pendingHour);
  return larger;
}

/** Sorted by name; an empty value is the same as no label. */
function sortLabels(
  labels: readonly string[],
  limits: SeriesLimits,
): SeriesEntry | Refusal<SeriesRefusal> {
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
