import { qualifiedName, TABLES } from '@thalweg/model';
import { type Store, StoreError } from '../storage/store.ts';
import type { Segment, Segments } from './segments.ts';

/** Brings sealed segments into the store, in order, until it has taken them. */
export interface Inserter {
  add(segments: readonly Segment[]): void;
  /** Inserts all that was added. Rejects with the store's error when it does not take it. */
  run(): Promise<void>;
  /** Milliseconds since the epoch before which a retry is useless. */
  readonly retryAtMs: number;
  readonly rowsInserted: number;
  readonly segmentsSetAside: number;
  /** The last failure, '' when the last run went well. */
  readonly lastError: string;
}

export interface InserterOptions {
  readonly store: Store;
  readonly segments: Segments;
  readonly now: () => number;
  /** The first wait after a failure; doubled with each further one. */
  readonly retryMinMs: number;
  /** Bytes that no longer wait. */
  readonly onGone: (bytes: number) => void;
}

const RETRY_MAX_MS = 10_000;
/** Refusals of the same rows after which they are set aside: what follows them must not wait. */
const REFUSALS_MAX = 5;
const TABLE_BY_NAME = new Map(TABLES.map((table) => [table.name, table]));

export function createInserter(options: InserterOptions): Inserter {
  const { store, segments, now, retryMinMs, onGone } = options;
  const queue: Segment[] = [];
  let retryMs = retryMinMs;
  let retryAtMs = 0;
  let refusals = 0;
  let rowsInserted = 0;
  let segmentsSetAside = 0;
  let lastError = '';

  async function insertAll(): Promise<void> {
    for (let segment = queue[0]; segment !== undefined; segment = queue[0]) {
      if (await isTaken(segment)) {
        rowsInserted += segment.rows;
        await segments.remove(segment);
      } else {
        segmentsSetAside += 1;
        await segments.setAside(segment);
      }
      queue.shift();
      onGone(segment.bytes);
      refusals = 0;
    }
  }

  /** False when the store keeps refusing these very rows; throws when it is away. */
  async function isTaken(segment: Segment): Promise<boolean> {
    const table = TABLE_BY_NAME.get(segment.table);
    if (table === undefined) return false;
    try {
      await store.insertFile(qualifiedName(table), segment.path, segment.name);
      return true;
    } catch (error) {
      refusals += error instanceof StoreError && error.code === 'store_query_failed' ? 1 : 0;
      if (refusals < REFUSALS_MAX) throw error;
      return false;
    }
  }

  return {
    add: (more) => queue.push(...more),
    run: async () => {
      try {
        await insertAll();
        retryMs = retryMinMs;
        lastError = '';
      } catch (error) {
        lastError = `insert: ${error instanceof Error ? error.message : String(error)}`;
        retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
        retryAtMs = now() + retryMs;
        throw error;
      }
    },
    get retryAtMs() {
      return retryAtMs;
    },
    get rowsInserted() {
      return rowsInserted;
    },
    get segmentsSetAside() {
      return segmentsSetAside;
    },
    get lastError() {
      return lastError;
    },
  };
}
