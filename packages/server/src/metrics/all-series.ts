import {
  DEFAULT_LIMITS,
  type Labels,
  type Matcher,
  matcherTest,
  type SeriesSamples,
  type SeriesSource,
} from '@thalweg/promql';
import { FLOW_LABELS, FLOW_METRICS } from './flow-metrics.ts';
import type { FlowSource } from './flow-source.ts';
import { compareLabels } from './label-index.ts';
import type { CatalogueRange, MetricCatalogue } from './metric-catalogue.ts';
import { keptStretch } from './stretch.ts';

/** Series of senders and of observed requests as one source. */
export function createAllSeries(stored: SeriesSource, flows: FlowSource): SeriesSource {
  return {
    select: async (selection, options) => {
      if (flows.metricsOf(selection.matchers).length === 0)
        return stored.select(selection, options);
      const observed = await flows.select(selection, options);
      const written = [...kept(await stored.select(selection, options))];
      if (written.length === 0) return observed;
      return [...written, ...observed].sort((one, other) =>
        compareLabels(one.labels, other.labels),
      );
    },
  };
}

function* kept(series: Iterable<SeriesSamples>): Generator<SeriesSamples> {
  for (const one of series) yield { ...one, ...keptStretch(one) };
}

/** Without times in the question, what was observed in the last hour. */
const RECENT_MS = 3_600_000;
const NAME = '__name__';

export function createAllCatalogue(
  stored: MetricCatalogue,
  flows: FlowSource,
  now: () => number,
): MetricCatalogue {
  async function observed(
    selectors: readonly (readonly Matcher[])[],
    range: CatalogueRange,
  ): Promise<Labels[]> {
    const endMs = Math.min(range.endMs, now());
    const startMs = Math.max(range.startMs, endMs - RECENT_MS);
    const options = { ...DEFAULT_LIMITS, signal: { aborted: false } };
    const found: Labels[] = [];
    for (const matchers of selectors) {
      const series = await flows.select({ matchers, startMs, endMs }, options);
      found.push(...series.map(({ labels }) => labels));
    }
    return found;
  }

  return {
    series: async (selectors, range) => [
      ...(await stored.series(selectors, range)),
      ...(await observed(selectors, range)),
    ],
    labelNames: async (selectors, range) => {
      const names = new Set(await stored.labelNames(selectors, range));
      if (selectors.length === 0) for (const name of FLOW_LABELS) names.add(name);
      for (const labels of await observed(selectors, range)) {
        for (const [name] of labels) names.add(name);
      }
      return [...names];
    },
    labelValues: async (name, selectors, range) => {
      const values = new Set(await stored.labelValues(name, selectors, range));
      if (name === NAME && selectors.length === 0) {
        for (const metric of FLOW_METRICS) values.add(metric.name);
      }
      // Names without their series: no need to compute those.
      const asked = name === NAME ? namesOnly(selectors) : [];
      for (const metric of asked) values.add(metric);
      if (name !== NAME) {
        for (const labels of await observed(selectors, range)) {
          for (const [one, value] of labels) if (one === name) values.add(value);
        }
      }
      return [...values];
    },
  };
}

function namesOnly(selectors: readonly (readonly Matcher[])[]): string[] {
  return selectors
    .filter((matchers) => matchers.length > 0 && matchers.every(({ name }) => name === NAME))
    .flatMap((matchers) => {
      const tests = matchers.map(matcherTest);
      return FLOW_METRICS.map(({ name }) => name).filter((name) =>
        tests.every((passes) => passes(name)),
      );
    });
}
