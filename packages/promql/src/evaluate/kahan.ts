/** Neumaier's compensated sum; `sum` and `compensation` are added at the end. */
export interface Compensated {
  sum: number;
  compensation: number;
}

export function addCompensated(into: Compensated, increment: number): void {
  const total = into.sum + increment;
  if (!Number.isFinite(total)) into.compensation = 0;
  else into.compensation += lostBy(into.sum, increment, total);
  into.sum = total;
}

/** What the finite `total` of two numbers lacks. */
export const lostBy = (sum: number, increment: number, total: number): number =>
  Math.abs(sum) >= Math.abs(increment) ? sum - total + increment : increment - total + sum;

/**
 * A mean that sums while that does not overflow, and then goes on as an incremental mean.
 * Infinities of one sign stay; of both signs give NaN.
 */
export interface Mean {
  count: number;
  isIncremental: boolean;
  readonly state: Compensated;
}

export const newMean = (first: number): Mean => ({
  count: 1,
  isIncremental: false,
  state: { sum: first, compensation: 0 },
});

export function addToMean(mean: Mean, value: number): void {
  const { state } = mean;
  mean.count++;
  if (!mean.isIncremental) {
    const next = { ...state };
    addCompensated(next, value);
    if (Math.abs(next.sum) !== Number.POSITIVE_INFINITY) {
      state.sum = next.sum;
      state.compensation = next.compensation;
      return;
    }
    mean.isIncremental = true;
    state.sum /= mean.count - 1;
    state.compensation /= mean.count - 1;
  }
  if (Math.abs(state.sum) === Number.POSITIVE_INFINITY) {
    // Only a NaN or the other infinity changes an infinite mean.
    if (value === state.sum || Number.isFinite(value)) return;
  }
  const weight = (mean.count - 1) / mean.count;
  const sum = { sum: value / mean.count, compensation: weight * state.compensation };
  addCompensated(sum, weight * state.sum);
  state.sum = sum.sum;
  state.compensation = sum.compensation;
}

export function readMean({ count, isIncremental, state }: Mean): number {
  if (isIncremental) return state.sum + state.compensation;
  return state.sum / count + state.compensation / count;
}

/** Of values in any order; NaN sorts first. Outside 0..1 an infinity, of nothing NaN. */
export function quantileOf(q: number, values: number[]): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  values.sort((a, b) => (Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - b));
  const rank = q * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return (values[lower] ?? Number.NaN) * (1 - weight) + (values[upper] ?? Number.NaN) * weight;
}
