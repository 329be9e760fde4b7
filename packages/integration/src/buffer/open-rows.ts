import {
  type AnyTable,
  type Batch,
  type Column,
  createBatch,
  type Shareable,
  type Table,
} from '@thalweg/model';
import type { TableBatch } from '../telemetry-sink.ts';

type Columns = Readonly<Record<string, Column>>;

/** Where a request's rows go. */
export interface OpenRows {
  /**
   * The batch that takes the table's next row. Ask for each row: a full batch is followed by another.
   * `shared` are columns to be filled by `share`, the same for all who write to the table.
   */
  of<const Declared extends Columns, const Shared extends Shareable<Declared> = never>(
    table: Table<Declared>,
    shared?: readonly Shared[],
  ): Batch<Declared, Shared>;
}

/** The open batches of all tables, and where the running request began in them. */
export interface OpenBatches extends OpenRows {
  readonly rows: number;
  /** As of the last `measure`. */
  readonly bytes: number;
  measure(): void;
  mark(): void;
  /** Takes back all rows since `mark`. */
  rollback(): void;
  /** Everything, encoded; then nothing is open. The next call writes over the blocks' bytes. */
  take(): TableBatch[];
}

/** Far below what a block may hold (`BLOCK_LIMITS`): rows and bytes. */
const BATCH_ROWS_MAX = 65_536;
const BATCH_BYTES_MAX = 16 * 2 ** 20;
/** Its size is looked at once in so many rows. */
const SIZE_STRIDE = 16;
/** Memory of a block that is used again; new memory of a megabyte wakes the collector. */
const MEMORY_KEPT_MAX = 8 * 2 ** 20;

type AnyBatch = Batch<Columns>;

interface Slot {
  readonly table: AnyTable;
  readonly shared: readonly string[];
  memory: ArrayBuffer | undefined;
  /** The last one takes rows. */
  batches: AnyBatch[];
  /** At the mark: batches, of which the last one was marked. 0: not touched by this request. */
  marked: number;
}

/** `omitsDefaults`: blocks leave out columns whose values are all the kind's default. */
export function createOpenRows(omitsDefaults: boolean): OpenBatches {
  const slots = new Map<string, Slot>();
  const touched = new Set<Slot>();
  let bytes = 0;

  // The batch is used as the table's own again: by `of`, which was given table and columns.
  const newBatch = (table: AnyTable, shared: readonly string[]): AnyBatch =>
    createBatch(
      table as Table<Columns>,
      shared as readonly Shareable<Columns>[],
    ) as unknown as AnyBatch;

  function slotOf(table: AnyTable, shared: readonly string[]): Slot {
    let slot = slots.get(table.name);
    if (slot === undefined) {
      const batches = [newBatch(table, shared)];
      slot = { table, shared, memory: undefined, batches, marked: 0 };
      slots.set(table.name, slot);
    }
    return slot;
  }

  function current(slot: Slot): AnyBatch {
    const batch = slot.batches.at(-1);
    if (batch === undefined) throw new Error(`BUG: no batch of ${slot.table.name}`);
    return batch;
  }

  function of<const Declared extends Columns, const Shared extends Shareable<Declared> = never>(
    table: Table<Declared>,
    shared: readonly (Shared & string)[] = [],
  ): Batch<Declared, Shared> {
    const slot = slotOf(table as AnyTable, shared);
    let batch = current(slot);
    if (slot.marked === 0) {
      slot.marked = slot.batches.length;
      batch.mark();
      touched.add(slot);
    }
    const isFull =
      batch.rows >= BATCH_ROWS_MAX ||
      (batch.rows % SIZE_STRIDE === 0 && batch.rows > 0 && batch.size >= BATCH_BYTES_MAX);
    if (isFull) {
      batch = newBatch(slot.table, slot.shared);
      slot.batches.push(batch);
    }
    // Made from this very table by `slotOf`.
    return batch as unknown as Batch<Declared, Shared>;
  }

  const all = (): AnyBatch[] => [...slots.values()].flatMap(({ batches }) => batches);

  return {
    of,
    get rows() {
      let rows = 0;
      for (const { batches } of slots.values()) for (const batch of batches) rows += batch.rows;
      return rows;
    },
    get bytes() {
      return bytes;
    },
    measure: () => {
      bytes = all().reduce((sum, batch) => sum + (batch.rows === 0 ? 0 : batch.size), 0);
    },
    mark: () => {
      for (const slot of touched) slot.marked = 0;
      touched.clear();
    },
    rollback: () => {
      for (const slot of touched) {
        slot.batches = slot.batches.slice(0, slot.marked);
        current(slot).rollback();
      }
    },
    take: () => {
      const taken: TableBatch[] = [];
      for (const slot of slots.values()) {
        let { memory } = slot;
        for (const batch of slot.batches) {
          if (batch.rows === 0) continue;
          const block = batch.block({ memory, omitsDefaults });
          memory = undefined;
          if (block.bytes.buffer.byteLength <= MEMORY_KEPT_MAX) slot.memory = block.bytes.buffer;
          taken.push({ table: slot.table.name, block });
          batch.clear();
        }
        slot.batches = [current(slot)];
      }
      bytes = 0;
      return taken;
    },
  };
}
