import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixedRate, saturate } from './load.ts';
import { type NginxPair, startNginxPair } from './nginx-pair.ts';
import { probeCostRows, systemCallRows } from './probe-cost.ts';
import { cpuMs, residentMb, scheduledUs } from './process-use.ts';
import { type Bench, type BenchRow, median } from './report.ts';
import { type Subject, type SubjectState, startSubject } from './subject.ts';

/** What capture costs a gateway: nginx in front of nginx, both cores busy, slots interleaved. */
const STATES: readonly SubjectState[] = ['off', 'filtered', 'full'];
const PORTS = [18_480, 18_481] as const;
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
}

export const capture: Bench = async (options) => {
  const { isQuick, signal, progress } = options;
  const rounds = isQuick ? 1 : 10;
  const seconds = isQuick ? 1 : 2;
  const pair = await startNginxPair(PORTS);
  const subject = await startSubject(fork, PORTS);
  try {
    const rows: BenchRow[] = [];
    for (const connections of CONNECTIONS) {
      const slots: Record<SubjectState, Slot[]> = { off: [], filtered: [], full: [] };
      for (let round = 0; round < rounds && !signal.aborted; round += 1) {
        for (let at = 0; at < STATES.length; at += 1) {
          // Rotated, so that no state always follows the same one.
          const state = STATES[(at + round) % STATES.length] ?? 'off';
          slots[state].push(await measure(pair, subject, state, connections, seconds));
        }
        progress(`c=${connections} round ${round + 1} of ${rounds}`);
      }
      rows.push(...rowsOf(`nginx-c${connections}`, slots));
    }
    progress(`fixed rate, ${FIXED_RATE_PER_S} requests/s`);
    rows.push(...(await fixedRateRows(subject, rounds, isQuick ? 0.5 : 3, signal)));
    await subject.become('off');
    rows.push(...(await probeCostRows(pair, options)), ...systemCallRows(options));
    return rows;
  } finally {
    await subject.close();
    pair.close();
  }
};

async function measure(
  pair: NginxPair,
  subject: Subject,
  state: SubjectState,
  connections: number,
  seconds: number,
): Promise<Slot> {
  await subject.become(state);
  const lostBefore = await subject.lost();
  const nginxBefore = pair.workers.map(scheduledUs);
  const agentBefore = cpuMs(subject.pid);
  const load = await saturate(pair.url, connections, seconds);
  const nginxUs = pair.workers.reduce(
    (sum, pid, at) => sum + scheduledUs(pid) - (nginxBefore[at] ?? 0),
    0,
  );
  return {
    qps: load.requests / load.seconds,
    cpuUsPerRequest: nginxUs / load.requests,
    agentCores: (cpuMs(subject.pid) - agentBefore) / 1e3 / load.seconds,
    agentRssMb: residentMb(subject.pid),
    lost: (await subject.lost()) - lostBefore,
  };
}

function rowsOf(name: string, slots: Record<SubjectState, readonly Slot[]>): BenchRow[] {
  const of = (state: SubjectState, metric: keyof Slot): number =>
    median(slots[state].map((slot) => slot[metric]));
  return (['filtered', 'full'] as const).flatMap((state) => {
    // Within a round: what else the machine does then weighs on both alike.
    const ratios = slots[state].map((slot, at) => slot.qps / (slots.off[at]?.qps ?? Number.NaN));
    const row = { case: `${name}-${state}` };
    const ratio = median(ratios);
    return [
      {
        ...row,
        metric: 'qps_ratio',
        unit: 'ratio',
        value: ratio,
        reference: QPS_RATIO_WANTED,
        ratio: ratio / QPS_RATIO_WANTED,
      },
      { ...row, metric: 'qps', unit: '1/s', value: of(state, 'qps') },
      {
        ...row,
        metric: 'cpu_us_per_request',
        unit: 'µs',
        value: of(state, 'cpuUsPerRequest'),
        reference: of('off', 'cpuUsPerRequest'),
        ratio: of(state, 'cpuUsPerRequest') / of('off', 'cpuUsPerRequest'),
      },
      { ...row, metric: 'agent_cpu_cores', unit: 'cores', value: of(state, 'agentCores') },
      { ...row, metric: 'agent_rss_mb', unit: 'MB', value: of(state, 'agentRssMb') },
      {
        ...row,
        metric: 'lost',
        unit: 'events',
        value: slots[state].reduce((sum, { lost }) => sum + lost, 0),
      },
    ];
  });
}

async function fixedRateRows(
  subject: Subject,
  rounds: number,
  seconds: number,
  signal: AbortSignal,
): Promise<BenchRow[]> {
  const p50Us: Record<'off' | 'full', number[]> = { off: [], full: [] };
  const cores: number[] = [];
  let unsent = 0;
  const lostBefore = await subject.lost();
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    for (const state of round % 2 === 0 ? (['off', 'full'] as const) : (['full', 'off'] as const)) {
      await subject.become(state);
      await sleep(100);
      const before = cpuMs(subject.pid);
      const run = await fixedRate({
        port: PORTS[0],
        perSecond: FIXED_RATE_PER_S,
        connections: 64,
        seconds,
      });
      p50Us[state].push(median([...run.latenciesUs]));
      unsent += run.unsent;
      if (state === 'full') cores.push((cpuMs(subject.pid) - before) / 1e3 / seconds);
    }
  }
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
    { ...row, metric: 'lost', unit: 'events', value: (await subject.lost()) - lostBefore },
  ];
}
