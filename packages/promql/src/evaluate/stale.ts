/** The NaN that marks the end of a series. Source: Prometheus docs, "Staleness"; remote-write 1.0. */
const STALE_LOW = 0x00000002;
const STALE_HIGH = 0x7ff00000;

/** The low and high words of each value; reading a NaN as a number may lose its bits. */
export const wordsOf = (values: Float64Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length * 2);

/** Little-endian, as every machine that JavaScript engines run on today. */
export const isStale = (words: Uint32Array, index: number): boolean =>
  words[2 * index] === STALE_LOW && words[2 * index + 1] === STALE_HIGH;

/** The same of a value among others; a number is none, and costs no look at its words. */
export const isStaleAt = (values: Float64Array, index: number): boolean =>
  Number.isNaN(values[index]) && isStale(wordsOf(values), index);

export function setStale(values: Float64Array, index: number): void {
  const words = wordsOf(values);
  words[2 * index] = STALE_LOW;
  words[2 * index + 1] = STALE_HIGH;
}
