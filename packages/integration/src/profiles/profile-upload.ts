import type { Profile, SampleType } from '@thalweg/wire';

/** How much of `event` was seen at a stack. */
export interface StackValue {
  readonly stack: string;
  readonly event: string;
  readonly unit: string;
  readonly value: number;
  readonly labels: readonly (readonly [name: string, value: string])[];
}

/** What one upload says about one process. */
export interface ProfileUpload {
  readonly app: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly language: string;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly values: readonly StackValue[];
  /** Values below zero: a difference that went wrong. */
  readonly negative: number;
}

/** How the sender wants a sample type to be kept. Source: Pyroscope's sample_type_config. */
export interface SampleTypeRule {
  readonly unit: string;
  readonly displayName: string;
  readonly isCumulative: boolean;
}
export type SampleTypeRules = Readonly<Record<string, SampleTypeRule>>;

/** Stacks times events of one upload. */
export const VALUES_MAX = 1_000_000;

/**
 * The values of a pprof, one for each stack and sample type that is not zero. With `rules` only the
 * sample types that they name are kept; a cumulative one is what it gained since `previous`.
 * A text says why it is too much.
 */
export function stackValuesOf(
  profile: Profile,
  rules: SampleTypeRules | undefined,
  previous: Profile | undefined,
): { values: StackValue[]; negative: number } | string {
  const values: StackValue[] = [];
  let negative = 0;
  for (const [at, type] of profile.sampleTypes.entries()) {
    const rule = rules?.[type.type];
    if (rules !== undefined && rule === undefined) continue;
    const before = rule?.isCumulative === true ? totalsOf(previous, type) : undefined;
    const named = eventOf(type, rule);
    for (const { stack, labels, values: numbers } of profile.samples) {
      const value = (numbers[at] ?? 0) - (before?.get(stack) ?? 0);
      before?.delete(stack);
      if (value < 0) negative += 1;
      if (value <= 0) continue;
      if (values.length === VALUES_MAX) return `more than ${VALUES_MAX} values`;
      values.push({ stack, ...named, value, labels });
    }
  }
  return { values, negative };
}

function eventOf(
  type: SampleType,
  rule: SampleTypeRule | undefined,
): { event: string; unit: string } {
  return { event: rule?.displayName || type.type, unit: rule?.unit || type.unit };
}

function totalsOf(profile: Profile | undefined, type: SampleType): Map<string, number> {
  const totals = new Map<string, number>();
  const at = profile?.sampleTypes.findIndex((one) => one.type === type.type) ?? -1;
  if (profile === undefined || at < 0) return totals;
  for (const { stack, values } of profile.samples) {
    totals.set(stack, (totals.get(stack) ?? 0) + (values[at] ?? 0));
  }
  return totals;
}
