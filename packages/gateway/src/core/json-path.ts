/** One step of a path into JSON: a key or index, every child, or every value below. */
type PathStep =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'all' }
  | { readonly kind: 'below' };

export type JsonPath = readonly PathStep[];

const PART = /\.\.(?=[^.[\]]|\[)|\.?(\*|[^.[\]*]+)|\[(?:(\*|\d+)|'([^']*)'|"([^"]*)")\]/y;

/**
 * Parses `a.b[*].c[0]`, also with `$` before and `..` for any depth. Undefined when a bracket is
 * not closed or holds something else, and of an empty path. Source: RFC 9535 without filters.
 */
export function parseJsonPath(path: string): JsonPath | undefined {
  const text = /^\$(?=[.[])/.test(path) ? path.slice(1) : path;
  const steps: PathStep[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const found = PART.exec(text);
    if (found === null) return undefined;
    const [whole, name, index, single, double] = found;
    const key = name ?? index ?? single ?? double;
    if (whole === '..') steps.push({ kind: 'below' });
    else steps.push(key === '*' ? { kind: 'all' } : { kind: 'key', key: key ?? '' });
  }
  return steps.length === 0 ? undefined : steps;
}

/** Every value that `path` leads to, in the order of the document. */
export function valuesAt(document: unknown, path: JsonPath): readonly unknown[] {
  return path.reduce<readonly unknown[]>(
    (values, step) => values.flatMap((value) => taken(value, step)),
    [document],
  );
}

/** Whether the path may lead to several values. */
export function isPlural(path: JsonPath): boolean {
  return path.some(({ kind }) => kind !== 'key');
}

function taken(value: unknown, step: PathStep): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (step.kind === 'all') return Object.values(value);
  if (step.kind === 'below') return below(value);
  return Object.hasOwn(value, step.key) ? [(value as Record<string, unknown>)[step.key]] : [];
}

function below(value: object): readonly object[] {
  const found: object[] = [value];
  for (const one of found) {
    for (const inner of Object.values(one)) {
      if (typeof inner === 'object' && inner !== null) found.push(inner);
    }
  }
  return found;
}

/** Puts what `change` makes of each value that `path` leads to in its place; undefined takes it out. */
export function changeAt(
  document: unknown,
  path: JsonPath,
  change: (value: unknown) => unknown,
): void {
  const last = path.at(-1);
  for (const parent of valuesAt(document, path.slice(0, -1))) {
    if (typeof parent !== 'object' || parent === null) continue;
    // Checked edge: JSON's objects and lists have text keys.
    const object = parent as Record<string, unknown>;
    const keys = last?.kind === 'key' ? [last.key] : Object.keys(object);
    // From the end: taking one out of a list moves those after it.
    for (const key of keys.toReversed()) {
      if (!Object.hasOwn(object, key)) continue;
      const changed = change(object[key]);
      if (changed !== undefined) object[key] = changed;
      else if (Array.isArray(object)) object.splice(Number(key), 1);
      else delete object[key];
    }
  }
}
