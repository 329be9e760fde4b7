import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  type AnyTable,
  BLOCK_LIMITS,
  type Block,
  createBatch,
  idsOf,
  l7FlowLog,
  qualifiedName,
  readBlock,
  TABLES,
  traceAlias,
  valuesOf,
  withColumns,
} from '@thalweg/model';
import { type Store, StoreError } from '../storage/store.ts';
import type { RootTable } from './roots.ts';
import { type Entry, openSegments, type Segment } from './segments.ts';

const unpack = promisify(gunzip);

export interface IngestLimits {
  /** Of the spool; beyond it batches are answered with `busy`. */
  readonly spoolBytesMax: number;
  /** A segment is inserted at this size, */
  readonly segmentRowsMax: number;
  /** or this long after the last one, whichever is first. */
  readonly flushMs: number;
}
export const INGEST_DEFAULTS: IngestLimits = {
  spoolBytesMax: 2 * 2 ** 30,
  segmentRowsMax: 65_536,
  flushMs: 500,
};

export type Accepted =
  | { readonly status: 'kept'; readonly rows: number }
  | { readonly status: 'refused'; readonly code: string; readonly message: string }
  | { readonly status: 'busy'; readonly retryAfterS: number };

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
  readonly repeated: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly queuedBytes: number;
  readonly segmentsSetAside: number;
  readonly lastError: string;
}

export interface Ingest {
  /** `kept` means: on disk here, and in the store exactly once, sooner or later. */
  accept(table: string, body: Uint8Array, origin: BatchOrigin): Promise<Accepted>;
  /** Inserts all that is spooled. Rejects with the store's error when it does not take it. */
  flush(): Promise<void>;
  counters(): IngestCounters;
  /** Waits for the running insert; what is not inserted stays in the spool. Idempotent. */
  close(): Promise<void>;
}

export interface IngestOptions {
  readonly store: Store;
  readonly spoolDir: string;
  readonly roots: RootTable;
  readonly limits?: Partial<IngestLimits>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const TABLE_BY_NAME = new Map(TABLES.map((table) => [table.name, table]));
const TOKEN = /^[\w.:-]{1,128}$/;
/** Clocks differ; rows from later than this are a wrong clock. */
const FUTURE_S = 600;
const RETRY_MAX_MS = 10_000;
const QUERY_FAILURES_MAX = 5;
const BUSY: Accepted = { status: 'busy', retryAfterS: 1 };

interface Waiting {
  readonly entries: readonly Entry[];
  readonly settle: (accepted: Accepted) => void;
  readonly rows: number;
}

/** Opens the spool, takes up what an earlier run left in it, and starts inserting. */
export async function createIngest(options: IngestOptions): Promise<Ingest> {
  const { store, roots, now } = options;
  const limits = { ...INGEST_DEFAULTS, ...options.limits };
  const segments = await openSegments(options.spoolDir, now);
  const sealed: Segment[] = [...segments.found];
  const running = new Map<string, Promise<Accepted>>();
  const refused: Record<string, number> = {};
  let queuedBytes = sealed.reduce((sum, { bytes }) => sum + bytes, 0);
  let totals = { rows: 0, bytes: 0, rowsInserted: 0, repeated: 0, segmentsSetAside: 0 };
  let lastError = '';
  let waiting: Waiting[] = [];
  let disk: Promise<void> = Promise.resolve();
  let isClosed = false;
  let retryAtMs = 0;
  let retryMs = limits.flushMs;
  let failures = 0;

  function refuse(code: string, message: string): Accepted {
    refused[code] = (refused[code] ?? 0) + 1;
    return { status: 'refused', code, message };
  }

  function accept(name: string, body: Uint8Array, origin: BatchOrigin): Promise<Accepted> {
    const { token } = origin;
    const repeated = running.get(token);
    if (repeated !== undefined) return repeated;
    const rows = segments.rowsOf(token);
    if (rows !== undefined) {
      totals = { ...totals, repeated: totals.repeated + 1 };
      return Promise.resolve({ status: 'kept', rows });
    }
    const answer = take(name, body, origin).finally(() => running.delete(token));
    running.set(token, answer);
    return answer;
  }

  async function take(name: string, body: Uint8Array, origin: BatchOrigin): Promise<Accepted> {
    const table = TABLE_BY_NAME.get(name);
    if (table?.writer !== 'sender')
      return refuse('table_unknown', `no table ${name} takes batches`);
    if (!TOKEN.test(origin.token)) {
      return refuse('token_invalid', 'x-thalweg-token: 1 to 128 of A-Z a-z 0-9 _ . : -');
    }
    if (isClosed || queuedBytes + body.length > limits.spoolBytesMax) return BUSY;
    let bytes = body;
    if (origin.encoding === 'gzip') {
      try {
        bytes = await unpack(body, { maxOutputLength: BLOCK_LIMITS.bytesMax });
      } catch (error) {
        return refuse('body_not_gzip', error instanceof Error ? error.message : String(error));
      }
    }
    const read = readBlock(table, bytes, { columns: 'agent' });
    if (read.kind === 'invalid') return refuse(read.code, read.message);
    const late = timeFault(table, read.block, now());
    if (late !== undefined) return refuse('time_out_of_range', late);
    return keep(table, read.block, origin.token);
  }

  function keep(table: AnyTable, block: Block, token: string): Promise<Accepted> {
    const nowMs = now();
    const isL7 = table.name === l7FlowLog.name;
    const bytes = withColumns(table, block, {
      ...(isL7 ? { root_hash: observeRows(block, roots, Math.floor(nowMs / 1e3)) } : {}),
      ...('ingest_time' in table.columns
        ? { ingest_time: new Array<number>(block.rows).fill(nowMs * 1e3) }
        : {}),
    });
    const aliases = isL7 ? aliasEntry(roots, nowMs) : undefined;
    const main: Entry = { table: table.name, token, rows: block.rows, bytes };
    const entries = aliases === undefined ? [main] : [aliases, main];
    return new Promise((settle) => {
      waiting.push({ entries, settle, rows: block.rows });
      if (waiting.length === 1) void onDisk(write);
    });
  }

  /** One after the other: appending, sealing. */
  function onDisk(work: () => Promise<void>): Promise<void> {
    disk = disk.then(work).catch((error: unknown) => {
      lastError = `spool: ${error instanceof Error ? error.message : String(error)}`;
    });
    return disk;
  }

  /** All batches that wait, with one sync of the disk. */
  async function write(): Promise<void> {
    const taken = waiting;
    waiting = [];
    const entries = taken.flatMap((one) => one.entries);
    try {
      await segments.append(entries);
    } catch (error) {
      for (const { settle } of taken) settle(BUSY);
      throw error;
    }
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    const rows = taken.reduce((sum, one) => sum + one.rows, 0);
    queuedBytes += bytes;
    totals = { ...totals, rows: totals.rows + rows, bytes: totals.bytes + bytes };
    for (const one of taken) one.settle({ status: 'kept', rows: one.rows });
    sealed.push(...(await segments.seal((segment) => segment.rows >= limits.segmentRowsMax)));
  }

  async function insertAll(): Promise<void> {
    for (let segment = sealed[0]; segment !== undefined; segment = sealed[0]) {
      const table = TABLE_BY_NAME.get(segment.table);
      if (table === undefined) await segments.setAside(segment);
      else if (!(await insertOne(qualifiedName(table), segment))) {
        totals = { ...totals, segmentsSetAside: totals.segmentsSetAside + 1 };
        await segments.setAside(segment);
      } else {
        totals = { ...totals, rowsInserted: totals.rowsInserted + segment.rows };
        await segments.remove(segment);
      }
      sealed.shift();
      queuedBytes -= segment.bytes;
      failures = 0;
    }
    retryMs = limits.flushMs;
  }

  /** False when the store keeps refusing these very rows; throws when it is away. */
  async function insertOne(table: string, segment: Segment): Promise<boolean> {
    try {
      await store.insertFile(table, segment.path, segment.name);
      return true;
    } catch (error) {
      const isOurs = error instanceof StoreError && error.code === 'store_query_failed';
      failures += isOurs ? 1 : 0;
      if (failures < QUERY_FAILURES_MAX) throw error;
      lastError = `insert: ${error instanceof Error ? error.message : String(error)}`;
      return false;
    }
  }

  let inserting: Promise<void> = Promise.resolve();
  function flush(): Promise<void> {
    const work = inserting.then(async () => {
      await onDisk(async () => {
        sealed.push(...(await segments.seal(() => true)));
      });
      await insertAll();
    });
    inserting = work.catch((error: unknown) => {
      lastError = `insert: ${error instanceof Error ? error.message : String(error)}`;
      retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
      retryAtMs = now() + retryMs;
    });
    return work;
  }

  let isTicking = false;
  const timer = setInterval(() => {
    if (isTicking || now() < retryAtMs) return;
    isTicking = true;
    // The failure is in `lastError`, and the segment is tried again.
    flush()
      .catch(() => undefined)
      .finally(() => {
        isTicking = false;
      });
  }, limits.flushMs);

  return {
    accept,
    flush,
    counters: () => ({ ...totals, refused: { ...refused }, queuedBytes, lastError }),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      await Promise.all(running.values());
      await flush().catch(() => undefined);
      await segments.close();
    },
  };
}

