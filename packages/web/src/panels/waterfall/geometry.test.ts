import { expect, test } from 'vitest';
import { traceOf } from '../../testing/fixture-data.ts';
import { buildTree } from '../trace-tree/tree.ts';
import { labelPlace, rowLines } from './geometry.ts';

test('a root has no lines; a child has an elbow one indent to the left', () => {
  const tree = buildTree(traceOf('t', 60, 0, 1e6).spans);
  expect(rowLines(tree, 0)).toEqual({ passing: [], elbow: undefined, indent: 0 });
  expect(rowLines(tree, 1).elbow?.indent).toBe(0);
});

test('a line passes by each row between a span and its next sibling', () => {
  const tree = buildTree(traceOf('t', 60, 0, 1e6).spans);
  tree.spans.forEach((_, index) => {
    const depth = tree.depth[index] ?? 0;
    if (tree.isLast[index] === 1 || depth === 0 || depth > 14) return;
    for (let below = index + 1; below < (tree.end[index] ?? 0); below++) {
      if ((tree.depth[below] ?? 0) <= 14)
        expect(rowLines(tree, below).passing).toContain(depth - 1);
    }
  });
});

test.each([
  { name: 'room after the bar', left: 0.1, width: 0.2, side: 'after' },
  { name: 'room before it only', left: 0.6, width: 0.4, side: 'before' },
  { name: 'no room beside it', left: 0, width: 1, side: 'inside' },
])('a duration stands where it fits: $name', ({ left, width, side }) => {
  expect(labelPlace(left, width)).toEqual({ side });
});
