import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './links/neighbours.ts';
import { fixedRate, saturate } from './load.ts';
import { type NginxPair, startNginxPair } from './nginx-pair.ts';
import { packetCostRows } from './packet-cost.ts';
import { probeCostRows, systemCallRows } from './probe-cost.ts';
import { cpuMs, residentMb, scheduledUs } from './process-use.ts';
import { type Bench, type BenchOptions, type BenchRow, median } from './report.ts';
import { type Subject, type SubjectCounters, type SubjectState, startSubject } from './subject.ts';

/** What capture costs a gateway: nginx in front of nginx, both cores busy, slots interleaved. */
const STATES: readonly SubjectState[] = ['off', 'filtered', 'full'];
const CONNECTIONS = [16, 64] as const;
const FIXED_RATE_PER_S = 10_000;
/** The bar, and the figure of the throw-away prototype that it is held against. */
const QPS_RATIO_WANTED = 0.9;

interface Slot {
  readonly qps: number;
  readonly cpuUsPerRequest: number;
  readonly agentCores: number;
  readonly agentRssMb: number;
  readonly lost: number;
  /** Of the time, traffic was looked at. */
  readonly lookedShare: number;
}

type Slots = Record<SubjectState, Slot[]>;

/**
 * An agent as it runs by default, which sheds what its CPU budget does not allow, and one without a
 * budget, which shows what it costs to look at everything.
 */
export const capture: Bench = async (options) => {
  const { isQuick, signal, progress } = options;
  const rounds = isQuick ? 1 : 6;
  const ports = [await freePort(), await freePort()] as const;
  const pair = await startNginxPair(ports);
  const rows: BenchRow[] = [];
  try {
    for (const budget of ['default', 'unbounded'] as const) {
      const subject = await startSubject(fork, ports, budget);
      try {
        const suffix = budget === 'default' ? '' : '-unbounded';
        for (const connections of CONNECTIONS) {
          const slots = await slotsOf(pair, subject, connections, rounds, options);
          const states =
            budget === 'default' ? (['filtered', 'full'] as const) : (['full'] as const);
          for (const state of states) {
            rows.push(...rowsOf(`nginx-c${connections}-${state}${suffix}`, slots, state));
          }
        }
        progress(`fixed rate${suffix}, ${FIXED_RATE_PER_S} requests/s`);
        const seconds = isQuick ? 0.5 : 3;
        const port = ports[0];
        const fixed = await fixedRateRows(subject, { port, rounds, seconds, signal });
        rows.push(...fixed.map((row) => ({ ...row, case: `fixed-rate${suffix}` })));
      } finally {
        await subject.close();
      }
    }
    rows.push(
      ...(await probeCostRows(pair, options)),
      ...systemCallRows(options),
      ...(await packetCostRows(pair, options)),
    );
    return rows;
  } finally {
    pair.close();
  }
};

async function slotsOf(
  pair: NginxPair,
  subject: Subject,
  connections: number,
  rounds: number,
  { isQuick, signal, progress }: BenchOptions,
): Promise<Slots> {
  const slots: Slots = { off: [], filtered: [], full: [] };
  let before = await subject.counters();
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    for (let at = 0; at < STATES.length; at += 1) {
      // Rotated, so that no state always follows the same one.
      const state = STATES[(at + round) % STATES.length] ?? 'off';
      const seconds = isQuick ? 1 : 2;
      const measured = await measure(pair, subject, { state, connections, seconds, before });
      slots[state].push(measured.slot);
      before = measured.after;
    }
    progress(`c=${connections} round ${round + 1} of ${rounds}`);
  }
  return slots;
}