function observeRows(block: Block, roots: RootTable, nowS: number): BigUint64Array {
  const wireIds = idsOf(block, 'wire_id');
  const parents = idsOf(block, 'parent_wire_id');
  const rowIds = idsOf(block, '_id');
  const probabilities = valuesOf(block, 'link_probability');
  const traceIds = valuesOf(block, 'trace_id');
  return wireIds.map((wireId, row) =>
    roots.observe(
      {
        wireId,
        parentWireId: parents[row] ?? 0n,
        // 0.9 as a 32-bit float is a little less than 0.9.
        probability: Number(probabilities[row] ?? 0) + 1e-6,
        traceId: String(traceIds[row] ?? ''),
        rowId: rowIds[row] ?? 0n,
      },
      nowS,
    ),
  );
}

function aliasEntry(roots: RootTable, nowMs: number): Entry | undefined {
  const aliases = roots.takeAliases();
  if (aliases.length === 0) return undefined;
  const batch = createBatch(traceAlias);
  for (const alias of aliases) {
    batch.push({
      time: Math.floor(nowMs / 1e3),
      old_root_hash: alias.old,
      new_root_hash: alias.new,
    });
  }
  return { table: traceAlias.name, token: '', rows: batch.rows, bytes: batch.encode() };
}

/** Rows out of the retention would be gone at once, and make a partition for each hour. */
function timeFault(table: AnyTable, block: Block, nowMs: number): string | undefined {
  const nowS = nowMs / 1e3;
  const perSecond = table.columns[table.timeColumn]?.kind === 'millis' ? 1e3 : 1;
  for (const time of valuesOf(block, table.timeColumn)) {
    const ageS = nowS - Number(time) / perSecond;
    if (ageS < -FUTURE_S) return `a row from ${Math.round(-ageS)} s ahead: check the agent's clock`;
    if (ageS > table.retentionHours * 3_600) {
      return `a row of ${Math.round(ageS)} s ago, kept are ${table.retentionHours} hours`;
    }
  }
  return undefined;
}
