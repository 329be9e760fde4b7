import { expect, test } from 'vitest';
import { traceOf } from '../../testing/fixture-data.ts';
import { buildTree } from '../trace-tree/tree.ts';
import { laneBars, layoutFlame, spanAt } from './geometry.ts';

const TREE = buildTree(traceOf('t', 10_000, 1e15, 2_400_000).spans);
const LAYOUT = layoutFlame(TREE);

test('each span has a place below its parent', () => {
  expect(LAYOUT.lanes.reduce((sum, lane) => sum + lane.length, 0)).toBe(10_000);
  TREE.spans.forEach((_, index) => {
    const parent = TREE.parent[index] ?? -1;
    if (parent < 0) return;
    expect(LAYOUT.laneOf[index]).toBeGreaterThan(LAYOUT.laneOf[parent] ?? 0);
  });
});

test('spans of one lane stand by start and never overlap', () => {
  for (const lane of LAYOUT.lanes.slice(0, 511)) {
    let freeFrom = Number.NEGATIVE_INFINITY;
    for (const index of lane) {
      const span = TREE.spans[index];
      expect(span?.startUs).toBeGreaterThanOrEqual(freeFrom);
      freeFrom = span?.endUs ?? 0;
    }
  }
});

test('bars stay inside of the picture and no more are drawn than it has pixels', () => {
  for (const lane of LAYOUT.lanes) {
    const bars = laneBars(TREE, lane, { fromUs: 300_000, toUs: 900_000 }, 640);
    expect(bars.length).toBeLessThanOrEqual(1_280);
    for (const bar of bars) {
      expect(bar.left).toBeGreaterThanOrEqual(0);
      expect(bar.left + bar.width).toBeLessThanOrEqual(640);
    }
  }
});

test('the index finds the span that a walk over all spans finds', () => {
  for (let index = 0; index < 10_000; index += 97) {
    const span = TREE.spans[index];
    const lane = LAYOUT.laneOf[index] ?? 0;
    const middle = ((span?.startUs ?? 0) + (span?.endUs ?? 0)) / 2 - TREE.startUs;
    expect(spanAt(TREE, LAYOUT, lane, middle, 0)).toBe(index);
  }
  expect(spanAt(TREE, LAYOUT, 0, -5_000, 0)).toBeUndefined();
  expect(spanAt(TREE, LAYOUT, 9_999, 0, 0)).toBeUndefined();
});
