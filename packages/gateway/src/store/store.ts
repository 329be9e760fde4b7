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

/** The configuration, and every change of it in order. Writes resolve once they outlive a crash. */
export interface Store {
  get(key: string): StoredObject | undefined;
  /** Objects whose key begins with `prefix`, oldest first. */
  list(prefix: string): readonly StoredObject[];
  /** `ttlS`: seconds after which it is gone by itself. */
  put(
    key: string,
    value: Readonly<Record<string, unknown>>,
    ttlS?: number,
  ): Promise<{ readonly object: StoredObject; readonly isNew: boolean }>;
  /** False when there was none. */
  delete(key: string): Promise<boolean>;
  /** Grows by one with each write. */
  revision(): number;
  /** Called for each change, before the write that made it resolves. */
  subscribe(listener: (change: StoreChange) => void): void;
  close(): Promise<void>;
}
