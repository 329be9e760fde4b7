import type { Histogram } from '../series-source.ts';
import { combineHistograms, divideHistogram } from './arithmetic.ts';

/** Called at most once for what happened while folding. */
export interface FoldNotes {
  /** Exponential beside custom buckets: there is no answer. */
  incompatible(): void;
  reconciled(): void;
  /** Hints of a reset beside hints of none. */
  collided(): void;
}

/** The sum; undefined for none, and where buckets cannot be added. */
export function addHistograms(
  histograms: readonly Histogram[],
  notes: FoldNotes,
): Histogram | undefined {
  return fold(histograms, 1, notes);
}

/** The sum over the number; scaled first where the sum would overflow. */
export function averageHistograms(
  histograms: readonly Histogram[],
  notes: FoldNotes,
): Histogram | undefined {
  const sum = fold(histograms, 1, notes);
  if (sum === undefined) return undefined;
  const fits = Number.isFinite(sum.count) && Number.isFinite(sum.sum);
  if (fits) return divideHistogram(sum, histograms.length);
  return fold(histograms, 1 / histograms.length, notes) ?? sum;
}

function fold(
  histograms: readonly Histogram[],
  factor: number,
  notes: FoldNotes,
): Histogram | undefined {
  if (histograms.length === 0) return undefined;
  const combined = combineHistograms(histograms.map((histogram) => ({ histogram, factor })));
  if (combined === undefined) {
    notes.incompatible();
    return undefined;
  }
  if (combined.isReconciled) notes.reconciled();
  const hints = new Set(histograms.map(({ counterReset }) => counterReset));
  if (hints.has('reset') && hints.has('not-reset')) notes.collided();
  return { ...combined.histogram, counterReset: foldedHint(hints) };
}

/** One hint stays, a gauge makes a gauge, anything else is unknown. */
export function foldedHint(
  hints: ReadonlySet<Histogram['counterReset']>,
): Histogram['counterReset'] {
  if (hints.has('gauge')) return 'gauge';
  const [only = 'unknown', ...others] = hints;
  return others.length === 0 ? only : 'unknown';
}