async function measure(
  pair: NginxPair,
  subject: Subject,
  slot: { state: SubjectState; connections: number; seconds: number; before: SubjectCounters },
): Promise<{ readonly slot: Slot; readonly after: SubjectCounters }> {
  const { state, connections, seconds, before } = slot;
  await subject.become(state);
  const nginxBefore = pair.workers.map(scheduledUs);
  const agentBefore = cpuMs(subject.pid);
  const load = await saturate(pair.url, connections, seconds);
  const agentMs = cpuMs(subject.pid) - agentBefore;
  const nginxUs = pair.workers.reduce(
    (sum, pid, at) => sum + scheduledUs(pid) - (nginxBefore[at] ?? 0),
    0,
  );
  const after = await subject.counters();
  const lookedMs = after.lookedMs - before.lookedMs;
  const restedMs = after.restedMs - before.restedMs;
  const measured = {
    qps: load.requests / load.seconds,
    cpuUsPerRequest: nginxUs / load.requests,
    agentCores: agentMs / 1e3 / load.seconds,
    agentRssMb: residentMb(subject.pid),
    lost: after.lost - before.lost,
    lookedShare: restedMs === 0 ? 1 : lookedMs / (lookedMs + restedMs),
  };
  return { slot: measured, after };
}

function rowsOf(name: string, slots: Slots, state: SubjectState): BenchRow[] {
  const of = (which: SubjectState, metric: keyof Slot): number =>
    median(slots[which].map((slot) => slot[metric]));
  // Within a round: what else the machine does then weighs on both alike.
  const ratio = median(
    slots[state].map((slot, at) => slot.qps / (slots.off[at]?.qps ?? Number.NaN)),
  );
  const row = (metric: string, unit: string, value: number, reference?: number): BenchRow => ({
    case: name,
    metric,
    unit,
    value,
    ...(reference === undefined ? {} : { reference, ratio: value / reference }),
  });
  const lost = slots[state].reduce((sum, slot) => sum + slot.lost, 0);
  const nginxUs = of(state, 'cpuUsPerRequest');
  return [
    row('qps_ratio', 'ratio', ratio, QPS_RATIO_WANTED),
    row('qps', '1/s', of(state, 'qps')),
    row('cpu_us_per_request', 'µs', nginxUs, of('off', 'cpuUsPerRequest')),
    row('agent_cpu_cores', 'cores', of(state, 'agentCores')),
    row('agent_rss_mb', 'MB', of(state, 'agentRssMb')),
    row('looked_share', 'share', of(state, 'lookedShare')),
    row('lost', 'events', lost),
  ];
}

async function fixedRateRows(
  subject: Subject,
  run: { port: number; rounds: number; seconds: number; signal: AbortSignal },
): Promise<BenchRow[]> {
  const { port, rounds, seconds, signal } = run;
  const p50Us: Record<'off' | 'full', number[]> = { off: [], full: [] };
  const cores: number[] = [];
  let unsent = 0;
  const before = await subject.counters();
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    for (const state of round % 2 === 0 ? (['off', 'full'] as const) : (['full', 'off'] as const)) {
      await subject.become(state);
      await sleep(100);
      const cpuBefore = cpuMs(subject.pid);
      const load = await fixedRate({
        port,
        perSecond: FIXED_RATE_PER_S,
        connections: 64,
        seconds,
      });
      p50Us[state].push(median([...load.latenciesUs]));
      unsent += load.unsent;
      if (state === 'full') cores.push((cpuMs(subject.pid) - cpuBefore) / 1e3 / seconds);
    }
  }
  const after = await subject.counters();
  const [lookedMs, restedMs] = [after.lookedMs - before.lookedMs, after.restedMs - before.restedMs];
  const row = { case: 'fixed-rate' };
  const deltas = p50Us.full.map((value, at) => value - (p50Us.off[at] ?? Number.NaN));
  return [
    { ...row, metric: 'p50_delta_us', unit: 'µs', value: median(deltas) },
    {
      ...row,
      metric: 'p50_us',
      unit: 'µs',
      value: median(p50Us.full),
      reference: median(p50Us.off),
    },
    { ...row, metric: 'agent_cpu_cores', unit: 'cores', value: median(cores), reference: 0.2 },
    { ...row, metric: 'agent_rss_mb', unit: 'MB', value: residentMb(subject.pid), reference: 120 },
    { ...row, metric: 'unsent', unit: 'requests', value: unsent },
    {
      ...row,
      metric: 'looked_share',
      unit: 'share',
      value: restedMs === 0 ? 1 : lookedMs / (lookedMs + restedMs),
    },
    { ...row, metric: 'lost', unit: 'events', value: after.lost - before.lost },
  ];
}
