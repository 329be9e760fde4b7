import {
  type Histogram,
  type Selection,
  type SelectOptions,
  type SeriesSamples,
  type SeriesSource,
  SourceLimitError,
} from '@thalweg/promql';
import type { Store } from '../storage/store.ts';
import { EMPTY_STRETCH, type Stretch } from './head.ts';
import type { LiveSeries } from './live-series.ts';
import { toHistogram } from './native-histogram.ts';
import { joined, readHistograms, readSamples } from './samples-on-disk.ts';

/** One series as it was written: floats as columns, histograms as messages. */
export interface RawSeries extends Stretch {
  readonly slot: number;
  readonly histogramTimes: readonly number[];
  readonly histograms: readonly Uint8Array[];
}

/**
 * Series of senders, from head and disk. What lies in the head is read there; what is older comes
 * from the store; each sample from one of the two.
 */
export interface StoredSeries extends SeriesSource {
  /** In the order of their labels; series without samples in the range are left out. */
  read(selection: Selection, options: SelectOptions): Promise<readonly RawSeries[]>;
}

export function createStoredSeries(store: Store, live: LiveSeries): StoredSeries {
  async function read(selection: Selection, options: SelectOptions): Promise<RawSeries[]> {
    const { matchers, startMs, endMs } = selection;
    const slots = live.select(matchers, startMs, endMs);
    if (slots.length > options.seriesMax) {
      throw new SourceLimitError(`${slots.length} series, the most is ${options.seriesMax}`);
    }
    const headFromMs = live.head?.completeFromMs ?? Number.POSITIVE_INFINITY;
    const older = startMs < headFromMs ? await disk(slots, selection, headFromMs, options) : EMPTY;
    const messages = await histograms(slots, selection, options);
    const found: RawSeries[] = [];
    let samples = 0;
    for (const slot of slots) {
      const id = live.idOf(slot);
      const newer = live.head?.read(slot, Math.max(startMs, headFromMs), endMs) ?? EMPTY_STRETCH;
      const floats = joined(older.get(id) ?? EMPTY_STRETCH, newer);
      const { times: histogramTimes, messages: list } = messages.get(id) ?? NO_HISTOGRAMS;
      samples += floats.times.length + list.length;
      if (samples > options.samplesMax) {
        throw new SourceLimitError(`more samples than ${options.samplesMax}`);
      }
      if (floats.times.length + list.length === 0) continue;
      found.push({ slot, ...floats, histogramTimes, histograms: list });
    }
    return found;
  }

  function disk(
    slots: readonly number[],
    { startMs, endMs }: Selection,
    headFromMs: number,
    options: SelectOptions,
  ): Promise<ReadonlyMap<bigint, Stretch>> {
    const before = Math.min(endMs, headFromMs - 1);
    return readSamples(store, {
      ids: slots.map((slot) => String(live.idOf(slot))),
      startMs,
      endMs: before,
      ...limitsOf(options),
    });
  }

  function histograms(
    slots: readonly number[],
    { startMs, endMs }: Selection,
    options: SelectOptions,
  ): ReturnType<typeof readHistograms> {
    const ids = slots
      .filter((slot) => live.hasHistograms(slot))
      .map((slot) => String(live.idOf(slot)));
    return readHistograms(store, { ids, startMs, endMs, ...limitsOf(options) });
  }

  return {
    read,
    select: async (selection, options) => {
      const series = await read(selection, options);
      return series.map((one) => toSamples(one, live));
    },
  };
}

const EMPTY: ReadonlyMap<bigint, Stretch> = new Map();
const NO_HISTOGRAMS = { times: [], messages: [] };

function limitsOf({ samplesMax, signal }: SelectOptions): {
  samplesMax: number;
  signal?: AbortSignal;
} {
  return { samplesMax, ...(signal instanceof AbortSignal ? { signal } : {}) };
}

function toSamples(series: RawSeries, live: LiveSeries): SeriesSamples {
  const labels = live.labelsOf(series.slot);
  if (series.histograms.length === 0) {
    return { labels, times: series.times, values: series.values };
  }
  return { labels, ...withHistograms(series) };
}

/** Floats and histograms of one series by time; of two at one time the histogram stays. */
function withHistograms(series: RawSeries): Omit<SeriesSamples, 'labels'> {
  const { times, values, histogramTimes, histograms } = series;
  const floatBits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  const size = times.length + histograms.length;
  const allTimes = new Float64Array(size);
  const allValues = new Float64Array(size);
  const allBits = new BigUint64Array(allValues.buffer);
  const all: (Histogram | undefined)[] = [];
  let [float, next, count] = [0, 0, 0];
  while (float < times.length || next < histograms.length) {
    const floatMs = times[float] ?? Number.POSITIVE_INFINITY;
    const histogramMs = histogramTimes[next] ?? Number.POSITIVE_INFINITY;
    if (floatMs < histogramMs) {
      allTimes[count] = floatMs;
      allBits[count] = floatBits[float] ?? 0n;
      all[count] = undefined;
      float += 1;
      count += 1;
      continue;
    }
    const histogram = toHistogram(histograms[next] ?? new Uint8Array(0));
    next += 1;
    if (floatMs === histogramMs) float += 1;
    if (histogram === undefined) continue;
    allTimes[count] = histogramMs;
    allValues[count] = histogram.sum;
    all[count] = histogram;
    count += 1;
  }
  return {
    times: allTimes.subarray(0, count),
    values: allValues.subarray(0, count),
    histograms: all.slice(0, count),
  };
}
