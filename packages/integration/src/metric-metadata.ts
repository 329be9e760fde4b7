import type { MetricType } from '@thalweg/wire';

const METADATA_MAX = 100_000;

/** What a sender says of a family of metrics. */
export interface MetadataEntry {
  readonly family: string;
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
}

export interface MetadataCache {
  /** Undefined when it is known; else what to call once it is on disk. */
  isNew(entry: MetadataEntry, hour: number): (() => void) | undefined;
}

/** Senders repeat metadata each minute: a row is written when it changed, or an hour later. */
export function createMetadataCache(): MetadataCache {
  const written = new Map<string, string>();
  return {
    isNew: ({ family, type, help, unit }, hour) => {
      const text = `${hour} ${type} ${unit} ${help}`;
      if (written.get(family) === text) return undefined;
      return () => {
        if (written.size >= METADATA_MAX) written.clear();
        written.set(family, text);
      };
    },
  };
}

/** 2.0 sends metadata with each series: the family's name is the series' without its suffix. */
export function familyOf(metric: string, type: MetricType): string {
  if (type === 'histogram' || type === 'gaugehistogram') {
    return metric.replace(/_(?:bucket|sum|count|gsum|gcount)$/, '');
  }
  return type === 'summary' ? metric.replace(/_(?:sum|count)$/, '') : metric;
}
