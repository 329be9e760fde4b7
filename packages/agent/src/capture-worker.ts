import { cpus } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { l7FlowLog, linkCalibration } from '@thalweg/model';
import type { CaptureStatus, FromWorker, ToWorker, WorkerSettings } from './capture-messages.ts';
import { createProcessTable } from './enrich/process-table.ts';
import { calibrationBatch } from './export/calibration-batch.ts';
import { createRows } from './export/rows.ts';
import { createFlow } from './flow/flow.ts';
import { losing } from './flow/losing.ts';
import { loadAddon } from './kernel/addon.ts';
import { type Capture, openCapture } from './kernel/capture.ts';
import { createNetworkSide } from './network/network-side.ts';
import { createBudget } from './shed/budget.ts';
import { createPace } from './shed/pace.ts';
import { atUsualPriority, yieldCpu } from './shed/scheduling.ts';
import { createCalibration } from './trace/calibration.ts';
import { createResolver } from './trace/resolver.ts';

// The capture side of the agent, on a thread of its own: kernel ring → flow → resolver → rows →
// batches. A slow disk or server never delays the drain, because neither is spoken to here.

/** Between drains the ring must hold what comes: 8 MiB are 60 ms at 300,000 events/s. */
const DRAIN_MS = 10;
const STATUS_MS = 1_000;
const SWEEP_MS = 10_000;
/** A row for each service and report. */
const REPORT_LINKS_MS = 10_000;
/**
 * What an event costs in the traced process, in seconds: part of the budget, though not measured at
 * run time, since that would cost a sixth more. Source: docs/benchmarks.md, `probe_ns_per_event`.
 */
const PROBE_SECONDS = 0.5e-6;
/** The same of a packet at an interface: `packet_ns`. */
const PACKET_SECONDS = 0.7e-6;

const settings = workerData as WorkerSettings; // Set by startAgent, the only one who starts this.
const processes = createProcessTable({
  ...(settings.priority === 'idle' ? { around: (read) => atUsualPriority(loadAddon(), read) } : {}),
});
const rows = createRows({
  agent: settings.name,
  instance: settings.instance,
  processes,
  queryRedacted: settings.query_redacted,
  onBatch: (bytes, count) => tellRows(l7FlowLog.name, bytes, count),
});
const calibration = createCalibration();
const resolver = createResolver(rows.add, {
  hasLoopTurns: () => capture?.loopTurnsReason === '',
  programOf: ({ pid }) => processes.program(pid),
  onCompared: ({ pid, comm, netns }, comparison) =>
    calibration.add(processes.facts(pid, comm, netns).service, comparison),
});
const flow = createFlow({
  headers: settings.headers,
  headersRedacted: settings.headers_redacted,
  limits: { requestTimeoutMs: settings.request_timeout_ms },
  onRequest: resolver.request,
  onHidden: resolver.hidden,
  onExchange(exchange) {
    resolver.exchange(exchange);
    network.exchange(exchange);
  },
});
const network = createNetworkSide({
  spans: settings.network_spans,
  interfaces: settings.network_interfaces,
  onSpan: rows.addNetwork,
  now: () => Number(process.hrtime.bigint()),
});
const pace = createPace({
  budget: createBudget({
    coresLeast: settings.cpu_busy_share * cpus().length,
    coresMost: settings.cpu_budget_cores,
    cores: cpus().length,
  }),
  used: () =>
    usedSeconds() +
    ((earlier['events'] ?? 0) + (capture?.events() ?? 0)) * PROBE_SECONDS +
    network.packets() * PACKET_SECONDS,
  idle: () => cpus().reduce((sum, { times }) => sum + times.idle, 0) / 1e3,
  isRingFull: () => capture?.isPaused === true,
  look() {
    capture?.setPaused(false);
    network.setPaused(false);
  },
  rest,
});
const take =
  settings.lossShare === 0
    ? flow.transfer
    : losing(flow.transfer, () => Math.random() < settings.lossShare);
