/** Labels of a series, `__name__` among them, sorted by name in code-unit order. */
export type Labels = readonly (readonly [name: string, value: string])[];

export interface Matcher {
  readonly name: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  /** For `=~` and `!~` an RE2 pattern that must match the whole value. */
  readonly value: string;
}

/** A native histogram. Source: Prometheus docs, "Native Histograms". */
export interface Histogram {
  /** -4 to 8: buckets grow by 2^(2^-schema). -53: custom bounds. */
  readonly schema: number;
  readonly sum: number;
  readonly count: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: HistogramBuckets;
  readonly negative: HistogramBuckets;
  /** Upper bounds for schema -53, ascending, without +Inf. */
  readonly customBounds: readonly number[];
  readonly counterReset: 'unknown' | 'reset' | 'not-reset' | 'gauge';
}

export interface HistogramBuckets {
  /** Offset to the end of the span before (of the first: its index), and number of buckets. */
  readonly spans: readonly { readonly offset: number; readonly length: number }[];
  /** Absolute counts, one for each bucket that a span covers. */
  readonly counts: readonly number[];
}

/**
 * One series' samples, in time order, one a millisecond at most. A stale marker is the NaN with the
 * bits 0x7ff0000000000002: look at the buffer, because reading a NaN as a number may lose its bits.
 */
export interface SeriesSamples {
  readonly labels: Labels;
  /** Milliseconds since the epoch. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Where a sample is a histogram; its place in `values` is then its sum. Absent: all floats. */
  readonly histograms?: readonly (Histogram | undefined)[];
}

/** All matchers must match; an absent label has the empty value. Both ends are inclusive. */
export interface Selection {
  readonly matchers: readonly Matcher[];
  readonly startMs: number;
  readonly endMs: number;
}

/** A range function over one selector, evaluated for `start, start + step, … ≤ end`. */
export interface RangeCall {
  readonly name: string;
  readonly matchers: readonly Matcher[];
  /** The window is left-open: (t - offset - range, t - offset]. */
  readonly rangeMs: number;
  readonly offsetMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** A row for each series, a value for each step; NaN with `has` 0 where there is none. */
export interface GridSeries {
  readonly labels: Labels;
  readonly values: Float64Array;
  readonly has: Uint8Array;
}

export interface SelectOptions {
  /** Such as an `AbortSignal`. */
  readonly signal: { readonly aborted: boolean };
  /** The source rejects with `SourceLimitError` rather than answer with more. */
  readonly samplesMax: number;
  readonly seriesMax: number;
}

/** Where the evaluator gets series from. Answers are sorted by labels. */
export interface SeriesSource {
  /**
   * The answer is walked once, soon and to its end (or left by a throw, which ends it). A series'
   * columns may be used again for the next one: copy what outlives it. A series may be empty.
   */
  select(selection: Selection, options: SelectOptions): Promise<Iterable<SeriesSamples>>;
  /** Evaluates near the data where that is cheaper; undefined: fetch and evaluate here. */
  evaluateRange?(
    call: RangeCall,
    options: SelectOptions,
  ): Promise<readonly GridSeries[] | undefined>;
}

/** More samples or series than the caller allowed; the message names the thing and the limit. */
export class SourceLimitError extends Error {
  override readonly name = 'SourceLimitError';
}
