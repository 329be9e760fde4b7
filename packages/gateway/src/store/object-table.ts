import type { StoreChange, StoredObject } from './store.ts';

/** The objects in memory: what every store answers reads from. */
export interface ObjectTable {
  get(key: string): StoredObject | undefined;
  list(prefix: string): readonly StoredObject[];
  all(): readonly StoredObject[];
  revision(): number;
  set(object: StoredObject): void;
  /** Answers whether it was there. */
  remove(key: string, revision: number): boolean;
  subscribe(listener: (change: StoreChange) => void): void;
}

export function createObjectTable(): ObjectTable {
  const objects = new Map<string, StoredObject>();
  const listeners: ((change: StoreChange) => void)[] = [];
  let revision = 0;

  function tell(change: StoreChange): void {
    for (const listener of listeners) listener(change);
  }

  return {
    get: (key) => objects.get(key),
    list: (prefix) =>
      [...objects.values()]
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => a.createdIndex - b.createdIndex),
    all: () => [...objects.values()],
    revision: () => revision,
    set(object) {
      revision = Math.max(revision, object.modifiedIndex);
      objects.set(object.key, object);
      tell({ key: object.key, now: object });
    },
    remove(key, at) {
      revision = Math.max(revision, at);
      if (!objects.delete(key)) return false;
      tell({ key, now: undefined });
      return true;
    },
    subscribe: (listener) => void listeners.push(listener),
  };
}
