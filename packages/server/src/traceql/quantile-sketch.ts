/**
 * Counts of values in buckets that grow by a constant factor, by bucket: each quantile is within 1 %
 * of a value that was added. At most some thousand buckets, whatever the values are.
 *
 * Source: Masson, Rim, Lee: "DDSketch" (2019).
 */
export type QuantileSketch = Map<number, number>;

const ERROR_MAX = 0.01;
const GAMMA = (1 + ERROR_MAX) / (1 - ERROR_MAX);
const LOG_GAMMA = Math.log(GAMMA);
/** Above the index of every double, so that the sign of a key is the sign of its values. */
const KEY_OFFSET = 1e6;

/** `value` is between -1e300 and 1e300; `count` is how often it came. */
export function addToSketch(sketch: QuantileSketch, value: number, count: number): void {
  const key =
    value === 0
      ? 0
      : Math.sign(value) * (Math.ceil(Math.log(Math.abs(value)) / LOG_GAMMA) + KEY_OFFSET);
  sketch.set(key, (sketch.get(key) ?? 0) + count);
}

/** The least value that at least the share `quantile` of all is not above. NaN of an empty sketch. */
export function quantileOf(sketch: QuantileSketch, quantile: number): number {
  const keys = [...sketch.keys()].sort((a, b) => a - b);
  const total = keys.reduce((sum, key) => sum + (sketch.get(key) ?? 0), 0);
  let below = 0;
  for (const key of keys) {
    below += sketch.get(key) ?? 0;
    if (below >= quantile * total) return middleOf(key);
  }
  return Number.NaN;
}

/** The middle of a bucket, by relative error. */
function middleOf(key: number): number {
  if (key === 0) return 0;
  return Math.sign(key) * GAMMA ** (Math.abs(key) - KEY_OFFSET) * (2 / (GAMMA + 1));
}
