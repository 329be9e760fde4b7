import { createObjectTable } from '../store/object-table.ts';
import { readOnly } from '../store/read-only.ts';
import type { Store, StoredObject } from '../store/store.ts';

/** The first process's store as one that serves sees it: read here, written there. */
export interface FollowedStore extends Store {
  apply(key: string, now: StoredObject | undefined, revision: number): void;
}

export function createFollowedStore(start: {
  readonly prefix: string;
  readonly revision: number;
  readonly objects: readonly StoredObject[];
}): FollowedStore {
  const table = createObjectTable();
  let { revision } = start;
  for (const object of start.objects) table.set(object);
  return {
    get: table.get,
    list: table.list,
    revision: () => revision,
    isReachable: () => true,
    prefix: start.prefix,
    subscribe: table.subscribe,
    ...readOnly('objects are written in the first process'),
    close: async () => undefined,
    apply(key, now, at) {
      revision = at;
      if (now === undefined) table.remove(key, at);
      else table.set(now);
    },
  };
}
