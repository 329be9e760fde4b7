// What a script loads, as the series that a store would answer.
import { setStale } from '../evaluate/stale.ts';
import { isReset } from '../histogram/reset.ts';
import { labelsKey } from '../labels.ts';
import { memorySource } from '../memory-source.ts';
import type { Histogram, Labels, SeriesSamples, SeriesSource } from '../series-source.ts';
import { customHistograms } from './custom-histograms.ts';
import type { Load, ScriptSample, ScriptSeries } from './script.ts';

export interface ScriptStorage {
  load(load: Load): void;
  clear(): void;
  source(): SeriesSource;
}

interface Held {
  readonly labels: Labels;
  readonly samples: Map<number, Exclude<ScriptSample, undefined>>;
}

export function openStorage(): ScriptStorage {
  const held = new Map<string, Held>();
  let built: SeriesSource | undefined;

  const add = ({ labels, samples }: ScriptSeries, gapMs: number): void => {
    const key = labelsKey(labels);
    const series: Held = held.get(key) ?? { labels, samples: new Map() };
    held.set(key, series);
    samples.forEach((sample, i) => {
      // As a store does, the first sample of an instant stays.
      if (sample !== undefined && !series.samples.has(i * gapMs)) {
        series.samples.set(i * gapMs, sample);
      }
    });
  };
  return {
    load({ series, gapMs, withCustomHistograms }) {
      built = undefined;
      // Of two definitions of a series in one block the last counts.
      const last = new Map(series.map((one) => [labelsKey(one.labels), one]));
      for (const one of last.values()) add(one, gapMs);
      if (!withCustomHistograms) return;
      for (const one of customHistograms([...last.values()])) add(one, gapMs);
    },
    clear() {
      built = undefined;
      held.clear();
    },
    source() {
      built ??= memorySource([...held.values()].map(samplesOf));
      return built;
    },
  };
}

function samplesOf({ labels, samples }: Held): SeriesSamples {
  const ordered = [...samples].sort(([a], [b]) => a - b);
  const times = Float64Array.from(ordered, ([time]) => time);
  const values = new Float64Array(ordered.length);
  const histograms: (Histogram | undefined)[] = [];
  let previous: Histogram | undefined;
  ordered.forEach(([, sample], i) => {
    if (typeof sample === 'object') {
      previous = stored(sample, previous);
      histograms[i] = previous;
      values[i] = sample.sum;
      return;
    }
    previous = undefined;
    if (sample === 'stale') setStale(values, i);
    else values[i] = sample;
  });
  return histograms.length === 0
    ? { labels, times, values }
    : { labels, times, values, histograms };
}

/** A store knows where a counter started again; it never claims that one did not. */
function stored(sample: Histogram, previous: Histogram | undefined): Histogram {
  if (sample.counterReset === 'gauge' || sample.counterReset === 'reset') return sample;
  const unknown: Histogram = { ...sample, counterReset: 'unknown' };
  if (previous === undefined || previous.counterReset === 'gauge') return unknown;
  return isReset(unknown, previous) ? { ...sample, counterReset: 'reset' } : unknown;
}
