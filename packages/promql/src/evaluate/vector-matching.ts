// Arithmetic and comparison between two instant vectors.
import {
  compareLabels,
  formatLabels,
  labelsKey,
  labelsOf,
  labelValue,
  onlyLabels,
  withoutLabels,
  withoutName,
} from '../labels.ts';
import { type Binary, keepsName, type VectorMatching } from '../parse/ast.ts';
import type { Histogram, Labels } from '../series-source.ts';
import { type Evaluation, executionFault, type TimeGrid } from './evaluation.ts';
import { matchLabels, rowsByKey } from './match-labels.ts';
import { type SampleOperator, sampleOperator } from './operator.ts';
import { NONE, newRow, type Row, sampleAt, setSample } from './row.ts';

interface Matching {
  readonly binary: Binary;
  readonly grid: TimeGrid;
}

const ONE_TO_ONE: VectorMatching = {
  cardinality: 'one-to-one',
  isOn: false,
  labels: [],
  include: [],
};

/**
 * For each sample of the "many" side the one sample of the other side with the same match labels.
 * Source: Prometheus docs, "Vector matching"; its texts where matches are not unique.
 */
export function matchVectors(
  evaluation: Evaluation,
  { binary, grid }: Matching,
  left: readonly Row[],
  right: readonly Row[],
): Row[] {
  const matching = binary.matching ?? ONE_TO_ONE;
  const isSwapped = matching.cardinality === 'one-to-many';
  const [many, one] = isSwapped ? [right, left] : [left, right];
  const compute = sampleOperator(binary, evaluation.annotations, 'left');
  const keyOf = matchLabels(matching);
  const ones = rowsByKey(one, keyOf);
  const fills = fillsOf(matching, isSwapped);
  checkOneSide(ones, { many, isSwapped, keyOf, isFilling: fills.many !== undefined });
  const output = openOutput(matching, { binary, grid });
  const used = new Map<string, Uint8Array>();

  for (const row of many) {
    const { key } = keyOf(row);
    const candidates = ones.get(key) ?? [];
    if (candidates.length === 0 && fills.one === undefined) continue;
    for (let step = 0; step < grid.steps; step++) {
      const manySample = sampleAt(row, step);
      if (manySample === undefined) continue;
      const partner = candidates.find((candidate) => candidate.has[step] !== NONE);
      const oneSample = partner === undefined ? fills.one : sampleAt(partner, step);
      if (oneSample === undefined) continue;
      if (fills.many !== undefined) markUsed(used, key, step, grid.steps);
      const result = ordered(compute, isSwapped, manySample, oneSample);
      output.add({ row, partner, key, step, result });
    }
  }
  if (fills.many !== undefined) {
    fillMany(output, { ones, used, value: fills.many, steps: grid.steps, keyOf }, (oneSample) =>
      ordered(compute, isSwapped, fills.many ?? 0, oneSample),
    );
  }
  return output.rows();
}

type Sample = number | Histogram;

const ordered = (
  compute: SampleOperator,
  isSwapped: boolean,
  many: Sample,
  one: Sample,
): Sample | undefined => (isSwapped ? compute(one, many) : compute(many, one));

const fillsOf = ({ fillLeft, fillRight }: VectorMatching, isSwapped: boolean) =>
  isSwapped ? { many: fillRight, one: fillLeft } : { many: fillLeft, one: fillRight };

function markUsed(used: Map<string, Uint8Array>, key: string, step: number, steps: number): void {
  const marks = used.get(key) ?? new Uint8Array(steps);
  marks[step] = 1;
  used.set(key, marks);
}

/** Series of the "one" side that found no partner meet the fill value. */
function fillMany(
  output: Output,
  side: {
    ones: ReadonlyMap<string, readonly Row[]>;
    used: ReadonlyMap<string, Uint8Array>;
    value: number;
    steps: number;
    keyOf: ReturnType<typeof matchLabels>;
  },
  compute: (oneSample: Sample) => Sample | undefined,
): void {
  for (const [key, candidates] of side.ones) {
    for (const partner of candidates) {
      for (let step = 0; step < side.steps; step++) {
        const sample = sampleAt(partner, step);
        if (sample === undefined || side.used.get(key)?.[step] === 1) continue;
        const result = compute(sample);
        const row = { ...partner, labels: side.keyOf(partner).group };
        output.add({ row, partner, key, step, result });
      }
    }
  }
}

