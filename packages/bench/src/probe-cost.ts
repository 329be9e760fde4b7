import { AgentSettings, openCapture, RUNGS, type Rung } from '@thalweg/agent';
import { saturate } from './load.ts';
import type { NginxPair } from './nginx-pair.ts';
import { type BenchOptions, type BenchRow, median } from './report.ts';

/**
 * What the kernel programs themselves take: the kernel times each run (BPF run-time statistics)
 * while the nginx pair is loaded and this process drains the ring and does nothing with it. On
 * both rungs, captured and filtered in turns. A run that finds nothing to tell counts as a run.
 */
const CONNECTIONS = 16;
const DEFAULT_RING_BYTES = AgentSettings.shape.ring_bytes.parse(undefined); // As an agent has it.
const DRAIN_MS = 5;
/** getppid()s timed at once. */
const CALLS = 200_000;
const METRICS: Readonly<Record<string, string>> = {
  on_send: 'probe_ns_send',
  on_receive: 'probe_ns_recv',
  on_sys_exit: 'probe_ns_sys_exit',
  on_state: 'probe_ns_state',
};
const PER_EVENT = 'probe_ns_per_event';
const STATES = ['full', 'filtered'] as const;
/** A ring leaves the cache when it is large: each event then waits for memory. */
const RINGS_MB = [1, 4, 16];

interface Measurement {
  readonly rung: Rung;
  readonly state: (typeof STATES)[number];
  readonly seconds: number;
  readonly ringBytes?: number;
}

export async function probeCostRows(
  pair: NginxPair,
  { isQuick, signal, progress }: BenchOptions,
): Promise<BenchRow[]> {
  const rounds = isQuick ? 1 : 5;
  const seconds = isQuick ? 1 : 2;
  const samples = new Map<string, { row: Omit<BenchRow, 'value'>; values: number[] }>();
  const keep = (name: string, rows: readonly Omit<BenchRow, 'case'>[]): void => {
    for (const { value, ...row } of rows) {
      const key = `${name} ${row.metric}`;
      const sample = samples.get(key) ?? { row: { ...row, case: name }, values: [] };
      sample.values.push(value);
      samples.set(key, sample);
    }
  };
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    for (const rung of RUNGS) {
      for (const state of STATES) {
        keep(`probes-${rung}-${state}`, await measure(pair, { rung, state, seconds }));
      }
    }
    for (const ringMb of RINGS_MB) {
      const ring = { rung: 'A', state: 'full', seconds, ringBytes: ringMb << 20 } as const;
      const rows = await measure(pair, ring);
      keep(
        `probes-A-ring-${ringMb}mb`,
        rows.filter(({ metric }) => metric === PER_EVENT),
      );
    }
    progress(`probes, round ${round + 1} of ${rounds}`);
  }
  return [...samples.values()].map(({ row, values }) => ({ ...row, value: median(values) }));
}

/** Mean nanoseconds of a run of each program, and of all programs for each event that they told. */
async function measure(
  { url, ports }: NginxPair,
  { rung, state, seconds, ringBytes = DEFAULT_RING_BYTES }: Measurement,
): Promise<Omit<BenchRow, 'case'>[]> {
  const filter = state === 'full' ? { ports } : { portsExcluded: ports };
  const capture = open(rung, ringBytes, filter);
  const drain = (): number => capture.drain(() => undefined);
  const timer = setInterval(drain, DRAIN_MS);
  try {
    capture.measure();
    await saturate(url, CONNECTIONS, seconds);
    drain();
    const programs = capture.programs();
    const rows = programs
      .filter(({ runs }) => runs > 0)
      .map(({ name, runs, runNs }) => ({
        metric: METRICS[name] ?? name,
        unit: 'ns',
        value: runNs / runs,
      }));
    const events = capture.counters()['events'] ?? 0;
    if (state === 'filtered' || events === 0) return rows;
    const totalNs = programs.reduce((sum, { runNs }) => sum + runNs, 0);
    return [...rows, { metric: PER_EVENT, unit: 'ns', value: totalNs / events }];
  } finally {
    clearInterval(timer);
    capture.close();
  }
}

/** What each rung adds to a system call that has nothing to do with sockets. */
export function systemCallRows({ isQuick }: BenchOptions): BenchRow[] {
  const rounds = isQuick ? 1 : 7;
  const added: Record<Rung, number[]> = { A: [], B: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const rung of RUNGS) {
      const off = systemCallNs();
      const capture = open(rung, DEFAULT_RING_BYTES, { ports: [1] });
      added[rung].push(systemCallNs() - off);
      capture.close();
    }
  }
  return RUNGS.map((rung) => ({
    case: `probes-${rung}-other-system-calls`,
    metric: 'added_ns',
    unit: 'ns',
    value: median(added[rung]),
  }));
}

/** Best of five, so that a neighbour's turn on the core does not count. */
function systemCallNs(): number {
  const times = Array.from({ length: 5 }, () => {
    const from = performance.now();
    let parents = 0;
    for (let call = 0; call < CALLS; call += 1) parents += process.ppid;
    if (parents === 0) return Number.NaN;
    return ((performance.now() - from) / CALLS) * 1e6;
  });
  return Math.min(...times);
}

function open(
  rung: Rung,
  ringBytes: number,
  filter: { ports?: readonly number[]; portsExcluded?: readonly number[] },
) {
  return openCapture({
    ringBytes,
    captureBytes: 512,
    rung,
    filter: {
      ports: [],
      portsExcluded: [],
      pidsExcluded: [process.pid],
      namespaces: [],
      ...filter,
    },
  });
}
