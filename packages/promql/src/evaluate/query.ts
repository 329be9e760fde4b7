// What a query is asked with and what it answers.
import type { Histogram, Labels, SeriesSource } from '../series-source.ts';

export interface QueryLimits {
  /** Samples held at once, a histogram counting by its size. */
  readonly samplesMax: number;
  /** Series of one selector, and rows of any result on the way. */
  readonly seriesMax: number;
  /** Points of a series in a range query. */
  readonly stepsMax: number;
  readonly durationMsMax: number;
}

/** Prometheus's own numbers for samples, points and time. */
export const DEFAULT_LIMITS: QueryLimits = {
  samplesMax: 50_000_000,
  seriesMax: 200_000,
  stepsMax: 11_000,
  durationMsMax: 120_000,
};

/** How long a sample stands for its series without a newer one. */
export const LOOKBACK_MS = 300_000;

export interface QueryOptions {
  readonly source: SeriesSource;
  /** Default: 5 minutes. */
  readonly lookbackMs?: number;
  /** The step of a subquery that names none; default: 1 minute. */
  readonly subqueryStepMs?: number;
  readonly limits?: Partial<QueryLimits>;
  /** Such as an `AbortSignal`; looked at between series. */
  readonly signal?: { readonly aborted: boolean };
  readonly isExperimental?: boolean;
  /** Asks for `trace` in the answer. */
  readonly wantsTrace?: boolean;
  readonly host?: QueryHost;
}

/** What the runtime gives; without it there is no time limit, no trace time and no pause. */
export interface QueryHost {
  /** Milliseconds of a clock that never goes back. */
  nowMs(): number;
  /** Gives the event loop a turn, so that `signal` can change during a long evaluation. */
  pause(): Promise<void>;
}

export interface InstantTime {
  readonly timeMs: number;
}

/** Both ends are inclusive; times are milliseconds since the epoch. */
export interface RangeTime {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** Prometheus's API error types. */
export type QueryErrorType = 'bad_data' | 'execution' | 'canceled' | 'timeout' | 'internal';

export interface QueryError {
  readonly type: QueryErrorType;
  readonly message: string;
}

/** One sample; `histogram` present: `value` is meaningless. */
export interface VectorSample {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
  readonly histogram?: Histogram | undefined;
}

/** A series' points in time order. */
export interface MatrixSeries {
  readonly labels: Labels;
  readonly points: readonly {
    readonly timeMs: number;
    readonly value: number;
    readonly histogram?: Histogram | undefined;
  }[];
}

export type QueryValue =
  | { readonly kind: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly kind: 'string'; readonly timeMs: number; readonly value: string }
  /** In the order that `sort`, `topk` and friends gave. */
  | { readonly kind: 'vector'; readonly samples: readonly VectorSample[] }
  /** Sorted by labels. */
  | { readonly kind: 'matrix'; readonly series: readonly MatrixSeries[] };

/** Sorted texts with their place in the query, each once: `PromQL warning: … (1:7)`. */
export interface Annotations {
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** One node of the evaluated tree. */
export interface TraceStage {
  readonly expression: string;
  readonly series: number;
  readonly samples: number;
  /** With its children. */
  readonly durationMs: number;
  readonly children: readonly TraceStage[];
}

export type QueryAnswer =
  | {
      readonly kind: 'answer';
      readonly value: QueryValue;
      readonly annotations: Annotations;
      /** Samples read from the source. */
      readonly samplesRead: number;
      readonly trace?: TraceStage | undefined;
    }
  | { readonly kind: 'error'; readonly error: QueryError; readonly annotations: Annotations };
