import type { z } from 'zod';

/** A configuration with every mistake that was found, each naming its key and the fix. */
export type SettingsResult<Settings> =
  | { readonly kind: 'valid'; readonly settings: Settings }
  | { readonly kind: 'invalid'; readonly mistakes: readonly string[] };

/**
 * Reads settings for `schema` (an object schema whose keys carry defaults and descriptions) from
 * what a file gave and from the environment, which wins. An environment name is `prefix` and the
 * key in capitals: `prefix` "THALWEG_AGENT_" and key `spool_bytes_max` give
 * THALWEG_AGENT_SPOOL_BYTES_MAX. All mistakes are named at once; unknown keys are mistakes.
 */
export function parseSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  options: {
    readonly given: unknown;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly prefix: string;
  },
): SettingsResult<z.infer<z.ZodObject<Shape>>> {
  const { given, environment, prefix } = options;
  const keys = Object.keys(schema.shape);
  if (
    given !== undefined &&
    (typeof given !== 'object' || given === null || Array.isArray(given))
  ) {
    return { kind: 'invalid', mistakes: ['the configuration is not a map of keys to values'] };
  }
  const values: Record<string, unknown> = { ...given };
  const mistakes = Object.keys(values)
    .filter((key) => !keys.includes(key))
    .map((key) => unknownKey(key, keys));
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || text === undefined) continue;
    const key = name.slice(prefix.length).toLowerCase();
    if (keys.includes(key)) values[key] = text;
    else mistakes.push(`environment ${name}: ${unknownKey(key, keys)}`);
  }
  const known = Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));
  const parsed = schema.safeParse(known);
  if (!parsed.success) {
    mistakes.push(
      ...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    );
  }
  if (mistakes.length > 0 || !parsed.success) return { kind: 'invalid', mistakes };
  return { kind: 'valid', settings: parsed.data };
}

function unknownKey(key: string, keys: readonly string[]): string {
  const near = nearest(key, keys);
  return `unknown key "${key}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

/** The candidate with the least edits, if they are few enough for a slip of the fingers. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.slice(0, 64), candidate.slice(0, 64));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance, row by row. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
