import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A batch that waits on disk. Its name is its identity: `<order>-<rows>-<table>@<token>`. */
export interface SpooledBatch {
  /** Stays the same over retries and restarts: the server recognises a batch that it has. */
  readonly token: string;
  readonly table: string;
  readonly rows: number;
  readonly path: string;
  readonly bytes: number;
  readonly encoding: BatchEncoding;
}

/** How the bytes of a batch are held, on disk and on the way; names of HTTP's Content-Encoding. */
export type BatchEncoding = 'gzip' | 'identity';

/** What goes into the spool: an encoded block, packed or not. */
export interface NewBatch {
  readonly table: string;
  readonly rows: number;
  readonly content: Uint8Array;
  readonly encoding: BatchEncoding;
}

export interface SpoolCounters {
  readonly bytes: number;
  readonly batches: number;
  /** Rows given up because the cap was reached, oldest first. */
  readonly rowsDroppedCap: number;
  /** Rows given up because they could not be written (disk full, no permission). */
  readonly rowsDroppedDisk: number;
}

export interface Spool {
  /**
   * Writes a batch; a full spool gives up its oldest for it. Never throws: what cannot be kept is
   * counted, and `lastError` says why. Owns the content from then on, or until `onSpare`: once it is
   * on the disk and not held, or was held and sent.
   */
  put(batch: NewBatch, onSpare?: () => void): Promise<void>;
  /**
   * Writes all of them, synced to the disk, or none: false when there is no room (nothing is given
   * up for them) or the disk refuses.
   */
  keep(batches: readonly NewBatch[]): Promise<boolean>;
  /** The oldest batch, or undefined. */
  oldest(): SpooledBatch | undefined;
  read(batch: SpooledBatch): Promise<Uint8Array>;
  remove(batch: SpooledBatch): Promise<void>;
  /** The same of a batch that the server has as a whole: nothing reads its content any more. */
  sent(batch: SpooledBatch): Promise<void>;
  counters(): SpoolCounters;
  readonly lastError: Error | undefined;
}

interface Held {
  readonly path: string;
  readonly content: Uint8Array;
  readonly onSpare: (() => void) | undefined;
}

const SUFFIXES = { gzip: '.batch.gz', identity: '.batch' } as const;

/**
 * A queue of batches in `directory` with a cap in bytes: when it is full the oldest goes, counted.
 * Batches of an earlier run are found again. `instance` makes this run's tokens unique.
 */
export async function openSpool(options: {
  directory: string;
  bytesMax: number;
  instance: string;
}): Promise<Spool> {
  const { directory, bytesMax, instance } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const queue = await leftovers(directory);
  let bytes = queue.reduce((sum, batch) => sum + batch.bytes, 0);
  let order = Number(/^\d+/.exec(queue.at(-1)?.path.split('/').pop() ?? '')?.[0] ?? 0);
  let rowsDroppedCap = 0;
  let rowsDroppedDisk = 0;
  let lastError: Error | undefined;
  /** The content of the only batch that waits: an uploader that keeps up need not read it again. */
  let held: Held | undefined;

  async function put(
    { table, rows, content, encoding }: NewBatch,
    onSpare?: () => void,
  ): Promise<void> {
    while (queue.length > 0 && bytes + content.byteLength > bytesMax) {
      const dropped = queue[0];
      if (dropped === undefined) break;
      rowsDroppedCap += dropped.rows;
      await remove(dropped);
    }
    if (content.byteLength > bytesMax) {
      rowsDroppedCap += rows;
      return;
    }
    const batch = named(table, rows, content.byteLength, encoding);
    try {
      await writeWhole(batch.path, content, false);
    } catch (cause) {
      rowsDroppedDisk += rows;
      const why = cause instanceof Error ? cause.message : String(cause);
      lastError = new Error(`${rows} rows dropped, not written to ${directory}: ${why}`, { cause });
      return;
    }
    lastError = undefined;
    add(batch);
    if (queue.length === 1) held = { path: batch.path, content, onSpare };
    else onSpare?.();
  }

  async function keep(batches: readonly NewBatch[]): Promise<boolean> {
    const size = batches.reduce((sum, { content }) => sum + content.byteLength, 0);
    if (bytes + size > bytesMax) return false;
    // The room is taken before anything waits: another `keep` must not take it too.
    bytes += size;
    const written: SpooledBatch[] = [];
    try {
      for (const { table, rows, content, encoding } of batches) {
        const batch = named(table, rows, content.byteLength, encoding);
        await writeWhole(batch.path, content, true);
        written.push(batch);
      }
      await syncDirectory(directory);
    } catch (cause) {
      lastError = new Error(`write ${batches.length} batches to ${directory}`, { cause });
      for (const { path } of written) await rm(path, { force: true }).catch(() => undefined);
      bytes -= size;
      return false;
    }
    lastError = undefined;
    bytes -= size;
    for (const batch of written) add(batch);
    return true;
  }

  function named(table: string, rows: number, size: number, encoding: BatchEncoding): SpooledBatch {
    order += 1;
    const token = `${instance}-${order}`;
    const name = `${String(order).padStart(12, '0')}-${rows}-${table}@${token}${SUFFIXES[encoding]}`;
    return { token, table, rows, path: join(directory, name), bytes: size, encoding };
  }

  /** In the order of the names, which is that of a restart too. */
  function add(batch: SpooledBatch): void {
    bytes += batch.bytes;
    const after = queue.findLastIndex(({ path }) => path < batch.path);
    queue.splice(after + 1, 0, batch);
  }

  async function remove(batch: SpooledBatch): Promise<void> {
    const at = queue.indexOf(batch);
    if (at < 0) return;
    queue.splice(at, 1);
    if (held?.path === batch.path) held = undefined;
    bytes -= batch.bytes;
    await rm(batch.path, { force: true });
  }

  async function sent(batch: SpooledBatch): Promise<void> {
    if (held?.path === batch.path) held.onSpare?.();
    await remove(batch);
  }

  return {
    put,
    keep,
    oldest: () => queue[0],
    read: ({ path }) => (held?.path === path ? Promise.resolve(held.content) : readFile(path)),
    remove,
    sent,
    counters: () => ({ bytes, batches: queue.length, rowsDroppedCap, rowsDroppedDisk }),
    get lastError() {
      return lastError;
    },
  };
}

/** Whole or not at all: a batch appears under its name once its bytes are in the file. */
async function writeWhole(path: string, content: Uint8Array, isSynced: boolean): Promise<void> {
  const partial = `${path}.partial`;
  try {
    const file = await open(partial, 'w', 0o600);
    try {
      await file.writeFile(content);
      if (isSynced) await file.datasync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    throw cause;
  }
}

/** Makes the names of new files survive a loss of power. */
async function syncDirectory(directory: string): Promise<void> {
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Batches of versions that had one table only have no name of it. */
const TABLE_BEFORE = 'l7_flow_log';

async function leftovers(directory: string): Promise<SpooledBatch[]> {
  const found: SpooledBatch[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    if (name.endsWith('.partial')) await rm(path, { force: true });
    const [, rows, table = TABLE_BEFORE, token, packed] =
      /^\d+-(\d+)-(?:([a-z0-9_]+)@)?(.+)\.batch(\.gz)?$/.exec(name) ?? [];
    if (rows === undefined || token === undefined) continue;
    const { size } = await stat(path);
    const encoding = packed === undefined ? 'identity' : 'gzip';
    found.push({ token, table, rows: Number(rows), path, bytes: size, encoding });
  }
  return found;
}
