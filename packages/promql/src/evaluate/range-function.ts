import { labelValue, NAME_LABEL } from '../labels.ts';
import type { Histogram } from '../series-source.ts';
import type { AnnotationLog } from './annotations.ts';
import type { Window } from './window.ts';

/** What a range function knows beside its window. */
export interface RangeCallContext {
  readonly annotations: AnnotationLog;
  /** Where annotations point: the range argument. */
  readonly at: { readonly start: number };
  readonly rangeMs: number;
  /** Scalar arguments at this step, in order. */
  readonly scalars: readonly number[];
  /** The instant of the evaluation, which `offset` and `@` do not move. */
  readonly nowMs: number;
}

/** Undefined: no sample at this step. */
export type RangeFunction = (
  window: Window,
  context: RangeCallContext,
) => number | Histogram | undefined;

export const metricOf = (window: Window): string => labelValue(window.series.labels, NAME_LABEL);