/** Two samples of one step with equal match labels on the "one" side have no answer. */
function checkOneSide(
  ones: ReadonlyMap<string, readonly Row[]>,
  options: {
    many: readonly Row[];
    isSwapped: boolean;
    isFilling: boolean;
    keyOf: ReturnType<typeof matchLabels>;
  },
): void {
  const { many, isSwapped, isFilling, keyOf } = options;
  for (const rows of ones.values()) {
    const [first] = rows;
    if (rows.length < 2 || first === undefined) continue;
    for (let step = 0; step < first.has.length; step++) {
      const present = rows.filter((row) => row.has[step] !== NONE);
      if (present.length < 2) continue;
      // With nothing on the other side there is nothing to match.
      if (!isFilling && !many.some((row) => row.has[step] !== NONE)) continue;
      const [a = '', b = ''] = present
        .map(({ labels }) => labels)
        .sort(compareLabels)
        .map(formatLabels);
      const group = formatLabels(keyOf(first).group);
      const side = isSwapped ? 'left' : 'right';
      throw executionFault(
        `found duplicate series for the match group ${group} on the ${side} hand-side of the ` +
          `operation: [${a}, ${b}];many-to-many matching not allowed: matching labels must be ` +
          'unique on one side',
      );
    }
  }
}

interface Output {
  /** Also of matches that a comparison drops: those without a result must be unique too. */
  add(match: {
    readonly row: Row;
    readonly partner: Row | undefined;
    readonly key: string;
    readonly step: number;
    readonly result: Sample | undefined;
  }): void;
  rows(): Row[];
}

function openOutput(matching: VectorMatching, { binary, grid }: Matching): Output {
  const rows = new Map<string, Row>();
  const byPair = new Map<Row, Map<Row | undefined, Row>>();
  const taken = new Map<string, Uint8Array>();
  const isOneToOne = matching.cardinality === 'one-to-one';
  const labelsFor = resultLabels(matching, binary);

  const rowFor = (row: Row, partner: Row | undefined): Row => {
    const pairs = byPair.get(row) ?? new Map<Row | undefined, Row>();
    byPair.set(row, pairs);
    const known = pairs.get(partner);
    if (known !== undefined) return known;
    const labels = labelsFor(row.labels, partner?.labels ?? []);
    const key = labelsKey(labels);
    const out = rows.get(key) ?? newRow(labels, grid.steps, row.dropsName || binary.isBool);
    rows.set(key, out);
    pairs.set(partner, out);
    return out;
  };

  return {
    add({ row, partner, key, step, result }) {
      if (isOneToOne) {
        const steps = taken.get(key) ?? new Uint8Array(grid.steps);
        taken.set(key, steps);
        if (steps[step] === 1) {
          throw executionFault(
            'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
          );
        }
        steps[step] = 1;
      }
      if (result === undefined) return;
      const out = rowFor(row, partner);
      if (out.has[step] !== NONE) {
        throw executionFault(
          'multiple matches for labels: grouping labels must ensure unique matches',
        );
      }
      setSample(out, step, result);
    },
    rows: () => [...rows.values()],
  };
}

/** Arithmetic removes the name at once; a comparison keeps it. */
function resultLabels(
  { cardinality, isOn, labels, include }: VectorMatching,
  { operator }: Binary,
): (many: Labels, one: Labels) => Labels {
  const names = new Set(labels);
  const isNamed = keepsName(operator);
  return (many, one) => {
    let result = isNamed ? many : withoutName(many);
    if (cardinality === 'one-to-one') {
      result = isOn ? onlyLabels(result, names) : withoutLabels(result, names);
    }
    if (include.length === 0) return result;
    return labelsOf([
      ...result,
      ...include.map((name): [string, string] => [name, labelValue(one, name)]),
    ]);
  };
}
