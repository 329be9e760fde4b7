/** The series of one metric by the values of its labels. */
export interface SeriesTable<Value> {
  /** Undefined when there are too many already; the caller counts that. */
  at(values: readonly string[], nowMs: number): Series<Value> | undefined;
  /** Forgets what was not used for so long; answers whether there was any. */
  expire(nowMs: number): boolean;
  list(): Iterable<Series<Value>>;
}

export interface Series<Value> {
  /** `code="200",route="1"`: made once. */
  readonly labels: string;
  readonly value: Value;
  usedMs: number;
}

export interface SeriesTableOptions<Value> {
  readonly labelNames: readonly string[];
  readonly seriesMax: number;
  /** 0: never. */
  readonly expireMs: number;
  make(): Value;
}

export function createSeriesTable<Value>(options: SeriesTableOptions<Value>): SeriesTable<Value> {
  const { labelNames, seriesMax, expireMs } = options;
  const byKey = new Map<string, Series<Value>>();
  return {
    at(values, nowMs) {
      const key = values.join('\n');
      let series = byKey.get(key);
      if (series === undefined) {
        if (byKey.size >= seriesMax) return undefined;
        series = { labels: labelsText(labelNames, values), value: options.make(), usedMs: nowMs };
        byKey.set(key, series);
      }
      series.usedMs = nowMs;
      return series;
    },
    expire(nowMs) {
      if (expireMs === 0) return false;
      const before = byKey.size;
      for (const [key, { usedMs }] of byKey) if (nowMs - usedMs >= expireMs) byKey.delete(key);
      return byKey.size < before;
    },
    list: () => byKey.values(),
  };
}

/** Source: Prometheus text format, "escaped" label values. */
export function labelsText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, at) => `${name}="${escaped(values[at] ?? '')}"`).join(',');
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`))
    : value;
}
