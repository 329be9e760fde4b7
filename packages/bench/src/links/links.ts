import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMs } from '../process-use.ts';
import type { Bench, BenchOptions, BenchRow, BenchRun } from '../report.ts';
import { BASELINES } from './baselines.ts';
import { LINK_CASES, type LinkCase } from './cases.ts';
import { askDistinctPaths, type Load } from './load.ts';
import { type Observation, type Observer, startObserver } from './observer.ts';
import { type ConfidentScore, scoreConfident, scoreLinks } from './score.ts';
import { findTruth, ofSubject } from './truth.ts';
import { wireJoin } from './wire-join.ts';

const CONNECTIONS = [1, 16, 64, 256];
/** Short: a ring holds the events that the reader is behind by. */
const SECONDS = 1;
/** One connection makes few requests a second where a service waits: too few to measure a claim by. */
const SECONDS_ALONE = 5;
/** Of the case that loses events. */
const LOSS_SHARE = 0.01;
/** How long the load runs before an agent that joins it late. */
const JOIN_SECONDS = 1;

/**
 * How right parent links are, case by case, against what the paths say, which the agent does not look
 * at; and what simpler rules would have made of the same records.
 */
export const links: Bench = async (run) => {
  const connections = run.connections ?? (run.isQuick ? [4] : CONNECTIONS);
  const rows: BenchRow[] = [];
  const observation = { observer: await startObserver() };
  try {
    for (const one of chosenCases(run)) {
      if (run.signal.aborted) break;
      const reason = one.missing?.();
      if (reason === undefined) rows.push(...(await runCase(one, connections, observation, run)));
      else run.skip({ case: one.name, reason });
    }
  } finally {
    await observation.observer.close();
  }
  return rows;
};

/** Runs the case's programs and one load for each of `connections`. */
async function runCase(
  one: LinkCase,
  connections: readonly number[],
  observation: { observer: Observer },
  { signal, progress }: BenchRun,
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  const isLosing = one.trouble === 'events-lost';
  if (isLosing) await replace(observation, LOSS_SHARE);
  const chain = await one.start();
  try {
    for (const count of connections) {
      if (signal.aborted) break;
      progress(`${one.name}, ${count} connections: ${one.doc}`);
      const name = `${one.name}-c${count}`;
      const before = cpuMs(process.pid);
      const isCutOff = one.trouble === 'clients-leave';
      const load = {
        port: chain.port,
        connections: count,
        run: name,
        hasIds: one.hasIds,
        isCutOff,
      };
      const requests = await ask(load, one.trouble === 'joined-late' ? observation : undefined);
      const observed = await observation.observer.take();
      rows.push(...judge({ name, requests, observed, cpu: cpuMs(process.pid) - before }));
    }
  } finally {
    await chain.close();
    await observation.observer.take(); // The connections' ends belong to nobody.
    if (isLosing) await replace(observation);
  }
  return rows;
}

async function replace(observation: { observer: Observer }, lossShare?: number): Promise<void> {
  await observation.observer.close();
  observation.observer = await startObserver(lossShare);
}

/** Puts the load on; the observer that is `joining` is a new one, started while the load runs. */
async function ask(load: Load, joining: { observer: Observer } | undefined): Promise<number> {
  const seconds = load.connections === 1 ? SECONDS_ALONE : SECONDS;
  if (joining === undefined) return askDistinctPaths({ ...load, seconds });
  await joining.observer.close();
  const asked = askDistinctPaths({ ...load, seconds: seconds + JOIN_SECONDS });
  await sleep(JOIN_SECONDS * 1e3);
  joining.observer = await startObserver();
  return asked;
}

function chosenCases({ cases, isQuick }: BenchOptions): readonly LinkCase[] {
  if (cases === undefined || cases.length === 0)
    return isQuick ? LINK_CASES.slice(0, 1) : LINK_CASES;
  const chosen = LINK_CASES.filter(({ name }) => cases.some((wanted) => name.startsWith(wanted)));
  if (chosen.length > 0) return chosen;
  const names = LINK_CASES.map(({ name }) => name).join(', ');
  throw new Error(`no case begins with ${cases.join(' or ')}; there are: ${names}`);
}

function judge(cell: {
  readonly name: string;
  readonly requests: number;
  readonly observed: Observation;
  readonly cpu: number;
}): readonly BenchRow[] {
  const { name, requests, cpu } = cell;
  const { records, lostEvents } = cell.observed;
  const truth = ofSubject(findTruth(records));
  const own = scoreConfident(truth);
  const row = (metric: string, unit: string, value: number): BenchRow[] =>
    Number.isNaN(value) ? [] : [{ case: name, metric, unit, value }];
  return [
    ...row('requests', 'count', requests),
    ...row('calls_judged', 'count', own.calls),
    ...ownRows(own, row),
    ...row('wire_join', 'share', wireJoin(records)),
    ...row('lost_events', 'count', lostEvents),
    ...row('unseen_parents', 'count', truth.unseenParents),
    // Of agent, evaluator and receiver together: they share this process.
    ...row('bench_cpu_ms_per_1000', 'ms', (1e3 * cpu) / Math.max(1, requests)),
    ...Object.entries(BASELINES).flatMap(([rule, linker]) => {
      const parents = linker(records, truth);
      const score = scoreLinks(truth, (record) => parents.get(record) ?? 0n);
      return [
        ...row(`precision_${rule}`, 'share', score.precision),
        ...row(`recall_${rule}`, 'share', score.recall),
        ...row(`exact_trees_${rule}`, 'share', score.exactTrees),
      ];
    }),
  ];
}

function ownRows(
  own: ConfidentScore,
  row: (metric: string, unit: string, value: number) => BenchRow[],
): BenchRow[] {
  return [
    ...row('precision', 'share', own.precision),
    ...row('recall', 'share', own.recall),
    ...row('wrong_solid', 'share', own.wrongSolid),
    ...row('orphans', 'share', own.orphans),
    ...row('exact_trees', 'share', own.exactTrees),
    ...row('ece', 'share', own.ece),
    ...own.reliability.flatMap((bin) =>
      bin.count === 0
        ? []
        : [
            ...row(`reliability_${bin.from.toFixed(1)}_count`, 'count', bin.count),
            ...row(`reliability_${bin.from.toFixed(1)}_claimed`, 'share', bin.meanProbability),
            ...row(`reliability_${bin.from.toFixed(1)}_right`, 'share', bin.share),
          ],
    ),
  ];
}
