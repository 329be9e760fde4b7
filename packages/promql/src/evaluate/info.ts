// The experimental info() function: adds labels of info metrics that share identifying labels.
import {
  formatLabels,
  labelsKey,
  labelsOf,
  labelValue,
  NAME_LABEL,
  NO_LABELS,
  onlyLabels,
} from '../labels.ts';
import { matcherTest } from '../match/label-matcher.ts';
import type { Call, VectorSelector } from '../parse/ast.ts';
import type { Labels, Matcher } from '../series-source.ts';
import { type Evaluation, executionFault, type TimeGrid } from './evaluation.ts';
import { mergeRows } from './names.ts';
import { NONE, newRow, type Row, sampleAt, setSample, type Value, vectorOf } from './row.ts';
import { selectInstants } from './select.ts';

/** Source: Prometheus docs, "info()". */
const IDENTIFYING: ReadonlySet<string> = new Set(['instance', 'job']);
const DEFAULT_INFO = 'target_info';

export async function evaluateInfo(
  evaluation: Evaluation,
  call: Call,
  grid: TimeGrid,
): Promise<Value> {
  const [base, given] = call.args;
  if (base === undefined) return { kind: 'vector', rows: [] };
  const value = await evaluation.evaluate(base, grid);
  const rows = value.kind === 'vector' ? value.rows : [];
  const matchers = given?.kind === 'vector-selector' ? given.matchers : [];
  const names = matchers.filter(({ name }) => name === NAME_LABEL);
  const wanted = matchers.filter(({ name }) => name !== NAME_LABEL);
  const nameMatchers: readonly Matcher[] =
    names.length > 0 ? names : [{ name: NAME_LABEL, operator: '=', value: DEFAULT_INFO }];
  const selector: VectorSelector = {
    kind: 'vector-selector',
    name: '',
    matchers: [...nameMatchers, ...wanted],
    offsetMs: 0,
    range: call.range,
  };
  const infoRows = await selectInstants(evaluation, grid, selector);
  const times = await selectInstants(evaluation, grid, selector, true);
  const infos = infoRows.map((row, i): Info => ({ row, times: times[i] ?? row }));
  const isInfo = (row: Row): boolean =>
    nameMatchers.every((m) => matcherTest(m)(labelValue(row.labels, NAME_LABEL)));
  return vectorOf(joinInfos(rows, infos, { wanted, isInfo, steps: grid.steps }));
}

/** An info series and when each of its samples was taken. */
interface Info {
  readonly row: Row;
  readonly times: Row;
}

interface Join {
  readonly wanted: readonly Matcher[];
  /** Whether a base series is itself an info series: it stays as it is. */
  readonly isInfo: (row: Row) => boolean;
  readonly steps: number;
}

const identity = (labels: Labels): string => labelsKey(onlyLabels(labels, IDENTIFYING));

function joinInfos(rows: readonly Row[], infos: readonly Info[], join: Join): Row[] {
  const byIdentity = new Map<string, Info[]>();
  for (const info of infos) {
    const key = identity(info.row.labels);
    byIdentity.set(key, [...(byIdentity.get(key) ?? []), info]);
  }
  // Matchers that need a value make info a filter as well.
  const isFilter = join.wanted.some((matcher) => !matcherTest(matcher)(''));
  const results = rows.flatMap((row) => {
    if (join.isInfo(row)) return [row];
    const candidates = byIdentity.get(identity(row.labels)) ?? [];
    return enriched(row, candidates, { ...join, isFilter });
  });
  return mergeRows(results);
}

function enriched(
  row: Row,
  infos: readonly Info[],
  { wanted, steps, isFilter }: Join & { isFilter: boolean },
): Row[] {
  const names = new Set(wanted.map(({ name }) => name));
  const outputs = new Map<string, Row>();
  for (let step = 0; step < steps; step++) {
    const sample = sampleAt(row, step);
    if (sample === undefined) continue;
    const present = newest(infos, step);
    if (present.length === 0 && isFilter) continue;
    const added = addedLabels(row.labels, present, names);
    const labels = added === NO_LABELS ? row.labels : labelsOf([...added, ...row.labels]);
    const key = labelsKey(labels);
    const out = outputs.get(key) ?? newRow(labels, steps, row.dropsName);
    outputs.set(key, out);
    setSample(out, step, sample);
  }
  return [...outputs.values()];
}

/** Of each info metric the series with the newest sample. */
function newest(infos: readonly Info[], step: number): Row[] {
  const byName = new Map<string, Info>();
  for (const info of infos) {
    if (info.row.has[step] === NONE) continue;
    const name = labelValue(info.row.labels, NAME_LABEL);
    const known = byName.get(name);
    const time = info.times.values[step] ?? 0;
    const knownTime = known?.times.values[step] ?? Number.NEGATIVE_INFINITY;
    if (known !== undefined && time === knownTime) {
      const [existing, added] = [known, info].map(({ row }) => formatLabels(row.labels));
      const at = `@ ${Math.round(time * 1000)}`;
      throw executionFault(
        `found duplicate series for info metric: existing ${existing} ${at}, new ${added} ${at}`,
      );
    }
    if (time > knownTime) byName.set(name, info);
  }
  return [...byName.values()].map(({ row }) => row);
}

function addedLabels(base: Labels, infos: readonly Row[], names: ReadonlySet<string>): Labels {
  const added = new Map<string, string>();
  for (const { labels } of infos) {
    for (const [name, value] of labels) {
      if (name === NAME_LABEL || IDENTIFYING.has(name)) continue;
      if (names.size > 0 && !names.has(name)) continue;
      if (labelValue(base, name) !== '') continue;
      const known = added.get(name);
      if (known !== undefined && known !== value) {
        throw executionFault(`conflicting label: ${name}`);
      }
      added.set(name, value);
    }
  }
  return added.size === 0 ? NO_LABELS : [...added];
}
