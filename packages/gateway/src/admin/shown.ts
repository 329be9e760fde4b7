import type { Store, StoredObject } from '../store/store.ts';
import type { Kind } from './kinds.ts';
import type { ObjectValue } from './object-check.ts';

/** As GET shows it: with both indexes. */
export function shown(
  { prefix }: Store,
  kind: Kind,
  object: StoredObject,
): Readonly<Record<string, unknown>> {
  const { key, createdIndex, modifiedIndex } = object;
  return { key: prefix + key, value: visible(kind, object), createdIndex, modifiedIndex };
}

export function visible({ hidden }: Kind, { value }: StoredObject): ObjectValue {
  if (hidden.length === 0) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !hidden.includes(name)));
}
