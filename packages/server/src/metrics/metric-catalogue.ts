import type { Labels, Matcher } from '@thalweg/promql';
import type { LiveSeries } from './live-series.ts';

/** Times are milliseconds, both ends inclusive. */
export interface CatalogueRange {
  readonly startMs: number;
  readonly endMs: number;
}

/** Which series there are. A list of selectors selects what any of them does; empty: all. */
export interface MetricCatalogue {
  series(selectors: readonly (readonly Matcher[])[], range: CatalogueRange): Promise<Labels[]>;
  labelNames(
    selectors: readonly (readonly Matcher[])[],
    range: CatalogueRange,
  ): Promise<readonly string[]>;
  labelValues(
    name: string,
    selectors: readonly (readonly Matcher[])[],
    range: CatalogueRange,
  ): Promise<readonly string[]>;
}

/** Of series that senders wrote. */
export function createStoredCatalogue(live: LiveSeries): MetricCatalogue {
  function slotsOf(
    selectors: readonly (readonly Matcher[])[],
    { startMs, endMs }: CatalogueRange,
  ): Iterable<number> {
    const [only, ...others] = selectors;
    if (only !== undefined && others.length === 0) return live.select(only, startMs, endMs);
    const lists = selectors.length === 0 ? [[]] : selectors;
    return new Set(lists.flatMap((matchers) => live.select(matchers, startMs, endMs)));
  }

  return {
    series: async (selectors, range) =>
      Array.from(slotsOf(selectors, range), (slot) => live.labelsOf(slot)),
    labelNames: async (selectors, range) => {
      const names = new Set<string>();
      for (const slot of slotsOf(selectors, range)) {
        for (const [name] of live.labelsOf(slot)) names.add(name);
      }
      return [...names];
    },
    labelValues: async (name, selectors, range) => {
      const values = new Set<string>();
      for (const slot of slotsOf(selectors, range)) {
        const pair = live.labelsOf(slot).find(([one]) => one === name);
        if (pair !== undefined) values.add(pair[1]);
      }
      return [...values];
    },
  };
}
