import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createFlow,
  createProcessTable,
  createResolver,
  createRows,
  openGenerator,
} from '@thalweg/agent';
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
/** Requests and responses paired; calls linked to their parents as well; rows and blocks made too. */
const STAGES = ['paired', 'linked', 'rows'] as const;
type Stage = (typeof STAGES)[number];

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
  const speeds: Record<Stage, number[]> = { paired: [], linked: [], rows: [] };
  for (let at = 0; at < runs && !signal.aborted; at += 1) {
    for (const stage of STAGES) {
      const { consumed, busyMs } = await run(stage, 0, seconds);
      const speed = (consumed / busyMs) * 1e3;
      speeds[stage].push(speed);
      progress(`${stage} ${at + 1} of ${runs}: ${Math.round(speed)} events/s`);
    }
  }
  progress(`fixed rate, ${FIXED_RATE_PER_S} events/s`);
  const fixed = await run('linked', FIXED_RATE_PER_S / 1e3 / EVENTS_PER_CALL, seconds);
  const saturated = STAGES.map((stage): BenchRow => {
    const value = median(speeds[stage]);
    const against = { reference: WANTED_PER_S, ratio: value / WANTED_PER_S };
    return { case: `saturated-${stage}`, metric: 'events_per_s', unit: '1/s', value, ...against };
  });
  return [
    ...saturated,
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
};

interface Run {
  readonly consumed: number;
  readonly spans: number;
  readonly emitted: number;
  readonly lost: number;
  /** Time that the drain itself took. */
  readonly busyMs: number;
}

async function run(stage: Stage, callsPerMs: number, seconds: number): Promise<Run> {
  const driver = spawn(process.execPath, ['-e', DRIVER, String(callsPerMs)], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const generator = openGenerator({ pid: driver.pid ?? 0, ringBytes: RING_BYTES });
  let spans = 0;
  const countSpan = (): void => {
    spans += 1;
  };
  const rows = createRows({
    agent: 'bench',
    instance: 1,
    processes: createProcessTable(),
    onBatch: ({ buffer }) => rows.reuse(buffer),
  });
  const resolver = createResolver(
    stage === 'linked'
      ? countSpan
      : (traced) => {
          spans += 1;
          rows.add(traced);
        },
  );
  const flow = createFlow(
    stage === 'paired'
      ? { onExchange: countSpan }
      : { onRequest: resolver.request, onExchange: resolver.exchange },
  );
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
