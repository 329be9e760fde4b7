import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Kept, TableBatch, TelemetrySink } from '@thalweg/integration';
import { type AnyTable, BLOCK_LIMITS, type Block, TABLES } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { checkBlock, withinTime } from './checked-block.ts';
import { aliasEntries, entriesOf } from './entries.ts';
import { createIndexWriter } from './index-entry.ts';
import { createInserter } from './inserter.ts';
import type { JournalDamage } from './recover-journal.ts';
import type { RootTable } from './roots.ts';
import { openSegments, type Segment } from './segments.ts';
import { type BusyCode, createSpoolWriter } from './spool-writer.ts';

const unpack = promisify(gunzip);

export interface IngestLimits {
  /** Of the spool; beyond it batches are answered with `busy`. */
  readonly spoolBytesMax: number;
  /** A segment is inserted when it has both: */
  readonly segmentRows: number;
  readonly segmentBytes: number;
  /** or so many rows, or this long after the last one, whichever is first. */
  readonly segmentRowsMax: number;
  readonly flushMs: number;
  /** Of more rows it waits `heldFlushMs`: under load fewer, larger inserts. */
  readonly flushRowsMax: number;
  /** `flushMs` for these, and for `heldTables`, whose segments are full at `segmentRowsMax` only. */
  readonly heldFlushMs: number;
}
export const INGEST_DEFAULTS: IngestLimits = {
  spoolBytesMax: 2 * 2 ** 30,
  // Of 262,144 rows, a look-up by id among hours of spans took 34 ms, not 24: parts end larger.
  segmentRows: 65_536,
  // Of narrow rows, such as samples of 24 bytes, more go into one insert: fewer parts to merge.
  segmentBytes: 8 * 2 ** 20,
  // One insert makes one part of up to 1,048,576 rows.
  segmentRowsMax: 786_432,
  flushMs: 500,
  // Past 32,768 rows a second inserts are of `segmentRows`. A row of a part is merged about once for each
  // fivefold of the parts' size, and each time costs twice what its insert did.
  flushRowsMax: 16_384,
  heldFlushMs: 2_000,
};

export type Accepted =
  | { readonly status: 'kept'; readonly rows: number; readonly dropped: number }
  | { readonly status: 'refused'; readonly code: string; readonly message: string }
  | { readonly status: 'busy'; readonly code: BusyCode; readonly retryAfterS: number };

export interface BatchOrigin {
  readonly agent: string;
  /** The agent's name for the batch: the same on each retry. */
  readonly token: string;
  readonly encoding?: 'gzip' | 'identity';
}

export interface IngestCounters {
  readonly rows: number;
  readonly bytes: number;
  readonly rowsInserted: number;
  /** Rows out of the time range, left out of batches that were otherwise kept. */
  readonly rowsDropped: number;
  readonly repeated: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly queuedBytes: number;
  readonly segmentsSetAside: number;
  /** Stretches of the spool's journal that could not be read at the start. */
  readonly journalDamages: number;
  readonly lastError: string;
}

export interface Ingest extends TelemetrySink {
  /** `kept` means: on disk here, and in the store exactly once, sooner or later. */
  accept(table: string, body: Uint8Array, origin: BatchOrigin): Promise<Accepted>;
  /**
   * The same for rows decoded in this process: all batches or none, with one sync of the disk. A
   * batch that a sender repeats is kept again: there is no token to know it by.
   */
  keep(batches: readonly TableBatch[]): Promise<Kept>;
  /** Inserts all that is spooled. Rejects with the store's error when it does not take it. */
  flush(): Promise<void>;
  counters(): IngestCounters;
  readonly journalDamage: JournalDamage;
  /** Waits for the running insert; what is not inserted stays in the spool. Idempotent. */
  close(): Promise<void>;
}

