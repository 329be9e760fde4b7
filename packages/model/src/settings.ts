import type { z } from 'zod';

/** One place that settings come from: a file, the environment, the command line. */
export interface SettingsSource {
  /** As a person finds it: `file thalweg.yaml`, `environment`. */
  readonly name: string;
  /** Values by key. Anything but a map is a mistake. */
  readonly given: unknown;
  /** A key as this source writes it: `port`, `THALWEG_SERVER_PORT`, `--port`. */
  spelling(key: string): string;
}

/** A configuration with every mistake that was found, each naming its source, key and the fix. */
export type SettingsResult<Settings> =
  | {
      readonly kind: 'valid';
      readonly settings: Settings;
      /** The source's name of each key that was given; a key that is not here has its default. */
      readonly origins: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'invalid'; readonly mistakes: readonly string[] };

/** Longest part of a wrong value that a mistake repeats. */
const SHOWN_LENGTH_MAX = 60;

/**
 * Reads settings for `schema` (an object schema whose keys carry defaults and descriptions) from
 * `sources`, in rising order of weight. Each value is checked, also one that a later source
 * overrides, and all mistakes are named at once. Unknown keys are mistakes. A value that is
 * undefined is not given. Values of keys with `isSecret` in their metadata are never repeated.
 */
export function parseSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  sources: readonly SettingsSource[],
): SettingsResult<z.infer<z.ZodObject<Shape>>> {
  const keys = Object.keys(schema.shape);
  const mistakes: string[] = [];
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const source of sources) {
    const { name, given } = source;
    if (!isMap(given)) {
      mistakes.push(`${name}: not a map of keys to values`);
      continue;
    }
    for (const [key, value] of Object.entries(given)) {
      if (value === undefined) continue;
      if (!keys.includes(key))
        mistakes.push(`${name}: ${unknownKey(source.spelling(key), key, source, keys)}`);
      else {
        mistakes.push(
          ...valueMistakes(schema, key, value).map(
            (why) => `${name}: ${source.spelling(key)}: ${why}`,
          ),
        );
        values[key] = value;
        origins[key] = name;
      }
    }
  }
  if (mistakes.length > 0) return { kind: 'invalid', mistakes };
  const parsed = schema.safeParse(values);
  if (parsed.success) return { kind: 'valid', settings: parsed.data, origins };
  // Nothing of the kind is left but a key that must be given, or a rule over several keys.
  return {
    kind: 'invalid',
    mistakes: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
  };
}

/**
 * What the environment gives: a name is `prefix` and the key in capitals. `prefix`
 * "THALWEG_AGENT_" and key `spool_bytes_max` give THALWEG_AGENT_SPOOL_BYTES_MAX. An empty text is
 * not given: that is how a shell or a container unsets a variable.
 */
export function environmentSource(
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
): SettingsSource {
  const given = Object.entries(environment).filter(
    ([name, text]) => name.startsWith(prefix) && text !== undefined && text !== '',
  );
  return {
    name: 'environment',
    given: Object.fromEntries(
      given.map(([name, text]) => [name.slice(prefix.length).toLowerCase(), text]),
    ),
    spelling: (key) => prefix + key.toUpperCase(),
  };
}

function isMap(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

function valueMistakes<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  key: string,
  value: unknown,
): readonly string[] {
  if (value === null) return ['has no value'];
  const one = schema.pick({ [key]: true } as Parameters<typeof schema.pick>[0]); // A key of it.
  const { error } = one.safeParse({ [key]: value });
  if (error === undefined) return [];
  const shown = isSecret(schema, key) ? '' : `, not ${shownValue(value)}`;
  const reasons = new Set(error.issues.map(reasonOf));
  return [...reasons].map((reason) => `${reason}${shown}`);
}

/** zod's words, shorter: the key and the value stand beside them. */
function reasonOf({ message }: { readonly message: string }): string {
  const short = message
    .replace(/^(Invalid input|Too small|Too big): /, '')
    .replace(/, received.*$/, '');
  return short === 'Invalid input' ? 'expected another kind of value' : short;
}

function shownValue(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}

/** Whether a key's value must not be shown, by the `isSecret` of its metadata. */
export function isSecret(schema: z.ZodObject, key: string): boolean {
  const field = schema.shape[key];
  return field !== undefined && metadataOf(field)['isSecret'] === true;
}

/** A field's metadata, as `describe` and `meta` set it. */
export function metadataOf(field: unknown): Readonly<Record<string, unknown>> {
  const meta = isMap(field) ? field['meta'] : undefined;
  if (typeof meta !== 'function') return {};
  const told: unknown = meta.call(field);
  return isMap(told) ? told : {};
}

function unknownKey(
  spelled: string,
  key: string,
  source: Pick<SettingsSource, 'spelling'>,
  keys: readonly string[],
): string {
  const near = nearest(key, keys);
  const hint = near === undefined ? '' : `; did you mean "${source.spelling(near)}"?`;
  return `unknown key "${spelled}"${hint}`;
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
