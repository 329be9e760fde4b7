import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A batch that waits on disk. Its name is its identity: `<order>-<rows>-<token>`. */
export interface SpooledBatch {
  /** Stays the same over retries and restarts: the server recognises a batch that it has. */
  readonly token: string;
  readonly rows: number;
  readonly path: string;
  readonly bytes: number;
  readonly encoding: BatchEncoding;
}

/** How the bytes of a batch are held, on disk and on the way; names of HTTP's Content-Encoding. */
export type BatchEncoding = 'gzip' | 'identity';

export interface SpoolCounters {
  readonly bytes: number;
  readonly batches: number;
  /** Rows given up because the cap was reached, oldest first. */
  readonly rowsDroppedCap: number;
  /** Rows given up because they could not be written (disk full, no permission). */
  readonly rowsDroppedDisk: number;
}

export interface Spool {
  /** Writes a batch. Never throws: what cannot be kept is counted, and `lastError` says why. */
  put(bytes: Uint8Array, rows: number, encoding: BatchEncoding): Promise<void>;
  /** The oldest batch, or undefined. */
  oldest(): SpooledBatch | undefined;
  read(batch: SpooledBatch): Promise<Uint8Array>;
  remove(batch: SpooledBatch): Promise<void>;
  counters(): SpoolCounters;
  readonly lastError: Error | undefined;
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

  async function put(content: Uint8Array, rows: number, encoding: BatchEncoding): Promise<void> {
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
    order += 1;
    const token = `${instance}-${order}`;
    const name = `${String(order).padStart(12, '0')}-${rows}-${token}${SUFFIXES[encoding]}`;
    const path = join(directory, name);
    try {
      await writeWhole(path, content);
    } catch (cause) {
      rowsDroppedDisk += rows;
      const why = cause instanceof Error ? cause.message : String(cause);
      lastError = new Error(`${rows} rows dropped, not written to ${directory}: ${why}`, { cause });
      return;
    }
    lastError = undefined;
    bytes += content.byteLength;
    queue.push({ token, rows, path, bytes: content.byteLength, encoding });
  }

  async function remove(batch: SpooledBatch): Promise<void> {
    const at = queue.indexOf(batch);
    if (at < 0) return;
    queue.splice(at, 1);
    bytes -= batch.bytes;
    await rm(batch.path, { force: true });
  }

  return {
    put,
    oldest: () => queue[0],
    read: (batch) => readFile(batch.path),
    remove,
    counters: () => ({ bytes, batches: queue.length, rowsDroppedCap, rowsDroppedDisk }),
    get lastError() {
      return lastError;
    },
  };
}

/** Whole or not at all: a batch appears under its name once its bytes are in the file. */
async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const partial = `${path}.partial`;
  try {
    const file = await open(partial, 'w', 0o600);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    throw cause;
  }
}

async function leftovers(directory: string): Promise<SpooledBatch[]> {
  const found: SpooledBatch[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    if (name.endsWith('.partial')) await rm(path, { force: true });
    const parts = /^\d+-(\d+)-(.+)\.batch(\.gz)?$/.exec(name);
    if (parts?.[1] === undefined || parts[2] === undefined) continue;
    const { size } = await stat(path);
    const encoding = parts[3] === undefined ? 'identity' : 'gzip';
    found.push({ token: parts[2], rows: Number(parts[1]), path, bytes: size, encoding });
  }
  return found;
}
