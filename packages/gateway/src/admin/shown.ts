import type { FieldSeal } from '../store/field-seal.ts';
import type { Store, StoredObject } from '../store/store.ts';
import type { Kind } from './kinds.ts';
import type { ObjectValue } from './object-check.ts';

export interface ShownParts {
  readonly store: Store;
  readonly seal: FieldSeal | undefined;
}

/** As GET shows it: with both indexes, and private keys as they are kept. */
export function shown(
  { store, seal }: ShownParts,
  kind: Kind,
  object: StoredObject,
): Readonly<Record<string, unknown>> {
  const { key, createdIndex, modifiedIndex } = object;
  const plain = visible(kind, object);
  const value = seal?.sealKeys(key, plain) ?? plain;
  return { key: store.prefix + key, value, createdIndex, modifiedIndex };
}

export function visible({ hidden }: Kind, { value }: StoredObject): ObjectValue {
  if (hidden.length === 0) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !hidden.includes(name)));
}
