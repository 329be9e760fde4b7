import type { PluginConf } from './objects.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /^\$env:\/\/([^/]+)(?:\/(.+))?$/i;

/**
 * The value of `$env://NAME`, or of one member of the JSON object that the variable holds
 * (`$env://NAME/member`). A reference that leads nowhere stays as it is, and so matches no secret.
 */
function resolvedText(text: string, environment: Environment): string {
  const found = REFERENCE.exec(text);
  const value = found === null ? undefined : environment[found[1] ?? ''];
  if (value === undefined) return text;
  const member = found?.[2];
  return member === undefined ? value : (memberOf(value, member) ?? text);
}

/** A copy of a configuration with its references resolved, at any depth; itself without any. */
export function resolvedConf(conf: PluginConf, environment: Environment): PluginConf {
  if (!/\$env:\/\//i.test(JSON.stringify(conf))) return conf;
  // Checked edge: an object stays an object.
  return resolved(conf, environment) as PluginConf;
}

function resolved(value: unknown, environment: Environment): unknown {
  if (typeof value === 'string') return resolvedText(value, environment);
  if (Array.isArray(value)) return value.map((one) => resolved(one, environment));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, resolved(inner, environment)]),
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
