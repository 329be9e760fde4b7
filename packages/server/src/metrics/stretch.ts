/** Samples of one series in the order of time, each time once. */
export interface Stretch {
  readonly times: Float64Array;
  /** Look at the buffer for a stale marker: reading a NaN as a number may lose its bits. */
  readonly values: Float64Array;
}

export const EMPTY_STRETCH: Stretch = { times: new Float64Array(0), values: new Float64Array(0) };

/** Samples in the making, the values as their bits; its columns are used again. */
export interface StretchBuffer {
  clear(): void;
  /** Room for `more` behind what is there: the columns may be others afterwards. */
  reserve(more: number): void;
  times: Float64Array<ArrayBuffer>;
  halves: Uint32Array<ArrayBuffer>;
  count: number;
  /** Views: good until the next `clear`. */
  view(): Stretch;
}

const FIRST_SAMPLES = 1_024;

export function createStretchBuffer(): StretchBuffer {
  let doubles = new Float64Array(FIRST_SAMPLES);
  const buffer: StretchBuffer = {
    times: new Float64Array(FIRST_SAMPLES),
    halves: new Uint32Array(doubles.buffer),
    count: 0,
    clear: () => {
      buffer.count = 0;
    },
    reserve: (more) => {
      const wanted = buffer.count + more;
      if (wanted <= buffer.times.length) return;
      const times = new Float64Array(2 * wanted);
      times.set(buffer.times);
      doubles = new Float64Array(2 * wanted);
      const halves = new Uint32Array(doubles.buffer);
      halves.set(buffer.halves);
      buffer.times = times;
      buffer.halves = halves;
    },
    view: () => ({
      times: buffer.times.subarray(0, buffer.count),
      values: doubles.subarray(0, buffer.count),
    }),
  };
  return buffer;
}

/** A copy that stays as it is. */
export function keptStretch({ times, values }: Stretch): Stretch {
  // By bytes: a stale marker is a NaN of its own.
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { times: times.slice(), values: new Float64Array(bytes.slice().buffer) };
}

/** Puts a stretch behind what the buffer holds. */
export function appendStretch(buffer: StretchBuffer, { times, values }: Stretch): void {
  buffer.reserve(times.length);
  buffer.times.set(times, buffer.count);
  const halves = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  buffer.halves.set(halves, 2 * buffer.count);
  buffer.count += times.length;
}

/** Which of two values at one time stays must not depend on which came first. */
export function isSmaller(low: number, high: number, halves: Uint32Array, at: number): boolean {
  const otherHigh = halves[2 * at + 1] ?? 0;
  return high < otherHigh || (high === otherHigh && low < (halves[2 * at] ?? 0));
}
