import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createBatch, l7FlowLog } from '@thalweg/model';
import type { CaptureStatus, FromWorker, ToWorker, WorkerSettings } from './capture-messages.ts';
import { createProcessTable } from './enrich/process-table.ts';
import { endpointOf } from './export/endpoint.ts';
import { remembered } from './export/remembered.ts';
import { type L7Columns, type RowContext, writeRow } from './export/row.ts';
import { createFlow } from './flow/flow.ts';
import { type Capture, openCapture } from './kernel/capture.ts';
import { createResolver, type TracedExchange } from './trace/resolver.ts';

// The capture side of the agent, on a thread of its own: kernel ring → flow → resolver → rows →
// batches. A slow disk or server never delays the drain, because neither is spoken to here.

/** Between drains the ring must hold what comes: 16 MiB are over 100 ms at 300,000 events/s. */
const DRAIN_MS = 5;
const STATUS_MS = 1_000;
const SWEEP_MS = 10_000;
const BATCH_ROWS_MAX = 16_384;

const settings = workerData as WorkerSettings; // Set by startAgent, the only one who starts this.
const batch = createBatch(l7FlowLog);
const processes = createProcessTable();
const resolver = createResolver(keep);
const flow = createFlow({
  headers: settings.headers,
  onRequest: resolver.request,
  onExchange: resolver.exchange,
});
const rowIdHigh = BigInt(settings.instance) << 32n;
let rowCount = 0n;
let capture: Capture | undefined;
let filter = settings.filter;
/** What earlier attachments counted, so that totals never fall. */
let earlier: Record<string, number> = {};
let current: TracedExchange | undefined;
const context: { -readonly [Key in keyof RowContext]: RowContext[Key] } = {
  agent: settings.name,
  process: processes.facts(process.pid, '', 0),
  wallClockOffsetNs: 0,
  id: 0n,
  endpoints: remembered((path) => endpointOf(path)),
};
let reason = '';

function keep(traced: TracedExchange): void {
  const { pid, comm, netns } = traced.exchange.connection;
  rowCount += 1n;
  context.process = processes.facts(pid, comm, netns);
  context.id = rowIdHigh | (rowCount & 0xffffffffn);
  current = traced;
  batch.add(write);
  if (batch.rows >= BATCH_ROWS_MAX) sendBatch();
}

function write(columns: L7Columns): void {
  if (current !== undefined) writeRow(columns, current, context);
}

function sendBatch(): void {
  if (batch.rows === 0) return;
  const bytes = batch.encode();
  tell({ kind: 'batch', bytes, rows: batch.rows }, [bytes.buffer]);
  batch.clear();
}

function drain(): void {
  if (capture === undefined) return;
  capture.drain(flow.transfer);
  flow.flush(Number(process.hrtime.bigint()));
}

function attach(): void {
  if (capture !== undefined) return;
  capture = openCapture({
    ringBytes: settings.ring_bytes,
    rung: settings.rung === 'auto' ? undefined : settings.rung,
    captureBytes: settings.capture_bytes,
    filter,
  });
  context.wallClockOffsetNs = capture.wallClockOffsetNs();
  reason = capture.reason;
}

function detach(): void {
  if (capture === undefined) return;
  drain();
  earlier = kernelCounters();
  capture.close();
  capture = undefined;
}

function kernelCounters(): Record<string, number> {
  const total = { ...earlier };
  for (const [name, value] of Object.entries(capture?.counters() ?? {})) {
    total[name] = (total[name] ?? 0) + value;
  }
  return total;
}

function status(): CaptureStatus {
  const { opaque, troubles, ...flowCounters } = flow.counters();
  return {
    isAttached: capture !== undefined,
    rung: capture?.rung ?? '',
    reason,
    counters: {
      ...prefixed('kernel', kernelCounters()),
      ...prefixed('flow', flowCounters),
      ...prefixed('flow.opaque', opaque),
      ...prefixed('flow.trouble', troubles),
      ...prefixed('trace', resolver.counters()),
      'enrich.processes': processes.size,
    },
  };
}

function prefixed(prefix: string, counters: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters).map(([name, value]) => [`${prefix}.${name}`, Number(value)]),
  );
}

function stop(): void {
  detach();
  flow.close();
  sendBatch();
  tell({ kind: 'stopped', status: status() });
}

function tell(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, [...transfer]);
}

function obey(message: ToWorker): void {
  switch (message.kind) {
    case 'filter':
      filter = message.filter;
      capture?.setFilter(filter);
      break;
    case 'attach':
      attach();
      break;
    case 'detach':
      detach();
      break;
    case 'stop':
      for (const timer of timers) clearInterval(timer);
      stop();
      break;
  }
}

const timers: NodeJS.Timeout[] = [];
try {
  // On Linux 0 is the calling thread alone. What the ring then cannot hold is counted as lost.
  setPriority(0, settings.nice);
  attach();
  timers.push(
    setInterval(drain, DRAIN_MS),
    setInterval(sendBatch, settings.flush_ms),
    setInterval(() => {
      if (capture !== undefined) context.wallClockOffsetNs = capture.wallClockOffsetNs();
      tell({ kind: 'status', status: status() });
    }, STATUS_MS),
    setInterval(() => processes.sweep(), SWEEP_MS),
  );
  parentPort?.on('message', obey);
  tell({ kind: 'ready', status: status() });
} catch (error) {
  const { code, message, fix } = failure(error);
  tell({ kind: 'failed', code, message, fix });
}

/** Kernel errors carry a code and a fix; anything else is ours and keeps its words. */
function failure(error: unknown): { code: string; message: string; fix: string } {
  const known = error instanceof Error ? error : new Error(String(error));
  const code = 'code' in known && typeof known.code === 'string' ? known.code : 'capture_failed';
  const fix = 'fix' in known && typeof known.fix === 'string' ? known.fix : 'see thalweg doctor';
  return { code, message: known.message, fix };
}
