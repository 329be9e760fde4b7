// Prometheus's test scripts as data. Source: the scripts themselves and their public README.
import type { Histogram, Labels } from '../series-source.ts';

/** `stale` ends a series, `undefined` is a gap. */
export type ScriptSample = number | Histogram | 'stale' | undefined;

export interface ScriptSeries {
  readonly labels: Labels;
  readonly samples: readonly ScriptSample[];
}

export interface Load {
  readonly kind: 'load';
  readonly line: number;
  readonly gapMs: number;
  /** Classic histograms are loaded a second time as native ones with custom buckets. */
  readonly withCustomHistograms: boolean;
  readonly series: readonly ScriptSeries[];
}

export interface TextMatch {
  readonly kind: 'msg' | 'regex';
  readonly text: string;
}

export interface AnnotationExpectation {
  readonly isExpected: boolean;
  /** None: any text. */
  readonly matches: readonly TextMatch[];
}

export interface Expectation {
  readonly isOrdered: boolean;
  readonly fails: boolean;
  readonly failure: readonly TextMatch[];
  /** Undefined: anything goes. */
  readonly warn: AnnotationExpectation | undefined;
  readonly info: AnnotationExpectation | undefined;
  readonly string: string | undefined;
  readonly scalar: number | undefined;
  readonly series: readonly ExpectedSeries[];
  /** Of `expect range vector`: the times of the expected points. */
  readonly vectorTimes: ScriptTimes | undefined;
}

export interface ExpectedSeries extends ScriptSeries {
  /** A histogram's `counter_reset_hint` counts only where it is written. */
  readonly namesHint: boolean;
}

export interface ScriptTimes {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export interface Evaluate {
  readonly kind: 'evaluate';
  readonly line: number;
  readonly query: string;
  readonly times: { readonly timeMs: number } | ScriptTimes;
  readonly expectation: Expectation;
}

/** A command that cannot be read; those after it are. */
export interface Unread {
  readonly kind: 'unread';
  readonly line: number;
  readonly message: string;
}

export type Command = Load | Evaluate | Unread | { readonly kind: 'clear'; readonly line: number };

/** Thrown inside the reader only; `readScript` answers it as a value. */
export class ScriptFault extends Error {
  override readonly name = 'ScriptFault';
}
