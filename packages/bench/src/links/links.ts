import { cpuMs } from '../process-use.ts';
import type { Bench, BenchOptions, BenchRow } from '../report.ts';
import { BASELINES } from './baselines.ts';
import { LINK_CASES, type LinkCase } from './cases.ts';
import { askDistinctPaths } from './load.ts';
import { type Observer, startObserver } from './observer.ts';
import { type ConfidentScore, scoreConfident, scoreLinks } from './score.ts';
import { findTruth } from './truth.ts';

const CONNECTIONS = [1, 16, 64, 256];
/** Short: a ring holds the events that the reader is behind by. */
const SECONDS = 1;

/**
 * How right parent links are, case by case, against what the paths say, which the agent does not look
 * at; and what simpler rules would have made of the same records.
 */
export const links: Bench = async (options) => {
  const cases = chosenCases(options);
  const connections = options.connections ?? (options.isQuick ? [4] : CONNECTIONS);
  const rows: BenchRow[] = [];
  const observer = await startObserver();
  try {
    for (const one of cases) {
      if (options.signal.aborted) break;
      const chain = await one.start();
      try {
        for (const count of connections) {
          if (options.signal.aborted) break;
          options.progress(`${one.name}, ${count} connections: ${one.doc}`);
          rows.push(...(await measure(observer, one, chain.port, count)));
        }
      } finally {
        await chain.close();
        await observer.take(); // The connections' ends belong to nobody.
      }
    }
  } finally {
    await observer.close();
  }
  return rows;
};

function chosenCases({ cases, isQuick }: BenchOptions): readonly LinkCase[] {
  if (cases === undefined || cases.length === 0)
    return isQuick ? LINK_CASES.slice(0, 1) : LINK_CASES;
  const chosen = LINK_CASES.filter(({ name }) => cases.some((wanted) => name.startsWith(wanted)));
  if (chosen.length > 0) return chosen;
  const names = LINK_CASES.map(({ name }) => name).join(', ');
  throw new Error(`no case begins with ${cases.join(' or ')}; there are: ${names}`);
}

async function measure(
  observer: Observer,
  one: LinkCase,
  port: number,
  connections: number,
): Promise<readonly BenchRow[]> {
  const name = `${one.name}-c${connections}`;
  const before = cpuMs(process.pid);
  const requests = await askDistinctPaths({
    port,
    connections,
    seconds: SECONDS,
    run: name,
    hasIds: one.hasIds,
  });
  const { records, lostEvents } = await observer.take();
  const cpu = cpuMs(process.pid) - before;
  const truth = findTruth(records);
  const own = scoreConfident(truth);
  const row = (metric: string, unit: string, value: number): BenchRow[] =>
    Number.isNaN(value) ? [] : [{ case: name, metric, unit, value }];
  return [
    ...row('requests', 'count', requests),
    ...row('calls_judged', 'count', own.calls),
    ...ownRows(own, row),
    ...row('lost_events', 'count', lostEvents),
    ...row('unseen_parents', 'count', truth.unseenParents),
    ...row('cpu_ms_per_1000', 'ms', (1e3 * cpu) / Math.max(1, requests)),
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
