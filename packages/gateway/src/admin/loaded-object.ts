import type { Store, StoredObject } from '../store/store.ts';
import { type ObjectValue, objectFault } from './object-check.ts';
import type { PluginChecks } from './validator.ts';

/**
 * Why an object cannot be served that did not come through this Admin API: from a file, or from etcd
 * where another wrote it. What it refers to may come later, so references are not followed.
 */
export function loadedFault(
  checks: PluginChecks,
  kind: string,
  id: string,
  value: ObjectValue,
): string | undefined {
  const { create_time: _created, update_time: _updated, ...rest } = value;
  return objectFault({ ...checks, store: EVERYTHING }, kind, id, rest)?.message;
}

/** As `loadedFault`, for an object by its key in the store. */
export function loadedKeyFault(
  checks: PluginChecks,
  key: string,
  value: ObjectValue,
): string | undefined {
  const [, kind = '', id = '', inner, last] = key.split('/');
  if (kind === 'consumers' && inner === 'credentials') {
    return loadedFault(checks, 'credentials', key, value);
  }
  const isNested = kind === 'secrets' && inner !== undefined;
  if (last !== undefined || (inner !== undefined && !isNested)) return 'not the key of an object';
  return loadedFault(checks, kind, isNested ? `${id}/${inner}` : id, value);
}

const never = (): never => {
  throw new Error('BUG: a check wrote to the store');
};

/** Whatever is referred to is there. */
const EVERYTHING: Store = {
  prefix: '',
  get: (key): StoredObject => ({
    key,
    value: { type: 'client' },
    createdIndex: 0,
    modifiedIndex: 0,
  }),
  list: () => [],
  revision: () => 0,
  isReachable: () => true,
  subscribe: () => undefined,
  reserveId: never,
  put: never,
  delete: never,
  close: never,
};
