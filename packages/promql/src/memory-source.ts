import { compareLabels } from './labels.ts';
import { matcherTest } from './match/label-matcher.ts';
import {
  type Labels,
  type Matcher,
  type SeriesSamples,
  type SeriesSource,
  SourceLimitError,
} from './series-source.ts';

/** Series held in memory, as a source: for scripts, tests and small data sets. */
export function memorySource(series: readonly SeriesSamples[]): SeriesSource {
  const sorted = [...series].sort((a, b) => compareLabels(a.labels, b.labels));
  return {
    select({ matchers, startMs, endMs }, { samplesMax, seriesMax }) {
      const holds = seriesTest(matchers);
      const chosen = sorted.filter(({ labels }) => holds(labels));
      const cut = chosen
        .map((one) => cutSeries(one, startMs, endMs))
        .filter(({ times }) => times.length > 0);
      const samples = cut.reduce((sum, { times }) => sum + times.length, 0);
      if (cut.length > seriesMax) {
        const message = `${cut.length} series selected, the most is ${seriesMax}`;
        return Promise.reject(new SourceLimitError(message));
      }
      if (samples > samplesMax) {
        const message = `${samples} samples selected, the most is ${samplesMax}`;
        return Promise.reject(new SourceLimitError(message));
      }
      return Promise.resolve(cut);
    },
  };
}

function seriesTest(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map((matcher) => ({ name: matcher.name, holds: matcherTest(matcher) }));
  return (labels) =>
    tests.every(({ name, holds }) => holds(labels.find(([label]) => label === name)?.[1] ?? ''));
}

function cutSeries(series: SeriesSamples, startMs: number, endMs: number): SeriesSamples {
  const { labels, times, values, histograms } = series;
  const from = firstFrom(times, startMs);
  const to = firstFrom(times, endMs + 1);
  const cut = { labels, times: times.subarray(from, to), values: values.subarray(from, to) };
  return histograms === undefined ? cut : { ...cut, histograms: histograms.slice(from, to) };
}

/** The first index whose time is at or after `timeMs`. */
function firstFrom(times: Float64Array, timeMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
