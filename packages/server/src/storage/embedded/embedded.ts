import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { createHttpStore } from '../http-store.ts';
import type { Store } from '../store.ts';
import { FILE_HEADER } from './child-messages.ts';
import { superviseStore } from './supervisor.ts';

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** Directories whose files `insertFile` may read. Default: `<dataDir>/spool`. */
  readonly spoolDirs?: readonly string[];
  /** Of the engine as a whole. Default: 30 % of the machine's. */
  readonly memoryBytesMax?: number;
  /** Listens on this port of loopback instead of a unix socket; 0 picks one. */
  readonly port?: number;
}

export interface EmbeddedStore extends Store {
  /** The engine's process; undefined between a crash and the restart. */
  pid(): number | undefined;
  restarts(): number;
  /** Where the HTTP door is, when it listens on a port. */
  readonly url: string | undefined;
}

const MEMORY_SHARE = 0.3;

/**
 * A ClickHouse inside: chdb in its own supervised process. Rejects with `StoreError`:
 * `store_locked` when another process has the directory, `store_unavailable` when it cannot start.
 */
export async function openEmbeddedStore(options: EmbeddedOptions): Promise<EmbeddedStore> {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // Not in the data directory: a socket's path has at most 107 bytes.
  const socketDir = mkdtempSync(join(tmpdir(), 'thalweg-'));
  const socketPath = join(socketDir, 'store.sock');
  const release = (): void => rmSync(socketDir, { recursive: true, force: true });
  const supervisor = await superviseStore({
    dataDir,
    listen: options.port ?? socketPath,
    spoolDirs: (options.spoolDirs ?? [join(dataDir, 'spool')]).map((path) => resolve(path)),
    memoryBytesMax: options.memoryBytesMax ?? Math.round(totalmem() * MEMORY_SHARE),
  }).catch((error: unknown) => {
    release();
    throw error;
  });
  const url = options.port === undefined ? undefined : `http://127.0.0.1:${supervisor.port}`;
  const where = url === undefined ? { socketPath } : { url };
  const store = createHttpStore({ ...where, fileHeader: FILE_HEADER }, async () => {
    await supervisor.close();
    release();
  });
  return { ...store, url, pid: supervisor.pid, restarts: supervisor.restarts };
}