let capture: Capture | undefined;
let filter = settings.filter;
/** What earlier attachments counted, so that totals never fall. */
let earlier: Record<string, number> = {};
let reason = '';

function drain(): void {
  if (capture === undefined) return;
  capture.drain(take);
  const nowNs = Number(process.hrtime.bigint());
  flow.flush(nowNs);
  resolver.flush(nowNs);
  network.drain(nowNs);
  pace.tick(performance.now());
}

/**
 * CPU that the agent has used: the process's, with V8's helpers for collection and compilation, or
 * this thread's where others work in the same process (`thalweg up` runs the server in it).
 */
function usedSeconds(): number {
  if (settings.sharesProcess) return loadAddon().threadCpuSeconds();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Until the next slice nothing is told: what is open now cannot be followed to its end. */
function rest(): void {
  if (capture === undefined) return;
  capture.setPaused(true);
  capture.drain(take);
  network.setPaused(true);
  flow.interrupt();
  resolver.flush(Infinity);
}

function attach(): void {
  if (capture !== undefined) return;
  capture = openCapture({
    ringBytes: settings.ring_bytes,
    rung: settings.rung === 'auto' ? undefined : settings.rung,
    captureBytes: settings.capture_bytes,
    isBounded: settings.cpu_busy_share < 1,
    filter,
  });
  rows.setWallClockOffset(capture.wallClockOffsetNs());
  network.attach();
  const { loopTurnsReason } = capture;
  const loops = loopTurnsReason === '' ? '' : `turns of event loops unseen: ${loopTurnsReason}`;
  reason = [capture.reason, loops].filter((text) => text !== '').join('; ');
}

function detach(): void {
  if (capture === undefined) return;
  drain();
  earlier = kernelCounters();
  network.detach();
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
    reason: [reason, network.reason()].filter((text) => text !== '').join('; '),
    counters: {
      ...prefixed('kernel', kernelCounters()),
      ...(settings.network_spans === 'off' ? {} : prefixed('network', network.counters())),
      ...prefixed('flow', flowCounters),
      ...prefixed('flow.opaque', opaque),
      ...prefixed('flow.trouble', troubles),
      ...prefixed('trace', resolver.counters()),
      ...prefixed('shed', pace.counters()),
      'enrich.processes': processes.size,
    },
    links: calibration.totals(),
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
  resolver.flush(Infinity);
  rows.flush();
  reportLinks();
  tell({ kind: 'stopped', status: status() });
}

/** Tells the server how right evidence was where ids told, if anything was compared. */
function reportLinks(): void {
  const report = calibrationBatch(calibration.takeNews(), settings.name, Date.now());
  if (report !== undefined) tellRows(linkCalibration.name, report.encode(), report.rows);
}

function tellRows(table: string, bytes: Uint8Array<ArrayBuffer>, count: number): void {
  tell({ kind: 'batch', table, bytes, rows: count }, [bytes.buffer]);
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
    case 'follow':
      network.follow();
      tell({ kind: 'followed', status: status() });
      break;
    case 'spare':
      rows.reuse(message.memory);
      break;
    case 'stop':
      for (const timer of timers) clearInterval(timer);
      stop();
      break;
  }
}

const timers: NodeJS.Timeout[] = [];
try {
  if (settings.priority === 'idle') yieldCpu(loadAddon(), settings.sharesProcess);
  attach();
  timers.push(
    setInterval(drain, DRAIN_MS),
    setInterval(rows.flush, settings.flush_ms),
    setInterval(() => {
      if (capture !== undefined) rows.setWallClockOffset(capture.wallClockOffsetNs());
      tell({ kind: 'status', status: status() });
    }, STATUS_MS),
    setInterval(() => processes.sweep(), SWEEP_MS),
    setInterval(reportLinks, REPORT_LINKS_MS),
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
