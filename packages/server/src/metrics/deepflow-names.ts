import {
  type Labels,
  type Matcher,
  matcherTest,
  type SeriesSamples,
  type SeriesSource,
} from '@thalweg/promql';
import type { MetricCatalogue } from './metric-catalogue.ts';

// DeepFlow's second names of what senders wrote: `prometheus__samples__up` is `up`, and
// `ext_metrics__metrics__influxdb_cpu__usage_idle` is the field `usage_idle` of the measurement
// `cpu`, which is stored as `cpu_usage_idle`. Their labels have the prefix `tag_`.

const NAME = '__name__';
const PREFIX = 'tag_';
const SAMPLES = 'prometheus__samples__';
/** A measurement's name ends at the last `__`. */
const INFLUX = /^ext_metrics__metrics__influxdb_(.+)__(.+?)$/s;

/** The stored metric behind a name of DeepFlow's; undefined: the name is none of those. */
export function storedName(name: string): string | undefined {
  if (name.startsWith(SAMPLES)) return name.slice(SAMPLES.length);
  const [, measurement, field] = INFLUX.exec(name) ?? [];
  return measurement === undefined ? undefined : `${measurement}_${field ?? ''}`;
}

interface Renamed {
  readonly asked: string;
  /** Of the stored series; undefined: a matcher asks for a label that none of them has. */
  readonly matchers: readonly Matcher[] | undefined;
}

/** Undefined where the matchers do not name exactly one such metric. */
function renamed(matchers: readonly Matcher[]): Renamed | undefined {
  const named = matchers.find(({ name, operator }) => name === NAME && operator === '=');
  const stored = named === undefined ? undefined : storedName(named.value);
  if (named === undefined || stored === undefined) return undefined;
  const others = matchers.filter((matcher) => matcher !== named);
  const isTag = ({ name }: Matcher): boolean => name.startsWith(PREFIX);
  // Every other label is absent, and absent is empty.
  const isEmpty = others
    .filter((matcher) => !isTag(matcher))
    .every((matcher) => matcherTest(matcher)(matcher.name === NAME ? named.value : ''));
  const tags = others
    .filter(isTag)
    .map((matcher) => ({ ...matcher, name: matcher.name.slice(PREFIX.length) }));
  const behind = isEmpty ? [{ ...named, value: stored }, ...tags] : undefined;
  return { asked: named.value, matchers: behind };
}

/** Sorted as it came: the prefix stands before every name alike, behind `__name__`. */
function renamedLabels(labels: Labels, asked: string): Labels {
  return labels.map(([name, value]) => (name === NAME ? [NAME, asked] : [PREFIX + name, value]));
}

export function createRenamedSeries(stored: SeriesSource): SeriesSource {
  return {
    ...stored,
    select: async (selection, options) => {
      const name = renamed(selection.matchers);
      if (name === undefined) return stored.select(selection, options);
      if (name.matchers === undefined) return [];
      const found = await stored.select({ ...selection, matchers: name.matchers }, options);
      return relabelled(found, name.asked);
    },
  };
}

/** One by one: a series' columns are good until the next one. */
function* relabelled(series: Iterable<SeriesSamples>, asked: string): Generator<SeriesSamples> {
  for (const one of series) yield { ...one, labels: renamedLabels(one.labels, asked) };
}

export function createRenamedCatalogue(stored: MetricCatalogue): MetricCatalogue {
  type Selectors = Parameters<MetricCatalogue['series']>[0];
  type Range = Parameters<MetricCatalogue['series']>[1];

  async function renamedSeries(selectors: Selectors, range: Range): Promise<Labels[]> {
    const found: Labels[] = [];
    for (const matchers of selectors) {
      const name = renamed(matchers);
      if (name?.matchers === undefined) continue;
      const series = await stored.series([name.matchers], range);
      found.push(...series.map((labels) => renamedLabels(labels, name.asked)));
    }
    return found;
  }
  const plain = (selectors: Selectors): Selectors =>
    selectors.filter((matchers) => renamed(matchers) === undefined);
  /** An empty list of selectors means every series. */
  const asksStored = (selectors: Selectors): boolean =>
    selectors.length === 0 || plain(selectors).length > 0;

  return {
    series: async (selectors, range) => [
      ...(asksStored(selectors) ? await stored.series(plain(selectors), range) : []),
      ...(await renamedSeries(selectors, range)),
    ],
    labelNames: async (selectors, range) => {
      const names = asksStored(selectors) ? await stored.labelNames(plain(selectors), range) : [];
      const others = (await renamedSeries(selectors, range)).flat().map(([name]) => name);
      return [...new Set([...names, ...others])];
    },
    labelValues: async (name, selectors, range) => {
      const values = asksStored(selectors)
        ? await stored.labelValues(name, plain(selectors), range)
        : [];
      const others = (await renamedSeries(selectors, range)).flat();
      return [
        ...new Set([...values, ...others.flatMap(([one, value]) => (one === name ? [value] : []))]),
      ];
    },
  };
}
