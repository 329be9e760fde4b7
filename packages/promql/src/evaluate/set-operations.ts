import type { Binary, SetOperator } from '../parse/ast.ts';
import { matchLabels, rowsByKey } from './match-labels.ts';
import { mergeRows } from './names.ts';
import { NONE, type Row } from './row.ts';

type SetOperation = (binary: Binary, left: readonly Row[], right: readonly Row[]) => Row[];

/** `rows` without the steps at which a match on the other side is (or is not) present. */
function masked(
  binary: Binary,
  rows: readonly Row[],
  others: readonly Row[],
  keepsMatched: boolean,
): Row[] {
  const keyOf = matchLabels(binary.matching ?? { isOn: false, labels: [] });
  const byKey = rowsByKey(others, keyOf);
  const presence = new Map<string, Uint8Array>();
  for (const [key, matches] of byKey) presence.set(key, presenceOf(matches));
  return rows.map((row) => {
    const present = presence.get(keyOf(row).key);
    const has = row.has.map((kind, step) =>
      (present?.[step] === 1) === keepsMatched ? kind : NONE,
    );
    return { ...row, has };
  });
}

function presenceOf(rows: readonly Row[]): Uint8Array {
  const present = new Uint8Array(rows[0]?.has.length ?? 0);
  for (const { has } of rows) {
    for (let step = 0; step < has.length; step++) if (has[step] !== NONE) present[step] = 1;
  }
  return present;
}

export const SET_OPERATIONS: Readonly<Record<SetOperator, SetOperation>> = {
  and: (binary, left, right) => masked(binary, left, right, true),
  unless: (binary, left, right) => masked(binary, left, right, false),
  or: (binary, left, right) => mergeRows([...left, ...masked(binary, right, left, false)]),
};
