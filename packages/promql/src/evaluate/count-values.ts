import { printHistogram } from '../histogram/print.ts';
import { labelsKey, NAME_LABEL, onlyLabels, withLabel, withoutLabels } from '../labels.ts';
import { formatPlain } from '../parse/numbers.ts';
import { isLabelName, quote } from '../parse/quoting.ts';
import type { AggregationContext } from './aggregate.ts';
import { executionFault } from './evaluation.ts';
import { newRow, type Row, sampleAt, setSample } from './row.ts';

/** How often each value occurs, the value as a label. */
export function countValues(
  { aggregation, grid }: AggregationContext,
  rows: readonly Row[],
  label: string,
): Row[] {
  if (!isLabelName(label)) throw executionFault(`invalid label name ${quote(label)}`);
  const { grouping, isWithout } = aggregation;
  const names = new Set(isWithout ? [...grouping, NAME_LABEL] : [...grouping, label]);
  const counts = new Map<string, Row>();
  for (const row of rows) {
    for (let step = 0; step < grid.steps; step++) {
      const sample = sampleAt(row, step);
      if (sample === undefined) continue;
      const text = typeof sample === 'number' ? formatPlain(sample) : printHistogram(sample);
      const labelled = withLabel(row.labels, label, text);
      const labels = isWithout ? withoutLabels(labelled, names) : onlyLabels(labelled, names);
      const key = labelsKey(labels);
      const out = counts.get(key) ?? newRow(labels, grid.steps, false);
      counts.set(key, out);
      setSample(out, step, (out.values[step] ?? 0) + 1);
    }
  }
  return [...counts.values()];
}
