import { mkdirSync } from 'node:fs';
import { type AddressInfo, isIP } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TABLES } from '@thalweg/model';
import { createAgents } from './api/agents.ts';
import { buildApp } from './api/app.ts';
import type { ServerSettings } from './config.ts';
import { StartError } from './errors.ts';
import { createIngest, createRootTable, ROOT_DEFAULTS, restoreRoots } from './ingest/index.ts';
import { openClickHouseStore } from './storage/clickhouse/clickhouse.ts';
import { openEmbeddedStore } from './storage/embedded/embedded.ts';
import { prepareSchema } from './storage/migrate.ts';
import { type Store, StoreError } from './storage/store.ts';

export interface Server {
  readonly url: string;
  readonly port: number;
  /** Of the store's child process; undefined when a ClickHouse by URL is used. */
  readonly storePid: () => number | undefined;
  /** Stops taking requests, finishes inserts, ends the store. Idempotent. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly version: string;
  /** What goes to stderr, one JSON line an event. */
  readonly logLevel: 'info' | 'warn' | 'silent';
}

/** The UI's files, seen from the sources and from the bundle. */
const WEB_DIR = fileURLToPath(new URL('../../web/dist', import.meta.url));

/**
 * Starts store, ingest and API. Rejects with `StartError`: port in use, a bind that needs a token,
 * or a store that does not start.
 */
export async function startServer(
  settings: ServerSettings,
  options: ServerOptions,
): Promise<Server> {
  refuseOpenBind(settings);
  const spoolDir = join(settings.data_dir, 'spool');
  mkdirSync(spoolDir, { recursive: true, mode: 0o700 });
  const { store, storePid } = await openStore(settings, spoolDir);
  try {
    await prepareSchema(store, TABLES);
    const roots = createRootTable();
    await restoreRoots(store, roots, Math.floor(Date.now() / 1e3), ROOT_DEFAULTS.windowS);
    const ingest = await createIngest({
      store,
      spoolDir,
      roots,
      limits: { spoolBytesMax: settings.spool_bytes_max },
      now: Date.now,
    });
    const services = {
      store,
      ingest,
      agents: createAgents(),
      version: options.version,
      now: Date.now,
    };
    const app = await buildApp(services, {
      bodyBytesMax: settings.body_bytes_max,
      token: settings.token,
      webDir: WEB_DIR,
      logLevel: options.logLevel,
    });
    await app.listen({ host: settings.host, port: settings.port }).catch((cause: unknown) => {
      throw listenError(cause, settings);
    });
    const port = boundPort(app.server.address()) ?? settings.port;
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await app.close();
      await ingest.close();
      await store.close();
    };
    return {
      url: `http://${isIP(settings.host) === 6 ? `[${settings.host}]` : settings.host}:${port}`,
      port,
      storePid,
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await store.close();
    throw startError(error);
  }
}

async function openStore(
  settings: ServerSettings,
  spoolDir: string,
): Promise<{ store: Store; storePid: () => number | undefined }> {
  if (settings.clickhouse_url !== undefined) {
    const store = await openClickHouseStore({
      url: settings.clickhouse_url,
      ...(settings.clickhouse_user === undefined ? {} : { user: settings.clickhouse_user }),
      ...(settings.clickhouse_password === undefined
        ? {}
        : { password: settings.clickhouse_password }),
    });
    return { store, storePid: () => undefined };
  }
  const store = await openEmbeddedStore({
    dataDir: settings.data_dir,
    spoolDirs: [spoolDir],
    ...(settings.memory_bytes_max === undefined
      ? {}
      : { memoryBytesMax: settings.memory_bytes_max }),
  }).catch((error: unknown) => {
    throw startError(error);
  });
  return { store, storePid: () => store.pid() };
}

function refuseOpenBind({ host, token }: ServerSettings): void {
  const isLoopback = host === 'localhost' || host === '::1' || /^127\./.test(host);
  if (isLoopback || token !== undefined) return;
  throw new StartError(
    'bind_refused',
    `${host} is reachable from other machines, and no token is set`,
    'set token (THALWEG_SERVER_TOKEN, at least 16 characters), or bind 127.0.0.1',
  );
}

function listenError(cause: unknown, { host, port }: ServerSettings): StartError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if (code !== 'EADDRINUSE') return startError(cause);
  return new StartError(
    'port_in_use',
    `${host}:${port} is not free`,
    'is another server running? choose another port, or 0 for any',
    { cause },
  );
}

function startError(cause: unknown): StartError {
  if (cause instanceof StartError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const fix =
    cause instanceof StoreError && cause.code === 'store_locked'
      ? 'end the other server, or choose another data_dir'
      : 'see the cause; data_dir must be writable and have room';
  return new StartError('start_failed', message, fix, { cause });
}

function boundPort(address: string | AddressInfo | null): number | undefined {
  return address === null || typeof address === 'string' ? undefined : address.port;
}
