import { readFileSync, statSync } from 'node:fs';
import type { SettingsSource } from '@thalweg/model';
import { nearest } from '@thalweg/model';
import { parseDocument } from 'yaml';

export const PART_NAMES = ['agent', 'server'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** What a configuration file holds for each part, with the mistakes that stand outside of them. */
export interface ConfigFile {
  readonly parts: Readonly<Record<PartName, SettingsSource>>;
  readonly mistakes: readonly string[];
}

const BYTES_MAX = 1 << 20;
/** Values that aliases may stand for: a file of a few lines must not unfold to gigabytes. */
const ALIASES_MAX = 64;
/**
 * Open brackets, and characters of indentation and `-` before a value. Settings need a fraction of
 * it; the parser recurses, and a file of brackets would end the process instead of failing.
 */
const DEPTH_MAX = 64;
/** Of one file's syntax; a broken bracket at the top can give hundreds that mean the same. */
const FAULTS_SHOWN_MAX = 8;

/**
 * Reads a YAML 1.2 file, of which JSON is a part. A file that cannot be read, is no YAML or is no
 * map is a mistake, not an exception. `wanted` are the parts that the command starts: for one part
 * alone its keys may stand at the top.
 */
export function readConfigFile(path: string, wanted: readonly PartName[]): ConfigFile {
  const name = `file ${path}`;
  const { given, mistakes } = readMap(path);
  const source = (of: unknown): SettingsSource => ({
    name,
    given: of ?? {},
    spelling: (key) => key,
  });
  const named = (more: readonly string[]) => more.map((mistake) => `${name}: ${mistake}`);
  const isSplit = PART_NAMES.some((part) => Object.hasOwn(given, part));
  const [only] = wanted;
  if (!isSplit && only !== undefined && wanted.length === 1) {
    // A misspelt part is likelier than a misspelt key where a map stands behind it.
    const [maps, values] = splitBy(
      given,
      ([, value]) => typeof value === 'object' && !Array.isArray(value) && value !== null,
    );
    const none = { agent: source({}), server: source({}) };
    return {
      parts: { ...none, [only]: source(values) },
      mistakes: named([...mistakes, ...Object.keys(maps).map(misplaced)]),
    };
  }
  const others = Object.keys(given).filter((key) => !isPart(key));
  return {
    parts: { agent: source(given['agent']), server: source(given['server']) },
    mistakes: named([...mistakes, ...others.map(misplaced)]),
  };
}

function readMap(path: string): {
  given: Readonly<Record<string, unknown>>;
  mistakes: readonly string[];
} {
  try {
    const { size } = statSync(path);
    if (size > BYTES_MAX) return none(`${size} bytes, the most is ${BYTES_MAX}`);
    const text = readFileSync(path, 'utf8');
    if (isTooDeep(text)) return none(`nested deeper than ${DEPTH_MAX}`);
    const document = parseDocument(text, { stringKeys: true });
    const faults = new Set([...document.errors, ...document.warnings].map(faultText));
    if (faults.size > 0) return { given: {}, mistakes: [...faults].slice(0, FAULTS_SHOWN_MAX) };
    const given: unknown = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {};
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
      return { given: given as Readonly<Record<string, unknown>>, mistakes: [] }; // `stringKeys`.
    }
    return none('not a map of keys to values');
  } catch (error) {
    return none(
      error instanceof Error ? error.message.replace(/, \w+( '.*')?$/, '') : String(error),
    );
  }
}

/** Looks at the bare text: brackets inside of quotes count too, which no sane setting reaches. */
function isTooDeep(text: string): boolean {
  let open = 0;
  let lead = 0;
  let isLead = true;
  for (const character of text) {
    if (character === '\n') [lead, isLead] = [0, true];
    else if (isLead && ' -?\t'.includes(character)) lead += 1;
    else isLead = false;
    if (character === '[' || character === '{') open += 1;
    else if (character === ']' || character === '}') open -= 1;
    if (open > DEPTH_MAX || lead > DEPTH_MAX) return true;
  }
  return false;
}

function none(mistake: string): {
  given: Readonly<Record<string, unknown>>;
  mistakes: readonly string[];
} {
  return { given: {}, mistakes: [mistake] };
}

/** The first line says what and where; the lines behind it repeat the file, which may hold secrets. */
function faultText({ message }: { readonly message: string }): string {
  return (message.split('\n')[0] ?? '').replace(/:$/, '');
}

function isPart(key: string): boolean {
  return PART_NAMES.some((part) => part === key);
}

function misplaced(key: string): string {
  const near = nearest(key, PART_NAMES);
  const hint =
    near === undefined ? `keys stand under "agent" or "server"` : `did you mean "${near}"?`;
  return `unknown key "${key}" at the top; ${hint}`;
}

function splitBy(
  map: Readonly<Record<string, unknown>>,
  isFirst: (entry: [string, unknown]) => boolean,
): readonly [Record<string, unknown>, Record<string, unknown>] {
  const entries = Object.entries(map);
  return [
    Object.fromEntries(entries.filter(isFirst)),
    Object.fromEntries(entries.filter((entry) => !isFirst(entry))),
  ];
}
