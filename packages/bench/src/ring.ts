import { fork } from 'node:child_process';
import { type Bench, type BenchRow, median } from './report.ts';
import type { Run, Stage } from './ring-run.ts';

/**
 * From the kernel's ring to parsed, paired and linked spans, on the core of one thread. Another
 * process makes the kernel write a proxy's events as fast as it can, or at a fixed rate. Each run is
 * a process of its own.
 */
const EVENTS_PER_CALL = 4;
const FIXED_RATE_PER_S = 300_000;
const WANTED_PER_S = 1_000_000;
const STAGES: readonly Stage[] = ['paired', 'linked', 'rows'];

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
    { case: 'fixed-300k', metric: 'lost_cold', unit: 'events', value: fixed.lostCold },
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

function run(stage: Stage, callsPerMs: number, seconds: number): Promise<Run> {
  const isSource = import.meta.url.endsWith('.ts');
  const script = new URL(isSource ? './ring-run.ts' : './ring-run.js', import.meta.url);
  const child = fork(script, [stage, String(callsPerMs), String(seconds)], {
    execArgv: isSource ? ['--conditions=@thalweg/source', '--import', 'tsx'] : [],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Run)); // Our own script's.
    child.once('exit', (code) => reject(new Error(`a run of the ring ended with ${code}`)));
  });
}
