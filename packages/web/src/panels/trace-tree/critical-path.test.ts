import fc from 'fast-check';
import { expect, test } from 'vitest';
import { traceOf } from '../../testing/fixture-data.ts';
import { criticalPath } from './critical-path.ts';
import { buildTree } from './tree.ts';

const [BASE] = traceOf('t', 1, 0, 100).spans;
if (BASE === undefined) throw new Error('BUG: a trace of one span has none');
const base = BASE;

type Row = readonly [id: string, parent: string | null, startUs: number, endUs: number];

/** Stretches as `id from–to`, in order of time. */
function pathOf(rows: readonly Row[]): readonly string[] {
  const tree = buildTree(
    rows.map(([spanId, parentId, startUs, endUs]) => ({
      ...base,
      spanId,
      parentId,
      startUs,
      endUs,
    })),
  );
  return criticalPath(tree)
    .map(({ index, fromUs, toUs }) => `${tree.spans[index]?.spanId} ${fromUs}–${toUs}`)
    .reverse();
}

test.each([
  { name: 'a span alone', rows: [['r', null, 0, 100]], want: ['r 0–100'] },
  {
    name: 'calls one after the other',
    rows: [
      ['r', null, 0, 100],
      ['a', 'r', 10, 40],
      ['b', 'r', 50, 90],
    ],
    want: ['r 0–10', 'a 10–40', 'r 40–50', 'b 50–90', 'r 90–100'],
  },
  {
    name: 'calls side by side: the one that ended last',
    rows: [
      ['r', null, 0, 100],
      ['short', 'r', 10, 40],
      ['long', 'r', 10, 90],
    ],
    want: ['r 0–10', 'long 10–90', 'r 90–100'],
  },
  {
    name: 'a call within a call',
    rows: [
      ['r', null, 0, 100],
      ['a', 'r', 10, 90],
      ['aa', 'a', 20, 80],
    ],
    want: ['r 0–10', 'a 10–20', 'aa 20–80', 'a 80–90', 'r 90–100'],
  },
  {
    name: 'a call that outlasts its parent is cut',
    rows: [
      ['r', null, 0, 100],
      ['a', 'r', 50, 120],
    ],
    want: ['r 0–50', 'a 50–100'],
  },
  {
    name: 'a second root takes no part',
    rows: [
      ['r', null, 0, 100],
      ['orphan', null, 20, 90],
    ],
    want: ['r 0–100'],
  },
] as const)('$name', ({ rows, want }) => {
  expect(pathOf(rows)).toEqual(want);
});

test('the stretches of any tree fill the time of its first root, once', () => {
  const row = fc.tuple(fc.nat(20), fc.nat(100), fc.nat(100));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
      const spans = rows.map(([parent, startUs, durationUs], at) => ({
        ...base,
        spanId: String(at),
        parentId: at === 0 ? null : String(parent % at),
        startUs,
        endUs: startUs + durationUs,
      }));
      const tree = buildTree(spans);
      const root = tree.spans[0];
      let toUs = root?.endUs ?? 0;
      for (const one of criticalPath(tree)) {
        expect(one.toUs).toBe(toUs);
        toUs = one.fromUs;
      }
      expect(toUs).toBe(root?.startUs);
    }),
    { seed: 11 },
  );
});
