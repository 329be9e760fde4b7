import { LINK_SHOWN, LINK_SOLID } from '@thalweg/model';
import type { SpanRecord } from './span-record.ts';
import type { Call, Truth } from './truth.ts';

/** How right links are. Shares between 0 and 1; NaN where nothing was there to judge. */
export interface Score {
  readonly calls: number;
  /** Right among those that were emitted. */
  readonly precision: number;
  /** Right among those that are true. */
  readonly recall: number;
  /** True links that were not emitted. */
  readonly orphans: number;
  /** Requests all of whose calls have the right parent. */
  readonly exactTrees: number;
}

export interface ConfidentScore extends Score {
  /** Wrong among those at or above the solid mark. */
  readonly wrongSolid: number;
  /** Expected calibration error over ten bins. */
  readonly ece: number;
  readonly reliability: readonly ReliabilityBin[];
}

export interface ReliabilityBin {
  readonly from: number;
  readonly count: number;
  readonly meanProbability: number;
  readonly share: number;
}

const BINS = 10;

export function scoreLinks(truth: Truth, parentOf: (record: SpanRecord) => bigint): Score {
  const judged = truth.calls.map((call) => judge(call, parentOf(call.record)));
  const right = count(judged, 'right');
  const emitted = right + count(judged, 'wrong');
  const trueCount = truth.calls.filter(({ parent }) => parent !== undefined).length;
  const wholeTrees = new Map<string, boolean>();
  truth.calls.forEach(({ requestId, parent }, index) => {
    if (parent === undefined) return;
    wholeTrees.set(requestId, (wholeTrees.get(requestId) ?? true) && judged[index] === 'right');
  });
  const exact = [...wholeTrees.values()].filter((isWhole) => isWhole).length;
  return {
    calls: truth.calls.length,
    precision: right / emitted,
    recall: right / trueCount,
    orphans: count(judged, 'orphan') / trueCount,
    exactTrees: exact / wholeTrees.size,
  };
}

/** The agent's own links, with what they say of their certainty. */
export function scoreConfident(truth: Truth): ConfidentScore {
  const shown = (record: SpanRecord): bigint =>
    record.probability >= LINK_SHOWN ? record.parentWireId : 0n;
  const links = truth.calls.filter(({ record }) => shown(record) !== 0n);
  const isRight = ({ record, parent }: Call): boolean => record.parentWireId === parent?.wireId;
  // 0.9 as a 32-bit float is a little less than 0.9.
  const solid = links.filter(({ record }) => record.probability >= LINK_SOLID - 1e-6);
  const reliability = Array.from({ length: BINS }, (_, bin): ReliabilityBin => {
    const inside = links.filter(
      ({ record }) => Math.min(BINS - 1, Math.floor(record.probability * BINS)) === bin,
    );
    const mean = inside.reduce((sum, { record }) => sum + record.probability, 0) / inside.length;
    return {
      from: bin / BINS,
      count: inside.length,
      meanProbability: mean,
      share: inside.filter(isRight).length / inside.length,
    };
  });
  return {
    ...scoreLinks(truth, shown),
    wrongSolid: solid.filter((call) => !isRight(call)).length / solid.length,
    ece: reliability.reduce(
      (sum, bin) =>
        bin.count === 0
          ? sum
          : sum + (bin.count / links.length) * Math.abs(bin.meanProbability - bin.share),
      links.length === 0 ? Number.NaN : 0,
    ),
    reliability,
  };
}

type Verdict = 'right' | 'wrong' | 'orphan' | 'rightly-none';

function judge({ parent }: Call, linked: bigint): Verdict {
  if (linked === 0n) return parent === undefined ? 'rightly-none' : 'orphan';
  return linked === parent?.wireId ? 'right' : 'wrong';
}

function count(judged: readonly Verdict[], verdict: Verdict): number {
  return judged.filter((one) => one === verdict).length;
}
