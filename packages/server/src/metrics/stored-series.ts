import {
  type Histogram,
  type Labels,
  type Selection,
  type SelectOptions,
  type SeriesSamples,
  type SeriesSource,
  SourceLimitError,
} from '@thalweg/promql';
import type { Store } from '../storage/store.ts';
import type { HeadReader } from './head.ts';
import type { LiveSeries } from './live-series.ts';
import { toHistogram } from './native-histogram.ts';
import { readHistograms, readSamples } from './samples-on-disk.ts';
import {
  appendStretch,
  createStretchBuffer,
  EMPTY_STRETCH,
  type Stretch,
  type StretchBuffer,
} from './stretch.ts';

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
  /**
   * In the order of their labels; series without samples in the range are left out. To be walked
   * once, and a series' columns are good until the next one.
   */
  read(selection: Selection, options: SelectOptions): Promise<Iterable<RawSeries>>;
}

/** An hour of a sample each 15 s is 3 KB a series: these fit in a core's own cache. */
const LOAD_SERIES = 64;

export function createStoredSeries(store: Store, live: LiveSeries): StoredSeries {
  async function read<Series>(
    selection: Selection,
    options: SelectOptions,
    map: (series: RawSeries) => Series,
  ): Promise<Iterable<Series>> {
    const { matchers, startMs, endMs } = selection;
    const slots = live.select(matchers, startMs, endMs);
    if (slots.length > options.seriesMax) {
      throw new SourceLimitError(`${slots.length} series, the most is ${options.seriesMax}`);
    }
    const head = live.head?.open();
    try {
      const headFromMs = head?.fromMs ?? Number.POSITIVE_INFINITY;
      const older = startMs < headFromMs ? await disk(slots, selection, headFromMs, options) : NONE;
      const messages = await histograms(slots, selection, options);
      const found = { slots, selection, head, older, messages, samplesMax: options.samplesMax };
      return walk(found, map);
    } catch (error) {
      head?.close();
      throw error;
    }
  }

  function* walk<Series>(found: Found, map: (series: RawSeries) => Series): Generator<Series> {
    const { selection, head, older, messages, samplesMax } = found;
    const { startMs, endMs } = selection;
    const both = older.size === 0 ? undefined : createStretchBuffer();
    let samples = 0;
    try {
      for (const [at, slot] of found.slots.entries()) {
        if (at % LOAD_SERIES === 0) head?.load(found.slots.slice(at, at + LOAD_SERIES), startMs);
        // It was forgotten while the store was asked.
        if (live.labelsOf(slot).length === 0) continue;
        const newer = head?.read(slot, startMs, endMs) ?? EMPTY_STRETCH;
        const before = both === undefined ? undefined : older.get(live.idOf(slot));
        const floats =
          both === undefined || before === undefined ? newer : joined(both, before, newer);
        const { times: histogramTimes, messages: histograms } =
          messages.size === 0 ? NO_HISTOGRAMS : (messages.get(live.idOf(slot)) ?? NO_HISTOGRAMS);
        const { times, values } = floats;
        const count = times.length + histograms.length;
        samples += count;
        if (samples > samplesMax) throw new SourceLimitError(`more samples than ${samplesMax}`);
        if (count > 0) yield map({ slot, times, values, histogramTimes, histograms });
      }
    } finally {
      head?.close();
    }
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

  async function histograms(
    slots: readonly number[],
    { startMs, endMs }: Selection,
    options: SelectOptions,
  ): Promise<Found['messages']> {
    const native = slots.filter((slot) => live.hasHistograms(slot));
    if (native.length === 0) return NO_MESSAGES;
    const ids = native.map((slot) => String(live.idOf(slot)));
    return readHistograms(store, { ids, startMs, endMs, ...limitsOf(options) });
  }

  return {
    read: (selection, options) => read(selection, options, (series) => series),
    select: (selection, options) =>
      read(selection, options, (series) => toSamples(series, live.labelsOf(series.slot))),
  };
}

interface Found {
  readonly slots: readonly number[];
  readonly selection: Selection;
  readonly head: HeadReader | undefined;
  readonly older: ReadonlyMap<bigint, Stretch>;
  readonly messages: Awaited<ReturnType<typeof readHistograms>>;
  readonly samplesMax: number;
}

/** The second behind the first, in the buffer. */
function joined(buffer: StretchBuffer, one: Stretch, other: Stretch): Stretch {
  buffer.clear();
  appendStretch(buffer, one);
  appendStretch(buffer, other);
  return buffer.view();
}

const NONE: ReadonlyMap<bigint, Stretch> = new Map();
const NO_MESSAGES: Found['messages'] = new Map();
const NO_HISTOGRAMS = { times: [], messages: [] };

function limitsOf({ samplesMax, signal }: SelectOptions): {
  samplesMax: number;
  signal?: AbortSignal;
} {
  return { samplesMax, ...(signal instanceof AbortSignal ? { signal } : {}) };
}

function toSamples(series: RawSeries, labels: Labels): SeriesSamples {
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
