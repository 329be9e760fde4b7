import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { createIntegration } from '@thalweg/integration';
import { type AgentStatus, openAgentDoor } from './agent-door.ts';
import type { CaptureFilter, CaptureStatus, FromWorker, ToWorker } from './capture-messages.ts';
import type { AgentSettings } from './config.ts';
import { createCompressor } from './export/compression.ts';
import { openSpool } from './export/spool.ts';
import { createSpoolSink } from './export/spool-sink.ts';
import { createUploader } from './export/uploader.ts';

/** Why an agent could not start; `fix` says what to do. */
export class AgentError extends Error {
  readonly code: string;
  readonly fix: string;
  constructor(code: string, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AgentError';
    this.code = code;
    this.fix = fix;
  }
}

export interface Agent {
  readonly statusUrl: string;
  status(): AgentStatus;
  /** Changes which sockets are wanted, in the kernel, at once. */
  setFilter(filter: Partial<CaptureFilter>): void;
  /** Takes all probes out of the kernel, or puts them back. */
  setAttached(isAttached: boolean): void;
  /** Looks for network interfaces now, where the settings want them; else every few seconds. */
  followInterfaces(): Promise<void>;
  /** Detaches, sends what it can, keeps the rest on disk. Idempotent. */
  close(): Promise<void>;
}

/** Processes that are never looked at: this one, and those that the caller names. */
export interface AgentOptions {
  readonly pidsExcluded?: readonly number[];
  /** The server is in this process: its port is not captured, its CPU not charged to the agent. */
  readonly serverPort?: number;
  /** Leaves out this share of what the kernel delivers, at random: for benches of what loss does. */
  readonly lossShare?: number;
}

/**
 * Starts capture (in a worker thread) and export. Rejects with `AgentError`: no privileges, no BTF,
 * addon not built, port in use, a bind that needs a token.
 */
