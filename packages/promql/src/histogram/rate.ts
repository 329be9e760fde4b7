import type { Histogram } from '../series-source.ts';
import { combineHistograms, type Term } from './arithmetic.ts';
import { isCustom } from './buckets.ts';
import { isReset } from './reset.ts';

export interface RateNotes {
  notCounter(): void;
  notGauge(): void;
  /** Exponential beside custom buckets: there is no answer. */
  incompatible(): void;
  reconciled(operation: 'subtraction' | 'addition'): void;
}

/** `last - first` of a window, for a counter with what it lost at each reset added. */
export function subtractWindow(
  points: readonly Histogram[],
  isCounter: boolean,
  notes: RateNotes,
): Histogram | undefined {
  const [first, second] = points;
  const last = points.at(-1);
  if (first === undefined || second === undefined || last === undefined) return undefined;
  const isGauge = ({ counterReset }: Histogram): boolean => counterReset === 'gauge';
  if (isCounter && points.some(isGauge)) notes.notCounter();
  if (!isCounter && !(isGauge(first) && isGauge(last))) notes.notGauge();

  // After a reset at once the first sample's layout does not matter.
  const startsAnew = isCounter && isReset(second, first);
  const seen = isCounter ? points.slice(startsAnew ? 1 : 0) : [first, last];
  if (new Set(seen.map(isCustom)).size > 1) {
    notes.incompatible();
    return undefined;
  }
  const terms: Term[] = [{ histogram: last, factor: 1 }];
  if (!startsAnew) terms.push({ histogram: first, factor: -1 });
  const lost = isCounter ? lostAtResets(startsAnew ? points.slice(1) : points) : [];
  const layouts: Term[] = seen.map((histogram) => ({ histogram, factor: 0 }));
  const isReconciledFirst = combineHistograms(terms)?.isReconciled === true;
  const combined = combineHistograms([
    ...terms,
    ...lost.map((histogram) => ({ histogram, factor: 1 })),
    ...(isCustom(last) ? [] : layouts),
  ]);
  if (combined === undefined) return undefined;
  if (isReconciledFirst) notes.reconciled('subtraction');
  else if (combined.isReconciled) notes.reconciled('addition');
  return { ...combined.histogram, counterReset: 'gauge' };
}

function lostAtResets(points: readonly Histogram[]): Histogram[] {
  return points.filter((point, i) => {
    const next = points[i + 1];
    return next !== undefined && isReset(next, point);
  });
}
