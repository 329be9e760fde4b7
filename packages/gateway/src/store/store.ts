/** An object as the Admin API keeps it, under a key such as `/routes/1`. */
export interface StoredObject {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
}

export interface StoreChange {
  readonly key: string;
  readonly now: StoredObject | undefined;
}

export interface PutOptions {
  /** Seconds after which it is gone by itself. */
  readonly ttlS?: number;
  /** The `modifiedIndex` that is being replaced: `ChangedError` when another came between. */
  readonly unchangedSince?: number;
}

/** Somebody else has written the object meanwhile. The text is APISIX's. */
export class ChangedError extends Error {
  constructor() {
    super('value changed before overwritten');
  }
}

/** APISIX's prefix in etcd, which the Admin API shows whatever the store. */
export const DEFAULT_PREFIX = '/apisix';

/** The configuration, and every change of it in order. Writes resolve once they outlive a crash. */
export interface Store {
  get(key: string): StoredObject | undefined;
  /** Objects whose key begins with `prefix`, oldest first. */
  list(prefix: string): readonly StoredObject[];
  put(
    key: string,
    value: Readonly<Record<string, unknown>>,
    options?: PutOptions,
  ): Promise<{ readonly object: StoredObject; readonly isNew: boolean }>;
  /** False when there was none. */
  delete(key: string): Promise<boolean>;
  /** Grows with each write. */
  revision(): number;
  /** A number for a new object's id, which nobody else is given. */
  reserveId(): Promise<number>;
  /** False while writes cannot be kept. */
  isReachable(): boolean;
  /** What clients see before each key. */
  readonly prefix: string;
  /** Called for each change, before the write that made it resolves. */
  subscribe(listener: (change: StoreChange) => void): void;
  close(): Promise<void>;
}
