import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { StoreError } from '../store.ts';
import type { ChildOptions, ChildReport } from './child-messages.ts';
import { THREADS } from './engine-limits.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 8_000;
const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 10_000;
const STDERR_KEPT = 4_000;
/**
 * For the engine's jemalloc: freed memory stays for 20 s, not 5, and comes in pages of 2 MB where the
 * kernel has them. Each insert needs what the one before freed: asked for anew, half of an insert of
 * samples was page faults (17 per 1,000 rows, now 1). Takes 36 MB more at rest, 75 MB at inserts.
 */
const ENGINE_MEMORY = 'dirty_decay_ms:20000,thp:always';

export interface Supervisor {
  /** Of ClickHouse's HTTP interface; undefined: closed. */
  readonly port: number | undefined;
  /** The running child's process id; undefined between a crash and the restart. */
  pid(): number | undefined;
  restarts(): number;
  /** SIGTERM, then SIGKILL: a running query would otherwise hold it up. Idempotent. */
  close(): Promise<void>;
}

/** Starts the store's process and starts it again whenever it dies, later each time. */
export async function superviseStore(options: ChildOptions): Promise<Supervisor> {
  let isClosing = false;
  let restarts = 0;
  let backoffMs = BACKOFF_MIN_MS;
  let timer: NodeJS.Timeout | undefined;
  let child: ChildProcess | undefined;
  let port = options.port;

  async function start(): Promise<void> {
    const started = spawnChild({ ...options, port });
    child = started.child;
    child.once('exit', () => {
      child = undefined;
    });
    const bound = await started.ready;
    // After a restart the door is where it was.
    if (port !== undefined) port = bound;
    backoffMs = BACKOFF_MIN_MS;
    started.child.once('exit', again);
    // It may have died between its report and this line.
    if (started.child.exitCode !== null || started.child.signalCode !== null) again();
  }

  function again(): void {
    if (isClosing || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      if (isClosing) return;
      restarts += 1;
      start().catch(again);
    }, backoffMs);
    backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
  }

  await start();
  return {
    port,
    pid: () => child?.pid,
    restarts: () => restarts,
    close: async () => {
      isClosing = true;
      clearTimeout(timer);
      if (child !== undefined) await stop(child);
    },
  };
}

function spawnChild(options: ChildOptions): { child: ChildProcess; ready: Promise<number> } {
  const script = import.meta.url.endsWith('.ts')
    ? {
        url: new URL('./store-child.ts', import.meta.url),
        execArgv: ['--conditions=@thalweg/source', '--import', 'tsx'],
      }
    : { url: new URL('./store-child.js', import.meta.url), execArgv: [] };
  const child = fork(fileURLToPath(script.url), [JSON.stringify(options)], {
    execArgv: script.execArgv,
    env: {
      JE_MALLOC_CONF: ENGINE_MEMORY,
      ...process.env,
      UV_THREADPOOL_SIZE: String(THREADS),
      TZ: 'UTC',
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-STDERR_KEPT);
  });
  const ready = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new StoreError('store_unavailable', `the store did not start in ${START_TIMEOUT_MS} ms`),
      );
    }, START_TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      child.off('exit', died);
    };
    const died = (code: number | null, signal: string | null): void => {
      settle();
      const how = signal ?? `exit ${code}`;
      reject(new StoreError('store_unavailable', `the store died at start (${how}): ${lastWords}`));
    };
    child.once('exit', died);
    // Only our own child writes to this channel.
    child.once('message', (message) => {
      const report = message as ChildReport;
      settle();
      if (report.kind === 'ready') resolve(report.port);
      else reject(startFailure(report, options.dataDir));
    });
  });
  return { child, ready };
}

function startFailure(
  report: Extract<ChildReport, { kind: 'failed' }>,
  dataDir: string,
): StoreError {
  const message =
    report.code === 'store_locked'
      ? `${dataDir} is in use by another process`
      : `the store could not open ${dataDir}: ${report.message}`;
  return new StoreError(report.code, message, { cause: new Error(report.message) });
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
