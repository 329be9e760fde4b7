import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildTree, flameGraph, shownStacks } from './flame-graph.ts';

test('stacks become levels of offset, total, self and name', async () => {
  const root = await buildTree([
    { stack: 'main;a;b', value: 3 },
    { stack: 'main;a', value: 2 },
    { stack: 'main;c', value: 5 },
    { stack: 'idle', value: 1 },
  ]);
  expect(await flameGraph(root, 0)).toEqual({
    names: ['total', 'idle', 'main', 'a', 'c', 'b'],
    levels: [
      [0, 11, 0, 0],
      [0, 1, 1, 1, 0, 10, 0, 2],
      [1, 5, 2, 3, 0, 5, 5, 4],
      [3, 3, 3, 5],
    ],
    total: 11,
    maxSelf: 5,
  });
});

const stacks = fc.array(
  fc.record({
    stack: fc
      .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 5 })
      .map((frames) => frames.join(';')),
    value: fc.integer({ min: 1, max: 100 }),
  }),
  { maxLength: 30 },
);

test('stacks of few frames have `other` for the value of the rest', async () => {
  const root = await buildTree([
    { stack: 'main;a;b', value: 30 },
    { stack: 'main;a', value: 20 },
    { stack: 'main;c', value: 2 },
    { stack: 'main;d;e', value: 3 },
    { stack: 'idle', value: 10 },
  ]);
  expect(await shownStacks(root, 5)).toEqual([
    { stack: 'idle', value: 10 },
    { stack: 'main;a', value: 20 },
    { stack: 'main;a;b', value: 30 },
    { stack: 'main;other', value: 5 },
  ]);
});

test('however few frames are shown, what they were seen doing adds up to the whole', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, fc.integer({ min: 0, max: 20 }), async (given, nodesMax) => {
      const total = given.reduce((sum, { value }) => sum + value, 0);
      const graph = await flameGraph(await buildTree(given), nodesMax);
      const selves = graph.levels.flatMap((level) => level.filter((_, at) => at % 4 === 2));
      expect(graph.total).toBe(total);
      const shown = await shownStacks(await buildTree(given), nodesMax);
      expect(shown.reduce((sum, { value }) => sum + value, 0)).toBe(total);
      const merged = new Map<string, number>();
      for (const { stack, value } of given) merged.set(stack, (merged.get(stack) ?? 0) + value);
      if (nodesMax === 0) {
        expect(new Map(shown.map(({ stack, value }) => [stack, value]))).toEqual(merged);
      }
      expect(selves.reduce((sum, self) => sum + self, 0)).toBe(total);
      for (const level of graph.levels) {
        let end = 0;
        for (let at = 0; at < level.length; at += 4) {
          expect(level[at]).toBeGreaterThanOrEqual(0);
          end += (level[at] ?? 0) + (level[at + 1] ?? 0);
        }
        expect(end).toBeLessThanOrEqual(total);
      }
    }),
    { seed: 81 },
  );
});
