import type { StoredObject } from '../store/store.ts';
import type { Kind } from './kinds.ts';
import type { ObjectValue } from './object-check.ts';

/** Before the keys that clients see: etcd's prefix in APISIX. */
export const PREFIX = '/apisix';

/** As GET shows it: with both indexes. */
export function shown(kind: Kind, object: StoredObject): Readonly<Record<string, unknown>> {
  const { key, createdIndex, modifiedIndex } = object;
  return { key: PREFIX + key, value: visible(kind, object), createdIndex, modifiedIndex };
}

export function visible({ hidden }: Kind, { value }: StoredObject): ObjectValue {
  if (hidden.length === 0) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !hidden.includes(name)));
}
