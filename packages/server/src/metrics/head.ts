/** A stretch of one series: views that stay as they are, whatever comes later. */
export interface Stretch {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

export const EMPTY_STRETCH: Stretch = { times: new Float64Array(0), values: new Float64Array(0) };

/**
 * The newest samples, in memory as plain columns: a query reads views of them, with no copy and no
 * decoding. Everything in it is on disk too. It holds every sample from `completeFromMs` on; when
 * its bytes are used up, that moves forward.
 */
export interface Head {
  append(slot: number, timeMs: number, low: number, high: number): void;
  /** Samples of both ends' times and between. */
  read(slot: number, startMs: number, endMs: number): Stretch;
  readonly completeFromMs: number;
  /** Says that from here on the head has all there is. Earlier samples are forgotten. */
  completeFrom(timeMs: number): void;
  /** Makes room when more than the limit is used. Call every few seconds. */
  trim(nowMs: number): void;
  readonly bytes: number;
  readonly samples: number;
}

export interface HeadLimits {
  readonly bytesMax: number;
  /** Samples older than this are given up first. */
  readonly windowMs: number;
}

export const HEAD_LIMITS: HeadLimits = {
  // 16 bytes a sample: 10,000 series at 15 s for six hours.
  bytesMax: 256 * 2 ** 20,
  windowMs: 6 * 3_600_000,
};

interface HeadSeries {
  times: Float64Array<ArrayBuffer>;
  /** The values' bits: a stale marker must not go through a number. */
  halves: Uint32Array<ArrayBuffer>;
  count: number;
  /** Samples that came out of order, flat: time, low, high. Merged in when somebody reads. */
  late: number[];
}

/** What a series costs beside its samples. */
const SERIES_BYTES = 400;
const SAMPLE_BYTES = 16;
const FIRST_SAMPLES = 8;
const LATE_MAX = 3 * 256;

/** Samples on their way into their series, as columns in the order in which they came. */
interface Pending {
  readonly count: number;
  readonly isFull: boolean;
  push(slot: number, timeMs: number, low: number, high: number): void;
  /** Gives all of them away, by slot, and of one slot in their order. */
  takeBySlot(put: (slot: number, timeMs: number, low: number, high: number) => void): void;
}

/** Six megabytes; at half a million samples a second it is full twice a second. */
const PENDING_MAX = 262_144;

function createPending(): Pending {
  const slots = new Uint32Array(PENDING_MAX);
  const times = new Float64Array(PENDING_MAX);
  const halves = new Uint32Array(2 * PENDING_MAX);
  let count = 0;
  let largest = 0;

  return {
    get count() {
      return count;
    },
    get isFull() {
      return count === PENDING_MAX;
    },
    push: (slot, timeMs, low, high) => {
      slots[count] = slot;
      times[count] = timeMs;
      halves[2 * count] = low;
      halves[2 * count + 1] = high;
      if (slot > largest) largest = slot;
      count += 1;
    },
    takeBySlot: (put) => {
      // A counting sort: where each slot's samples begin, then the samples' numbers in that order.
      const starts = new Uint32Array(largest + 2);
      for (let at = 0; at < count; at += 1) {
        const next = (slots[at] ?? 0) + 1;
        starts[next] = (starts[next] ?? 0) + 1;
      }
      for (let slot = 1; slot < starts.length; slot += 1) {
        starts[slot] = (starts[slot] ?? 0) + (starts[slot - 1] ?? 0);
      }
      const order = new Uint32Array(count);
      for (let at = 0; at < count; at += 1) {
        const slot = slots[at] ?? 0;
        const place = starts[slot] ?? 0;
        order[place] = at;
        starts[slot] = place + 1;
      }
      count = 0;
      largest = 0;
      for (const at of order) {
        put(slots[at] ?? 0, times[at] ?? 0, halves[2 * at] ?? 0, halves[2 * at + 1] ?? 0);
      }
    },
  };
}

export function createHead(limits: HeadLimits = HEAD_LIMITS): Head {
  const series: (HeadSeries | undefined)[] = [];
  let completeFromMs = Number.POSITIVE_INFINITY;
  let windowMs = limits.windowMs;
  let bytes = 0;
  let samples = 0;

  function of(slot: number): HeadSeries {
    let one = series[slot];
    if (one === undefined) {
      one = { ...columnsOf(FIRST_SAMPLES), count: 0, late: [] };
      series[slot] = one;
      bytes += SERIES_BYTES + FIRST_SAMPLES * SAMPLE_BYTES;
    }
    return one;
  }

  const pending = createPending();

  function append(slot: number, timeMs: number, low: number, high: number): void {
    if (pending.isFull) drain();
    pending.push(slot, timeMs, low, high);
  }

  /** Into the series, one after the other: each one's memory is touched once for many samples. */
  function drain(): void {
    pending.takeBySlot(put);
  }

  function put(slot: number, timeMs: number, low: number, high: number): void {
    const one = of(slot);
    const last = one.count === 0 ? Number.NEGATIVE_INFINITY : (one.times[one.count - 1] ?? 0);
    if (timeMs <= last) {
      one.late.push(timeMs, low, high);
      if (one.late.length >= LATE_MAX) mergeLate(one);
      return;
    }
    if (one.count === one.times.length) resize(one, true);
    one.times[one.count] = timeMs;
    one.halves[2 * one.count] = low;
    one.halves[2 * one.count + 1] = high;
    one.count += 1;
    samples += 1;
  }

  /** Into new arrays, without what is too old: readers keep the old ones. */
  function resize(one: HeadSeries, forMore: boolean): void {
    const from = Number.isFinite(completeFromMs)
      ? firstAtOrAfter(one.times, one.count, completeFromMs)
      : 0;
    const live = one.count - from;
    const capacity = Math.max(FIRST_SAMPLES, forMore ? Math.ceil(live * 1.5) + 1 : live);
    const { times, halves } = columnsOf(capacity);
    times.set(one.times.subarray(from, one.count));
    halves.set(one.halves.subarray(2 * from, 2 * one.count));
    bytes += (capacity - one.times.length) * SAMPLE_BYTES;
    samples -= from;
    one.times = times;
    one.halves = halves;
    one.count = live;
  }

  function mergeLate(one: HeadSeries): void {
    const merged = mergeSamples(one);
    bytes += (merged.times.length - one.times.length) * SAMPLE_BYTES;
    samples += merged.count - one.count;
    one.times = merged.times;
    one.halves = merged.halves;
    one.count = merged.count;
    one.late = [];
  }

  function read(slot: number, startMs: number, endMs: number): Stretch {
    if (pending.count > 0) drain();
    const one = series[slot];
    if (one === undefined) return EMPTY_STRETCH;
    if (one.late.length > 0) mergeLate(one);
    const from = firstAtOrAfter(one.times, one.count, startMs);
    const to = firstAtOrAfter(one.times, one.count, endMs + 0.5);
    if (from >= to) return EMPTY_STRETCH;
    const values = new Float64Array(one.halves.buffer, from * 8, to - from);
    return { times: one.times.subarray(from, to), values };
  }

  function trim(nowMs: number): void {
    drain();
    while (bytes > limits.bytesMax && windowMs > 1) {
      // Three quarters each time, until it fits.
      completeFromMs = Math.max(finite(completeFromMs), nowMs - windowMs);
      for (const one of series) if (one !== undefined) resize(one, false);
      if (bytes > limits.bytesMax) windowMs *= 0.75;
    }
    if (Number.isFinite(completeFromMs))
      completeFromMs = Math.max(completeFromMs, nowMs - windowMs);
  }

  return {
    append,
    read,
    trim,
    completeFrom: (timeMs) => {
      completeFromMs = timeMs;
    },
    get completeFromMs() {
      return completeFromMs;
    },
    get bytes() {
      return bytes;
    },
    get samples() {
      return samples + pending.count;
    },
  };
}

const finite = (value: number): number =>
  Number.isFinite(value) ? value : Number.NEGATIVE_INFINITY;

function columnsOf(capacity: number): Pick<HeadSeries, 'times' | 'halves'> {
  return { times: new Float64Array(capacity), halves: new Uint32Array(2 * capacity) };
}

/** In the first `count` of ascending `times`: the first that is not before `timeMs`. */
export function firstAtOrAfter(times: Float64Array, count: number, timeMs: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Late samples between the others; of two at one time the one with the smaller bits stays. */
function mergeSamples(one: HeadSeries): Pick<HeadSeries, 'times' | 'halves' | 'count'> {
  const late: [timeMs: number, low: number, high: number][] = [];
  for (let at = 0; at < one.late.length; at += 3) {
    late.push([one.late[at] ?? 0, one.late[at + 1] ?? 0, one.late[at + 2] ?? 0]);
  }
  late.sort(([left], [right]) => left - right);
  const { times, halves } = columnsOf(one.count + late.length + FIRST_SAMPLES);
  let count = 0;
  const put = (timeMs: number, low: number, high: number): void => {
    const isSame = count > 0 && times[count - 1] === timeMs;
    if (isSame && !isSmaller(low, high, halves, count - 1)) return;
    if (!isSame) count += 1;
    times[count - 1] = timeMs;
    halves[2 * count - 2] = low;
    halves[2 * count - 1] = high;
  };
  let next = 0;
  for (let at = 0; at < one.count; at += 1) {
    const timeMs = one.times[at] ?? 0;
    for (let item = late[next]; item !== undefined && item[0] < timeMs; item = late[next]) {
      put(...item);
      next += 1;
    }
    put(timeMs, one.halves[2 * at] ?? 0, one.halves[2 * at + 1] ?? 0);
  }
  for (; next < late.length; next += 1) {
    const item = late[next];
    if (item !== undefined) put(...item);
  }
  return { times, halves, count };
}

/** Which of two values at one time stays must not depend on which came first. */
export function isSmaller(low: number, high: number, halves: Uint32Array, at: number): boolean {
  const otherHigh = halves[2 * at + 1] ?? 0;
  return high < otherHigh || (high === otherHigh && low < (halves[2 * at] ?? 0));
}
