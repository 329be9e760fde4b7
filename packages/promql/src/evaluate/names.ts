import { labelsKey, withoutName } from '../labels.ts';
import { sameLabelset } from './evaluation.ts';
import { isEmptyRow, NONE, newRow, type Row, sampleAt, setSample } from './row.ts';

/** Rows of equal labels, whose names both stay or both go, become one; two samples of one step end the query. */
export function mergeRows(rows: readonly Row[]): Row[] {
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    if (isEmptyRow(row)) continue;
    const key = labelsKey(row.labels) + (row.dropsName ? '-' : '');
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? row : mergeInto(known, row));
  }
  return [...byKey.values()];
}

function mergeInto(a: Row, b: Row): Row {
  const merged = newRow(a.labels, a.has.length, a.dropsName);
  for (let step = 0; step < a.has.length; step++) {
    if (a.has[step] !== NONE && b.has[step] !== NONE) throw sameLabelset();
    const sample = sampleAt(a, step) ?? sampleAt(b, step);
    if (sample !== undefined) setSample(merged, step, sample);
  }
  return merged;
}

/** The names that the query's operations removed, at its end. */
export const dropNames = (rows: readonly Row[]): Row[] =>
  mergeRows(
    rows.map((row) =>
      row.dropsName ? { ...row, labels: withoutName(row.labels), dropsName: false } : row,
    ),
  );
