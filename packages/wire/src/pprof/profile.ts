/** What one value of a sample counts, such as `cpu` in `nanoseconds`. */
export interface SampleType {
  readonly type: string;
  readonly unit: string;
}

export interface ProfileSample {
  /** Frames from the root to the leaf, joined by `;`. */
  readonly stack: string;
  /** One for each sample type, in their order. */
  readonly values: readonly number[];
  readonly labels: readonly (readonly [key: string, value: string])[];
}

export interface Profile {
  readonly sampleTypes: readonly SampleType[];
  readonly samples: readonly ProfileSample[];
  /** Nanoseconds since the epoch, as a double: exact to 256 ns. 0 when not told. */
  readonly timeNs: number;
  readonly durationNs: number;
  readonly periodType: SampleType;
  readonly period: number;
  /** Stacks that were deeper than `PROFILE_LIMITS.framesMax`, or longer than `stackLengthMax`. */
  readonly shortenedStacks: number;
}

export const PROFILE_LIMITS = {
  samplesMax: 500_000,
  /** Of strings, functions, locations and mappings, each. */
  entriesMax: 1_000_000,
  sampleTypesMax: 32,
  labelsMax: 64,
  framesMax: 1_024,
  /** UTF-16 units of one stack: what a text column takes at three bytes a unit. */
  stackLengthMax: 21_840,
  /** UTF-16 units of all stacks: a small profile can name one long function a million times. */
  stackTextMax: 128 * 2 ** 20,
} as const;

/** The frame that stands for those which were cut off, at the root's side. */
export const SHORTENED = '[shortened]';

/** A frame's name as it stands in a joined stack: `;` and line breaks would split it. */
export function frameName(name: string): string {
  return /[;\r\n]/.test(name) ? name.replace(/[;\r\n]+/g, ':') : name;
}
