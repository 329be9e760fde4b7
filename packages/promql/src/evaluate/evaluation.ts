import type { Expression } from '../parse/ast.ts';
import type { SeriesSource } from '../series-source.ts';
import type { AnnotationLog } from './annotations.ts';
import type { QueryErrorType, QueryLimits } from './query.ts';
import type { RowTaker, Value } from './row.ts';

/** Ends a query; becomes its answer. */
export class QueryFault extends Error {
  override readonly name = 'QueryFault';
  readonly type: QueryErrorType;

  constructor(type: QueryErrorType, message: string) {
    super(message);
    this.type = type;
  }
}

export const executionFault = (message: string): QueryFault => new QueryFault('execution', message);
export const sameLabelset = (): QueryFault =>
  executionFault('vector cannot contain metrics with the same labelset');

/** Instants at which an expression is evaluated: start, start + step, … */
export interface TimeGrid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
}

export const timeAt = (grid: TimeGrid, step: number): number => grid.startMs + step * grid.stepMs;

/** One running query. */
export interface Evaluation {
  readonly source: SeriesSource;
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
  readonly limits: QueryLimits;
  readonly annotations: AnnotationLog;
  readonly signal: { readonly aborted: boolean };
  /** Of the whole query: what `@ start()`, `step()` and friends mean. */
  readonly query: {
    readonly startMs: number;
    readonly endMs: number;
    readonly stepMs: number;
    readonly isInstant: boolean;
  };
  evaluate(expression: Expression, grid: TimeGrid): Promise<Value>;
  /**
   * The rows of a vector one after the other, in the order that `evaluate` gives them, so that a
   * large vector that is folded needs no memory.
   */
  walk(expression: Expression, grid: TimeGrid, taker: RowTaker): Promise<void>;
  /** Counts samples that came from the source, and rejects past the limit. */
  countRead(samples: number): void;
  /** Call for each series with a measure of work; now and then gives the event loop a turn. */
  work(units: number): Promise<void> | undefined;
}
