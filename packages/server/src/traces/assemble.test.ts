import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTree, type TreeRow } from './assemble.ts';

const row = (spanId: string, rest: Partial<TreeRow>): TreeRow => ({
  spanId,
  wireId: '0',
  parentWireId: '0',
  linkProbability: 0,
  observationPoint: 'c-p',
  hostName: 'h',
  pid: 1,
  startUs: 0,
  isComplete: true,
  ...rest,
});

/** `parent>child` for each row in the tree's order; a root has an empty parent. */
function shape(rows: readonly TreeRow[]): string[] {
  return assembleTree(rows).nodes.map(
    ({ row: own, parent }) => `${parent?.spanId ?? ''}>${own.spanId}`,
  );
}

test.each([
  {
    name: 'both ends of a call are a chain, client first, whatever the clocks say',
    rows: [
      row('server', { wireId: '1', observationPoint: 's-p', startUs: 5, hostName: 'b' }),
      row('client', { wireId: '1', startUs: 90 }),
    ],
    want: ['>client', 'client>server'],
  },
  {
    name: 'a call hangs under the request that caused it',
    rows: [
      row('in', { wireId: '1', observationPoint: 's-p' }),
      row('out', { wireId: '2', parentWireId: '1', linkProbability: 0.97 }),
    ],
    want: ['>in', 'in>out'],
  },
  {
    name: 'a link below the threshold is not drawn',
    rows: [
      row('in', { wireId: '1', observationPoint: 's-p' }),
      row('out', { wireId: '2', parentWireId: '1', linkProbability: 0.49, startUs: 1 }),
    ],
    want: ['>in', '>out'],
  },
  {
    name: 'a parent that is not stored leaves a root',
    rows: [row('out', { wireId: '2', parentWireId: '1', linkProbability: 0.97 })],
    want: ['>out'],
  },
  { name: 'no rows: no tree', rows: [], want: [] },
])('$name', ({ rows, want }) => {
  expect(shape(rows)).toEqual(want);
});

test('no row is lost or doubled, parents come first, and the order of rows does not matter', () => {
  const some = fc.record({
    wire: fc.integer({ min: 0, max: 6 }),
    parent: fc.integer({ min: 0, max: 6 }),
    probability: fc.constantFrom(0, 0.4, 0.5, 0.9, 1),
    point: fc.constantFrom('c-p', 's-p', 's', 'app'),
    startUs: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 12 }), (list) => {
      const rows = list.map(({ wire, parent, probability, point, startUs }, at) =>
        row(String(at + 1), {
          wireId: String(wire),
          parentWireId: String(parent),
          linkProbability: probability,
          observationPoint: point,
          startUs,
        }),
      );
      const { nodes, duplicateCount } = assembleTree(rows);
      expect(nodes.length + duplicateCount).toBe(rows.length);
      const seen = new Set<string>();
      for (const { row: own, parent } of nodes) {
        if (parent !== null) expect(seen.has(parent.spanId)).toBe(true);
        seen.add(own.spanId);
      }
      expect(seen.size).toBe(nodes.length);
      expect(shape(rows.toReversed())).toEqual(shape(rows));
    }),
    { seed: 7, numRuns: 2_000 },
  );
});
