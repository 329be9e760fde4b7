import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AgentSettings,
  createFlow,
  createProcessTable,
  createResolver,
  createRows,
  openGenerator,
} from '@thalweg/agent';

// One run of the ring bench, in a process of its own: like an agent's, it has one flow, whose calls
// the engine inlines. Several in one process share their type feedback and lose a quarter.

const RING_BYTES = AgentSettings.shape.ring_bytes.parse(undefined); // As an agent has it.
const DRAIN_MS = 5;
/** Until the engine has compiled what runs: what is lost meanwhile is told apart. */
const WARM_MS = 1_000;

/** Requests and responses paired; calls linked to their parents as well; rows and blocks made too. */
export type Stage = 'paired' | 'linked' | 'rows';

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

export interface Run {
  readonly consumed: number;
  readonly spans: number;
  readonly emitted: number;
  readonly lost: number;
  /** Lost before, in the first second of a cold start. */
  readonly lostCold: number;
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
  let before = { emitted: 0, lost: 0 };
  try {
    driver.stdin.write('go\n');
    const start = performance.now() + WARM_MS;
    for (let isWarm = false; performance.now() < start + seconds * 1e3; ) {
      const from = performance.now();
      if (!isWarm && from >= start) {
        isWarm = true;
        consumed = 0;
        spans = 0;
        busyMs = 0;
        before = generator.counters();
      }
      const drained = generator.drain(flow.transfer);
      consumed += drained;
      if (drained > 0) busyMs += performance.now() - from;
      await sleep(callsPerMs === 0 ? 0 : DRAIN_MS);
    }
    const { emitted, lost } = generator.counters();
    return {
      consumed,
      spans,
      emitted: emitted - before.emitted,
      lost: lost - before.lost,
      lostCold: before.lost,
      busyMs,
    };
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

const [, , stage, callsPerMs, seconds] = process.argv;
// Its arguments come from ring.ts alone.
process.send?.(await run(stage as Stage, Number(callsPerMs), Number(seconds)));
process.disconnect?.();
