import { compareLabels, labelValue, NAME_LABEL, withLabel } from '../labels.ts';
import { anchoredRegex } from '../match/anchored-regex.ts';
import { isLabelName } from '../parse/quoting.ts';
import type { CallArguments, VectorFunction } from './call.ts';
import { executionFault } from './evaluation.ts';
import { mergeRows } from './names.ts';
import { FLOAT, type Row } from './row.ts';

/** A label of a row anew; a new metric name is there to stay. */
const relabelled = (row: Row, name: string, value: string): Row => ({
  ...row,
  labels: withLabel(row.labels, name, value),
  dropsName: name === NAME_LABEL ? false : row.dropsName,
});

function labelReplace(args: CallArguments): Row[] {
  const [target, template, from, pattern] = [1, 2, 3, 4].map((index) => args.text(index));
  if (target === undefined || template === undefined) return [];
  const regex = anchoredRegex(pattern ?? '');
  if ('fault' in regex) {
    throw executionFault(`invalid regular expression in label_replace(): ${pattern}`);
  }
  if (!isLabelName(target)) {
    throw executionFault(`invalid destination label name in label_replace(): ${target}`);
  }
  const rows = args.rows(0).map((row) => {
    const value = regex.expand(labelValue(row.labels, from ?? ''), template);
    return value === undefined ? row : relabelled(row, target, value);
  });
  return mergeRows(rows);
}

function labelJoin(args: CallArguments): Row[] {
  const target = args.text(1);
  const separator = args.text(2);
  const from = Array.from({ length: args.count - 3 }, (_, i) => args.text(i + 3));
  const bad = from.find((name) => !isLabelName(name));
  if (bad !== undefined) {
    throw executionFault(`invalid source label name in label_join(): ${bad}`);
  }
  if (!isLabelName(target)) {
    throw executionFault(`invalid destination label name in label_join(): ${target}`);
  }
  const rows = args.rows(0).map((row) => {
    const joined = from.map((name) => labelValue(row.labels, name)).join(separator);
    return relabelled(row, target, joined);
  });
  return mergeRows(rows);
}

/** By value, NaN last; a range query's order is its labels', so there it changes nothing. */
function sorted(direction: 1 | -1): VectorFunction {
  return ({ rows, grid }) => {
    if (grid.steps > 1) return rows(0);
    const value = (row: Row): number => row.values[0] ?? Number.NaN;
    return rows(0)
      .filter((row) => row.has[0] === FLOAT)
      .sort((a, b) => {
        if (Number.isNaN(value(a))) return Number.isNaN(value(b)) ? 0 : 1;
        if (Number.isNaN(value(b))) return -1;
        return direction * (value(a) - value(b)) || 0;
      });
  };
}

function sortedByLabel(direction: 1 | -1): VectorFunction {
  return (args) => {
    const names = Array.from({ length: args.count - 1 }, (_, i) => args.text(i + 1));
    return [...args.rows(0)].sort((a, b) => {
      for (const name of names) {
        const order = compareNaturally(labelValue(a.labels, name), labelValue(b.labels, name));
        if (order !== 0) return direction * order;
      }
      return direction * compareLabels(a.labels, b.labels);
    });
  };
}

/** Runs of digits compare as numbers: `cpu2` before `cpu10`. */
function compareNaturally(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.match(/\d+|\D+/g) ?? []);
  if (left === undefined || right === undefined) return 0;
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x = '', y = ''] = [left[i], right[i]];
    if (x === y) continue;
    const isNumeric = /^\d/.test(x) && /^\d/.test(y);
    const order = isNumeric ? Number(x) - Number(y) : 0;
    return order !== 0 ? order : x < y ? -1 : 1;
  }
  return left.length - right.length;
}

export const LABEL_FUNCTIONS: Readonly<Record<string, VectorFunction>> = {
  label_replace: labelReplace,
  label_join: labelJoin,
  sort: sorted(1),
  sort_desc: sorted(-1),
  sort_by_label: sortedByLabel(1),
  sort_by_label_desc: sortedByLabel(-1),
};