export interface IngestOptions {
  readonly store: Store;
  readonly spoolDir: string;
  readonly roots: RootTable;
  readonly limits?: Partial<IngestLimits>;
  /** Told of rows once they are on disk, before their sender is. */
  readonly observe?: (table: AnyTable, block: Block) => void;
  /** Tables whose newest rows `observe` holds for queries: they wait for fewer, larger inserts. */
  readonly heldTables?: readonly string[];
  /** How long a table's rows are kept now; the declared hours without it. */
  readonly hoursOf?: (table: AnyTable) => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const TABLE_BY_NAME = new Map(TABLES.map((table) => [table.name, table]));
const TOKEN = /^[\w.:-]{1,128}$/;
const RETRY_AFTER_S = 1;
type Refused = Extract<Accepted, { status: 'refused' }>;

/** Opens the spool, takes up what an earlier run left in it, and starts inserting. */
export async function createIngest(options: IngestOptions): Promise<Ingest> {
  const { store, roots, now, hoursOf = (table) => table.retentionHours } = options;
  const held = new Set(options.heldTables);
  const index = createIndexWriter();
  const limits = { ...INGEST_DEFAULTS, ...options.limits };
  const segments = await openSegments(options.spoolDir, now);
  const { flushMs, flushRowsMax, heldFlushMs } = limits;
  const { segmentRows, segmentBytes, segmentRowsMax, spoolBytesMax } = limits;
  const spool = createSpoolWriter({
    segments,
    bytesMax: spoolBytesMax,
    isFull: ({ table, rows, bytes }) =>
      rows >= segmentRowsMax || (rows >= segmentRows && bytes >= segmentBytes && !held.has(table)),
  });
  const onGone = (bytes: number): void => spool.release(bytes);
  const inserter = createInserter({ store, segments, now, retryMinMs: flushMs, onGone });
  inserter.add(segments.found);
  const running = new Map<string, Promise<Accepted>>();
  const refused: Record<string, number> = {};
  let rowsKept = 0;
  let rowsDropped = 0;
  let repeated = 0;

  function refuse(code: string, message: string): Refused {
    refused[code] = (refused[code] ?? 0) + 1;
    return { status: 'refused', code, message };
  }

  function accept(name: string, body: Uint8Array, origin: BatchOrigin): Promise<Accepted> {
    const { token } = origin;
    const already = running.get(token);
    if (already !== undefined) return already;
    const rows = segments.rowsOf(token);
    if (rows !== undefined) {
      repeated += 1;
      return Promise.resolve({ status: 'kept', rows, dropped: 0 });
    }
    const answer = take(name, body, origin).finally(() => running.delete(token));
    running.set(token, answer);
    return answer;
  }

  async function take(name: string, body: Uint8Array, origin: BatchOrigin): Promise<Accepted> {
    if (!TOKEN.test(origin.token)) {
      return refuse('token_invalid', 'x-thalweg-token: 1 to 128 of A-Z a-z 0-9 _ . : -');
    }
    if (!spool.hasRoomFor(body.length)) return busy('spool_full');
    let block = body;
    if (origin.encoding === 'gzip') {
      try {
        block = await unpack(body, { maxOutputLength: BLOCK_LIMITS.bytesMax });
      } catch (error) {
        return refuse('body_not_gzip', error instanceof Error ? error.message : String(error));
      }
    }
    return write([{ table: name, block }], origin.token);
  }

  async function write(
    batches: readonly { readonly table: string; readonly block: Block | Uint8Array }[],
    token: string,
  ): Promise<Accepted> {
    const nowMs = now();
    const checked: { table: AnyTable; block: Block }[] = [];
    let dropped = 0;
    let late = '';
    for (const { table: name, block } of batches) {
      const table = TABLE_BY_NAME.get(name);
      if (table?.writer !== 'sender')
        return refuse('table_unknown', `no table ${name} takes batches`);
      const range = { nowMs, retentionHours: hoursOf(table) };
      const one =
        block instanceof Uint8Array
          ? checkBlock(table, block, range)
          : withinTime(table, block, range);
      if (one.kind === 'refused') return refuse(one.code, one.message);
      if (one.kind === 'late') {
        dropped += one.rows;
        late = one.message;
        continue;
      }
      dropped += one.dropped;
      checked.push({ table, block: one.block });
    }
    if (checked.length === 0) return refuse('time_out_of_range', late);
    const entries = checked.flatMap(({ table, block }) =>
      entriesOf(table, block, token, { roots, index, nowMs }),
    );
    const written = await spool.write(entries, aliasEntries(roots, index, nowMs));
    if (written !== 'kept') return busy(written);
    const rows = checked.reduce((sum, { block }) => sum + block.rows, 0);
    rowsKept += rows;
    rowsDropped += dropped;
    for (const { table, block } of checked) options.observe?.(table, block);
    return { status: 'kept', rows, dropped };
  }

  let inserting: Promise<void> = Promise.resolve();
  function flush(isDue: (segment: Segment) => boolean = () => true): Promise<void> {
    const work = inserting.then(async () => {
      inserter.add(await spool.sealed(isDue));
      await inserter.run();
    });
    inserting = work.catch(() => undefined); // The failure is in `lastError`.
    return work;
  }

  let isTicking = false;
  let heldFlushedMs = now();
  const timer = setInterval(() => {
    if (isTicking || now() < inserter.retryAtMs) return;
    isTicking = true;
    const takesHeld = now() - heldFlushedMs >= heldFlushMs;
    if (takesHeld) heldFlushedMs = now();
    flush(({ table, rows }) => takesHeld || (rows <= flushRowsMax && !held.has(table)))
      .catch(() => undefined) // The segment is tried again.
      .finally(() => {
        isTicking = false;
      });
  }, flushMs);

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    clearInterval(timer);
    spool.stop();
    await Promise.all(running.values());
    await flush().catch(() => undefined);
    await segments.close();
  }

  return {
    fillsDefaults: true,
    accept,
    keep: async (batches) => {
      if (batches.length === 0) return { status: 'kept' };
      return write(batches, '');
    },
    flush: () => flush(),
    journalDamage: segments.damage,
    counters: () => ({
      rows: rowsKept,
      bytes: spool.bytes,
      rowsInserted: inserter.rowsInserted,
      rowsDropped,
      repeated,
      refused: { ...refused },
      queuedBytes: spool.queuedBytes,
      segmentsSetAside: inserter.segmentsSetAside + segments.damage.setAside.length,
      journalDamages: segments.damage.stretches,
      lastError: spool.lastError || inserter.lastError,
    }),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function busy(code: BusyCode): Accepted {
  return { status: 'busy', code, retryAfterS: RETRY_AFTER_S };
}
