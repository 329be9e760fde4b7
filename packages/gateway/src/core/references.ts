import type { PluginConf } from './objects.ts';

/** What a reference stands for; undefined where it leads nowhere, now or for ever. */
export type ReferenceReader = (reference: string) => string | undefined;

const REFERENCE = /^\$(?:env|secret):\/\//i;
const WITHIN_JSON = /"\$(?:env|secret):\/\//i;
const ENVIRONMENT = /^\$env:\/\/([^/]+)(?:\/(.+))?$/i;

/**
 * Reads `$env://NAME`, or one member of the JSON object that the variable holds
 * (`$env://NAME/member`).
 */
export function environmentReader(
  environment: Readonly<Record<string, string | undefined>>,
): ReferenceReader {
  return (reference) => {
    const [, name = '', member] = ENVIRONMENT.exec(reference) ?? [];
    const value = environment[name];
    return member === undefined || value === undefined ? value : memberOf(value, member);
  };
}

/**
 * A copy of a configuration with its references resolved, at any depth; itself without any. One that
 * leads nowhere stays as it is, and so matches no secret.
 */
export function resolvedConf(conf: PluginConf, read: ReferenceReader): PluginConf {
  if (!WITHIN_JSON.test(JSON.stringify(conf))) return conf;
  // Checked edge: an object stays an object.
  return resolved(conf, read) as PluginConf;
}

/** The references in a value, at any depth. */
export function referencesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return REFERENCE.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(referencesIn);
}

function resolved(value: unknown, read: ReferenceReader): unknown {
  if (typeof value === 'string') return REFERENCE.test(value) ? (read(value) ?? value) : value;
  if (Array.isArray(value)) return value.map((one) => resolved(one, read));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, resolved(inner, read)]),
  );
}

function memberOf(text: string, member: string): string | undefined {
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof whole !== 'object' || whole === null || !Object.hasOwn(whole, member))
    return undefined;
  const value: unknown = Object.entries(whole).find(([name]) => name === member)?.[1];
  return typeof value === 'string' ? value : undefined;
}
