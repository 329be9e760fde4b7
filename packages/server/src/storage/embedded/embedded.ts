import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { createSqlStore } from '../sql-store.ts';
import type { Store } from '../store.ts';
import { connectEngine } from './engine-client.ts';
import { superviseStore } from './supervisor.ts';

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** Directories whose files `insertFile` may read. Default: `<dataDir>/spool`. */
  readonly spoolDirs?: readonly string[];
  /** Of the engine as a whole. Default: 30 % of the machine's. */
  readonly memoryBytesMax?: number;
  /** Opens ClickHouse's HTTP interface on this port of loopback, for others; 0 picks one. */
  readonly port?: number;
}

export interface EmbeddedStore extends Store {
  /** The engine's process; undefined between a crash and the restart. */
  pid(): number | undefined;
  restarts(): number;
  /** Where ClickHouse's HTTP interface is, when it is open. */
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
    socketPath,
    port: options.port,
    spoolDirs: (options.spoolDirs ?? [join(dataDir, 'spool')]).map((path) => resolve(path)),
    memoryBytesMax: options.memoryBytesMax ?? Math.round(totalmem() * MEMORY_SHARE),
  }).catch((error: unknown) => {
    release();
    throw error;
  });
  const line = connectEngine(socketPath);
  const store = createSqlStore(line, async () => {
    line.close();
    await supervisor.close();
    release();
  });
  const { port, pid, restarts } = supervisor;
  const url = port === undefined ? undefined : `http://127.0.0.1:${port}`;
  return { ...store, url, pid, restarts };
}
