import type { ObjectValue } from './object-check.ts';

/** `patch` over `base`: objects merge, null deletes, everything else replaces. */
export function merged(base: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** `base` with `value` at `path`; text says why not. Parents that are missing are made. */
export function placed(
  base: ObjectValue,
  path: readonly string[],
  value: unknown,
): ObjectValue | string {
  const [key, ...rest] = path;
  if (key === undefined) return base;
  if (rest.length === 0) {
    if (value !== null) return { ...base, [key]: value };
    return Object.fromEntries(Object.entries(base).filter(([name]) => name !== key));
  }
  const child = base[key] ?? {};
  if (!isObject(child)) return `invalid sub-path: /${path.join('/')}`;
  const inner = placed(child, rest, value);
  return typeof inner === 'string' ? inner : { ...base, [key]: inner };
}

export function isObject(value: unknown): value is ObjectValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
