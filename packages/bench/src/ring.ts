import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFlow, createResolver, openGenerator } from '@thalweg/agent';
import { type Bench, type BenchRow, median } from './report.ts';

/**
 * From the kernel's ring to parsed, paired and linked spans, on the core of one thread. Another
 * process makes the kernel write a proxy's events as fast as it can, or at a fixed rate.
 */
const RING_BYTES = 16 << 20;
const EVENTS_PER_CALL = 4;
const DRAIN_MS = 5;
const FIXED_RATE_PER_S = 300_000;
const WANTED_PER_S = 1_000_000;

/** Calls getppid() without end, or `perMs` times a millisecond. */
const DRIVER = `
const perMs = Number(process.argv[1]);
process.stdin.once('data', () => {
  if (perMs === 0) for (;;) for (let i = 0; i < 1e6; i += 1) process.ppid;
  let done = 0;
  const start = performance.now();
  setInterval(() => {
    for (const due = (performance.now() - start) * perMs; done < due; done += 1) process.ppid;
  }, 1);
});`;

export const ring: Bench = async ({ isQuick, signal, progress }) => {
  const runs = isQuick ? 1 : 6;
  const seconds = isQuick ? 0.5 : 3;
  const speeds: number[] = [];
  for (let at = 0; at < runs && !signal.aborted; at += 1) {
    const { consumed, busyMs } = await run(0, seconds);
    speeds.push((consumed / busyMs) * 1e3);
    progress(`saturated ${at + 1} of ${runs}: ${Math.round(speeds.at(-1) ?? 0)} events/s`);
  }
  progress(`fixed rate, ${FIXED_RATE_PER_S} events/s`);
  const fixed = await run(FIXED_RATE_PER_S / 1e3 / EVENTS_PER_CALL, seconds);
  const value = median(speeds);
  const rows: BenchRow[] = [
    {
      case: 'saturated',
      metric: 'events_per_s',
      unit: '1/s',
      value,
      reference: WANTED_PER_S,
      ratio: value / WANTED_PER_S,
    },
    { case: 'fixed-300k', metric: 'lost', unit: 'events', value: fixed.lost, reference: 0 },
    { case: 'fixed-300k', metric: 'events_per_s', unit: '1/s', value: fixed.emitted / seconds },
    { case: 'fixed-300k', metric: 'cpu_cores', unit: 'cores', value: fixed.busyMs / 1e3 / seconds },
    {
      case: 'fixed-300k',
      metric: 'spans_per_event',
      unit: 'ratio',
      value: fixed.spans / fixed.consumed,
      reference: 0.5,
    },
  ];
  return rows;
};

interface Run {
  readonly consumed: number;
  readonly spans: number;
  readonly emitted: number;
  readonly lost: number;
  /** Time that the drain itself took. */
  readonly busyMs: number;
}

async function run(callsPerMs: number, seconds: number): Promise<Run> {
  const driver = spawn(process.execPath, ['-e', DRIVER, String(callsPerMs)], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const generator = openGenerator({ pid: driver.pid ?? 0, ringBytes: RING_BYTES });
  let spans = 0;
  const resolver = createResolver(() => {
    spans += 1;
  });
  const flow = createFlow({ onRequest: resolver.request, onExchange: resolver.exchange });
  let consumed = 0;
  let busyMs = 0;
  try {
    driver.stdin.write('go\n');
    const end = performance.now() + seconds * 1e3;
    while (performance.now() < end) {
      const from = performance.now();
      const drained = generator.drain(flow.transfer);
      consumed += drained;
      if (drained > 0) busyMs += performance.now() - from;
      await sleep(callsPerMs === 0 ? 0 : DRAIN_MS);
    }
    const { emitted, lost } = generator.counters();
    return { consumed, spans, emitted, lost, busyMs };
  } finally {
    await ended(driver);
    generator.close();
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
