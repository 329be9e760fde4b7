/** A field's value with its type kept: `i` and `u` are 64 bits wide, so they stay texts of digits. */
export type InfluxValue =
  | { readonly kind: 'float'; readonly number: number }
  | { readonly kind: 'integer' | 'unsigned'; readonly number: number; readonly digits: string }
  | { readonly kind: 'boolean'; readonly isTrue: boolean }
  | { readonly kind: 'string'; readonly text: string };

export interface InfluxPoint {
  readonly measurement: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly fields: readonly (readonly [key: string, value: InfluxValue])[];
  /** Nanoseconds since the epoch; undefined when the line has no time of its own. */
  readonly timestampNs: bigint | undefined;
}

/** How many nanoseconds one unit of a line's timestamp is. */
export const PRECISIONS: Readonly<Record<string, bigint>> = {
  n: 1n,
  ns: 1n,
  u: 1_000n,
  us: 1_000n,
  µ: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

export const INFLUX_LIMITS = {
  linesMax: 1_000_000,
  lineBytesMax: 1_048_576,
  tagsMax: 256,
  fieldsMax: 4_096,
} as const;
