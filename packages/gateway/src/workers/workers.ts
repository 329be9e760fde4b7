import cluster, { type Worker } from 'node:cluster';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ProxyListen } from '../config/config.ts';
import { listenOn, proxyUrl } from '../core/listeners.ts';
import type { Warn } from '../core/own-log.ts';
import type { GatewayOptions } from '../main.ts';
import type { Store } from '../store/store.ts';
import type { FirstHub } from './first-hub.ts';
import type { ToFirst, ToWorker } from './messages.ts';

export interface WorkersOptions extends GatewayOptions {
  readonly warn: Warn;
  readonly store: Store;
  readonly hub: FirstHub;
  readonly count: number;
}

/** The processes that serve: one that ends is started again. */
export interface Workers {
  /** Where clients come to. */
  readonly proxies: readonly string[];
  /** Resolves when each has what the store holds, or is too busy to say so. */
  settled(): Promise<void>;
  /** Requests under way are answered. */
  close(): Promise<void>;
}

/** What lived so long has had a good start: the next one need not wait. */
const GOOD_START_MS = 10_000;
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 5_000;
const SETTLE_MS = 1_000;
/** One that does not end by itself, its grace for requests included, is killed. */
const END_MS = 10_000;

/** A process cannot run from TypeScript sources: it is always the built bundle. */
const SCRIPT = import.meta.url.endsWith('.ts')
  ? '../../../cli/dist/gateway-worker.js'
  : './gateway-worker.js';

/** Starts them all. Rejects with what the first one says that cannot serve: a port is taken. */
export async function openWorkers(options: WorkersOptions): Promise<Workers> {
  const { store, hub, count, warn } = options;
  const { apisix } = options.config;
  const plain = await withPorts(apisix.node_listen);
  const tls = apisix.ssl.enable ? await withPorts(apisix.ssl.listen) : apisix.ssl.listen;
  const config = {
    ...options.config,
    apisix: { ...apisix, node_listen: plain, ssl: { ...apisix.ssl, listen: tls } },
  };
  const begun = new Map<Worker, number>();
  const syncs = new Map<number, () => void>();
  const slots = Array.from({ length: count }, () => ({ restartMs: RESTART_MS_MIN }));
  const timers = new Set<NodeJS.Timeout>();
  let isClosing = false;
  let lastProcess = 0;
  let lastSync = 0;
  cluster.setupPrimary({ exec: fileURLToPath(new URL(SCRIPT, import.meta.url)), args: [] });

  function begin(worker: Worker, number: number): void {
    begun.set(worker, number);
    hub.join(number, (message) => send(worker, message));
    send(worker, {
      kind: 'begin',
      config,
      dataFolder: options.dataFolder,
      environment: options.environment,
      sockets: options.sockets ?? 'native',
      isStandalone: options.standaloneFile !== undefined,
      process: number,
      prefix: store.prefix,
      revision: store.revision(),
      objects: store.list('/'),
    });
  }

  /** Resolves once it serves; a process that ends before or says why it cannot rejects. */
  function start(slot: { restartMs: number }): Promise<void> {
    lastProcess += 1;
    const number = lastProcess;
    const startMs = Date.now();
    const worker = cluster.fork();
    return new Promise((resolve, reject) => {
      let failure: Error | undefined;
      worker.on('message', (message: ToFirst) => {
        switch (message.kind) {
          case 'hello':
            begin(worker, number);
            return;
          case 'serving':
            resolve();
            return;
          case 'failed':
            failure = Object.assign(new Error(message.message), { code: message.code });
            return;
          case 'warn':
            warn(message.message, message.severity);
            return;
          case 'synced':
            syncs.get(message.id)?.();
            return;
          default:
            hub.take(number, message);
        }
      });
      worker.on('error', (error) => reject(error));
      worker.on('exit', (code, signal) => {
        begun.delete(worker);
        hub.leave(number);
        const how = signal === null ? `with ${code}` : `by ${signal}`;
        const error = failure ?? new Error(`process ${worker.process.pid} ended ${how}`);
        reject(error);
        if (isClosing) return;
        if (Date.now() - startMs > GOOD_START_MS) slot.restartMs = RESTART_MS_MIN;
        restart(slot, error);
      });
    });
  }

  function restart(slot: { restartMs: number }, { message }: Error): void {
    warn(`gateway_worker_ended: ${message}; another one starts in ${slot.restartMs} ms`, 'error');
    const timer = setTimeout(() => {
      timers.delete(timer);
      start(slot).catch(() => undefined); // Its end is told of, and begins this again.
    }, slot.restartMs);
    timers.add(timer);
    slot.restartMs = Math.min(RESTART_MS_MAX, slot.restartMs * 2);
  }

  store.subscribe(({ key, now }) => {
    const change = { kind: 'change', key, revision: store.revision() } as const;
    const message = now === undefined ? change : { ...change, now };
    for (const worker of begun.keys()) send(worker, message);
  });

  async function close(): Promise<void> {
    isClosing = true;
    for (const timer of timers) clearTimeout(timer);
    await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => end(worker)));
  }

  try {
    await Promise.all(slots.map((slot) => start(slot)));
  } catch (error) {
    await close();
    throw error;
  }

  return {
    proxies: [
      ...plain.map((listen) => proxyUrl(listen, false)),
      ...(apisix.ssl.enable ? tls.map((listen) => proxyUrl(listen, true)) : []),
    ],
    async settled() {
      const sync = async (worker: Worker): Promise<void> => {
        lastSync += 1;
        const id = lastSync;
        // One that ends meanwhile is waited for until its time is over.
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, SETTLE_MS);
          syncs.set(id, () => {
            clearTimeout(timer);
            resolve();
          });
          send(worker, { kind: 'sync', id });
        });
        syncs.delete(id);
      };
      await Promise.all([...begun.keys()].map(sync));
    },
    close,
  };
}

/** One that has ended is not told any more. */
function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.process.send(message, () => undefined);
}

function end(worker: Worker | undefined): Promise<void> {
  if (worker === undefined || worker.isDead()) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), END_MS);
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    send(worker, { kind: 'stop' });
  });
}

/**
 * Ports that nobody else has: those that serve share each among themselves, which would let another
 * gateway in, too. Rejects when one is taken.
 */
async function withPorts(listens: readonly ProxyListen[]): Promise<readonly ProxyListen[]> {
  const found: ProxyListen[] = [];
  for (const listen of listens) {
    const server = createServer();
    const port = await listenOn(server, listen);
    await new Promise((resolve) => server.close(resolve));
    found.push({ ...listen, port });
  }
  return found;
}
