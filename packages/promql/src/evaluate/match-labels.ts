import { labelsKey, NAME_LABEL, onlyLabels, withoutLabels } from '../labels.ts';
import type { VectorMatching } from '../parse/ast.ts';
import type { Labels } from '../series-source.ts';
import type { Row } from './row.ts';

/** The labels that two series must share, and their key. */
export function matchLabels({ isOn, labels }: Pick<VectorMatching, 'isOn' | 'labels'>): (
  row: Row,
) => {
  readonly group: Labels;
  readonly key: string;
} {
  const names = new Set(isOn ? labels : [...labels, NAME_LABEL]);
  return (row) => {
    const group = isOn ? onlyLabels(row.labels, names) : withoutLabels(row.labels, names);
    return { group, key: labelsKey(group) };
  };
}

/** Rows by the key of their match labels, in order. */
export function rowsByKey(
  rows: readonly Row[],
  keyOf: (row: Row) => { readonly key: string },
): Map<string, Row[]> {
  const byKey = new Map<string, Row[]>();
  for (const row of rows) {
    const { key } = keyOf(row);
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, [row]);
    else known.push(row);
  }
  return byKey;
}