export async function startAgent(
  settings: AgentSettings,
  options: AgentOptions = {},
): Promise<Agent> {
  refuseOpenBind(settings);
  const instance = randomBytes(4).readUInt32LE();
  let filter: CaptureFilter = {
    ports: settings.ports,
    portsExcluded: [
      ...settings.ports_excluded,
      ...(options.serverPort === undefined ? [] : [options.serverPort]),
    ],
    pidsExcluded: [process.pid, ...(options.pidsExcluded ?? [])],
    namespaces: [],
  };
  let status: CaptureStatus = { isAttached: false, rung: '', reason: '', counters: {}, links: [] };
  const spool = await openSpool({
    directory: settings.spool_dir,
    bytesMax: settings.spool_bytes_max,
    instance: `${settings.name}-${instance.toString(16)}`,
  });
  const compress = createCompressor(settings.compression, settings.server_url);
  const uploader = createUploader({
    spool,
    serverUrl: settings.server_url,
    token: settings.token,
    headers: () => ({
      'x-thalweg-agent': settings.name,
      'x-thalweg-lost-events': String(lostEvents(status)),
      'x-thalweg-dropped-rows': String(droppedRows()),
      'x-thalweg-rested-ms': String(status.counters['shed.rested_ms'] ?? 0),
    }),
  });
  const integration = createIntegration({
    sink: createSpoolSink(spool, compress),
    token: settings.receive_token,
    agent: settings.name,
    instance: randomBytes(4).readUInt32LE(),
    now: Date.now,
  });
  const worker = startWorker({
    name: settings.name,
    flush_ms: settings.flush_ms,
    ring_bytes: settings.ring_bytes,
    rung: settings.rung,
    capture_bytes: settings.capture_bytes,
    headers: settings.headers,
    headers_redacted: settings.headers_redacted,
    query_redacted: settings.query_redacted,
    request_timeout_ms: settings.request_timeout_ms,
    priority: settings.priority,
    cpu_budget_cores: settings.cpu_budget_cores,
    cpu_busy_share: settings.cpu_busy_share,
    network_spans: settings.network_spans,
    network_interfaces: settings.network_interfaces,
    filter,
    sharesProcess: options.serverPort !== undefined,
    lossShare: options.lossShare ?? 0,
    instance,
  });
  const send = (message: ToWorker): void => worker.postMessage(message);
  let stopped: (() => void) | undefined;
  const following: (() => void)[] = [];
  let writes = Promise.resolve();

  function receive(message: FromWorker): void {
    if (message.kind === 'batch') {
      const { table, bytes, rows } = message;
      writes = writes.then(async () => {
        const [content, encoding] = await compress(bytes, spool.counters().batches);
        const onSpare = (): void => giveBack(bytes.buffer);
        if (content !== bytes) onSpare();
        await spool.put(
          { table, rows, content, encoding },
          content === bytes ? onSpare : undefined,
        );
      });
    } else if (message.kind !== 'failed') status = message.status;
    if (message.kind === 'stopped') stopped?.();
    if (message.kind === 'followed') following.shift()?.();
  }

  /** The worker writes a later batch into it. */
  function giveBack(memory: ArrayBuffer): void {
    worker.postMessage({ kind: 'spare', memory } satisfies ToWorker, [memory]);
  }

  function droppedRows(): number {
    const { rowsDroppedCap, rowsDroppedDisk } = spool.counters();
    return rowsDroppedCap + rowsDroppedDisk + uploader.counters().rowsRefused;
  }

  function fullStatus(): AgentStatus {
    const { lastError, ...sent } = uploader.counters();
    return {
      name: settings.name,
      pid: process.pid,
      ...status,
      counters: {
        ...status.counters,
        ...prefixed('spool', spool.counters()),
        ...prefixed('upload', sent),
        ...prefixed('receivers', integration.counters()),
        lost_events: lostEvents(status),
      },
      lastError: spool.lastError?.message ?? lastError,
    };
  }

  status = await ready(worker);
  worker.on('message', receive);
  worker.on('error', (error) => {
    status = { ...status, isAttached: false, reason: `capture stopped: ${error.message}` };
    stopped?.();
  });
  const listener = await openAgentDoor(
    { host: settings.receive_host, port: settings.status_port, door: integration.door },
    fullStatus,
  ).catch(async (cause: unknown) => {
    await worker.terminate();
    throw portError(cause, settings);
  });
  const ending = new AbortController();
  const uploading = uploader.run(ending.signal);

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    const isStopped = new Promise<void>((resolve) => {
      stopped = resolve;
      worker.once('exit', () => resolve());
    });
    // Senders are answered first, then what they sent goes out with the rest.
    await listener.close();
    await integration.close();
    send({ kind: 'stop' });
    await isStopped;
    await worker.terminate();
    await writes;
    ending.abort();
    await uploading;
    await uploader.drain();
  }

  return {
    statusUrl: listener.url,
    status: fullStatus,
    setFilter: (change) => {
      filter = { ...filter, ...change };
      send({ kind: 'filter', filter });
    },
    followInterfaces: () =>
      new Promise((resolve) => {
        following.push(resolve);
        worker.once('exit', () => resolve());
        send({ kind: 'follow' });
      }),
    setAttached: (isAttached) => send({ kind: isAttached ? 'attach' : 'detach' }),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/**
 * Of the worker's new objects, three semi-spaces: with V8's own 48 MB it collects half as often, which
 * saves a hundredth of its CPU and costs 16 MB that stay resident.
 */
const YOUNG_MB = 24;

/** A worker cannot run from TypeScript sources on Node 20: it is always the built bundle. */
function startWorker(workerData: object): Worker {
  const bundle = import.meta.url.endsWith('.ts')
    ? '../../cli/dist/capture-worker.js'
    : './capture-worker.js';
  return new Worker(new URL(bundle, import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
}

/** Resolves with the worker's first word; a refusal by the kernel becomes an `AgentError`. */
function ready(worker: Worker): Promise<CaptureStatus> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: FromWorker) => {
      if (message.kind === 'ready') return resolve(message.status);
      if (message.kind !== 'failed') return;
      reject(new AgentError(message.code, message.message, message.fix));
      void worker.terminate();
    });
  });
}

function portError(cause: unknown, { receive_host, status_port }: AgentSettings): AgentError {
  return new AgentError(
    'port_in_use',
    `${receive_host}:${status_port} is not free`,
    'is another agent running? set status_port to another port, or 0 for any',
    { cause },
  );
}

/** Whoever reaches the port may send rows and read the status: from elsewhere only with a token. */
function refuseOpenBind({ receive_host: host, receive_token: token }: AgentSettings): void {
  if (host === 'localhost' || host === '::1' || /^127\./.test(host) || token !== undefined) return;
  throw new AgentError(
    'bind_refused',
    `${host} is reachable from other machines, and no receive_token is set`,
    'set receive_token (THALWEG_AGENT_RECEIVE_TOKEN, at least 16 characters), or receive at 127.0.0.1',
  );
}

function lostEvents({ counters }: CaptureStatus): number {
  return counters['kernel.lost'] ?? 0;
}

function prefixed(prefix: string, counters: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters).map(([name, value]) => [`${prefix}.${name}`, Number(value)]),
  );
}
