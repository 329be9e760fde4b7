import { mkdirSync } from 'node:fs';
import { type AddressInfo, isIP } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TABLES } from '@thalweg/model';
import type { FastifyBaseLogger } from 'fastify';
import { createAgents } from './api/agents.ts';
import { buildApp } from './api/app.ts';
import { ownMetrics } from './api/own-metrics.ts';
import type { ServerSettings } from './config.ts';
import { StartError } from './errors.ts';
import {
  createIngest,
  createRootTable,
  fillTraceIndex,
  ROOT_DEFAULTS,
  restoreRoots,
} from './ingest/index.ts';
import { listenError, startError } from './listen-error.ts';
import { createMetrics } from './metrics/metrics.ts';
import { startSelfScrape } from './metrics/self-scrape.ts';
import { openReceivers } from './receivers.ts';
import { openClickHouseStore } from './storage/clickhouse/clickhouse.ts';
import { openEmbeddedStore } from './storage/embedded/embedded.ts';
import { prepareSchema } from './storage/migrate.ts';
import { openRetention, type RetentionEvent } from './storage/retention.ts';
import type { Store } from './storage/store.ts';
import { warmUp } from './warm-up.ts';

export interface Server {
  readonly url: string;
  readonly port: number;
  /** Where OTLP comes in, besides `url`; undefined when it is off. */
  readonly otlpHttpUrl: string | undefined;
  readonly otlpGrpcUrl: string | undefined;
  readonly skywalkingGrpcUrl: string | undefined;
  /** Of the store's child process; undefined when a ClickHouse by URL is used. */
  readonly storePid: () => number | undefined;
  /** Stops taking requests, finishes inserts, ends the store. Idempotent. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly version: string;
  /** What goes to stderr, one JSON line an event. */
  readonly logLevel: 'info' | 'warn' | 'silent';
  /** Asks itself queries for some seconds once it listens, so that a person's first are fast. */
  readonly warmsUp?: boolean;
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
    await fillTraceIndex(store);
    const retention = openRetention({
      store,
      dataDir: settings.data_dir,
      settings: { hours: settings.retention_hours, bytes: settings.retention_bytes },
    });
    const roots = createRootTable();
    await restoreRoots(store, roots, Math.floor(Date.now() / 1e3), ROOT_DEFAULTS.windowS);
    const metrics = createMetrics({
      store,
      isShared: settings.clickhouse_url !== undefined,
      hoursOf: retention.hoursOf,
      now: Date.now,
    });
    const ingest = await createIngest({
      store,
      spoolDir,
      roots,
      limits: { spoolBytesMax: settings.spool_bytes_max },
      observe: metrics.observe,
      heldTables: metrics.heldTables,
      hoursOf: retention.hoursOf,
      now: Date.now,
    });
    const isInserted = await ingest.flush().then(
      () => true,
      () => false, // The store refuses rows: they stay in the spool, and what is stored is served.
    );
    await metrics.restore({ spoolIsEmpty: isInserted });
    const receivers = await openReceivers(settings, ingest, retention.hoursOf);
    const services = {
      store,
      ingest,
      receivers: { ...receivers.integration, lastError: receivers.lastError },
      metrics,
      retention,
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
    if (ingest.journalDamage.stretches > 0) {
      const facts = { ...ingest.journalDamage, spoolDir };
      app.log.error(facts, 'journal of the spool damaged: what only lost lines name is set aside');
    }
    await app.listen({ host: settings.host, port: settings.port }).catch(async (cause: unknown) => {
      await receivers.close();
      throw listenError(cause, { ...settings, key: 'port' });
    });
    const stopScrape = startSelfScrape({
      read: () => ownMetrics(services),
      writer: receivers.integration.metrics,
      instance: `${settings.host}:${boundPort(app.server.address()) ?? settings.port}`,
      intervalS: settings.self_scrape_s,
      now: Date.now,
    });
    retention.start((event) => logRetention(app.log, event));
    const port = boundPort(app.server.address()) ?? settings.port;
    const url = `http://${isIP(settings.host) === 6 ? `[${settings.host}]` : settings.host}:${port}`;
    const warming = new AbortController();
    // Without it the first queries are slower, and no more.
    if (options.warmsUp === true) {
      warmUp(url, { token: settings.token, signal: warming.signal }).catch(() => undefined);
    }
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      warming.abort();
      stopScrape();
      await app.close();
      await receivers.close();
      await ingest.close();
      metrics.close();
      await retention.close();
      await store.close();
    };
    return {
      url,
      port,
      otlpHttpUrl: receivers.otlpHttpUrl,
      otlpGrpcUrl: receivers.otlpGrpcUrl,
      skywalkingGrpcUrl: receivers.skywalkingGrpcUrl,
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

function logRetention(log: FastifyBaseLogger, event: RetentionEvent): void {
  const { kind, ...facts } = event;
  switch (kind) {
    case 'dropped':
      log.warn(facts, 'partition dropped: the table is over its cap of bytes');
      return;
    case 'hours':
      log.info(facts, 'hours of a table changed');
      return;
    case 'failed':
      log.error(facts, 'retention is not in force, the next round tries again');
  }
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

function boundPort(address: string | AddressInfo | null): number | undefined {
  return address === null || typeof address === 'string' ? undefined : address.port;
}
