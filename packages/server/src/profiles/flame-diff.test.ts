import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flameDiff } from './flame-diff.ts';
import { buildTree } from './flame-graph.ts';

test('two sides become levels of offset, total and self of each, and name', async () => {
  const left = await buildTree([
    { stack: 'main;a', value: 3 },
    { stack: 'main', value: 1 },
  ]);
  const right = await buildTree([
    { stack: 'main;a', value: 2 },
    { stack: 'main;b', value: 5 },
  ]);
  expect(await flameDiff(left, right, 0)).toEqual({
    names: ['total', 'main', 'a', 'b'],
    levels: [
      [0, 4, 0, 0, 7, 0, 0],
      [0, 4, 1, 0, 7, 0, 1],
      [1, 3, 3, 0, 2, 2, 2, 0, 0, 0, 0, 5, 5, 3],
    ],
    total: 11,
    maxSelf: 5,
    leftTicks: 4,
    rightTicks: 7,
  });
});

const stacks = fc.array(
  fc.record({
    stack: fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 })
      .map((frames) => frames.join(';')),
    value: fc.integer({ min: 1, max: 100 }),
  }),
  { maxLength: 20 },
);

test('however few frames are shown, each side adds up to its whole', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, stacks, fc.nat(20), async (one, other, nodesMax) => {
      const sides = [await buildTree(one), await buildTree(other)] as const;
      const diff = await flameDiff(...sides, nodesMax);
      const selves = (place: number) =>
        diff.levels
          .flatMap((level) => level.filter((_, at) => at % 7 === place))
          .reduce((sum, value) => sum + value, 0);
      expect([selves(2), selves(5)]).toEqual([diff.leftTicks, diff.rightTicks]);
      expect([diff.leftTicks, diff.rightTicks]).toEqual(sides.map(({ total }) => total));
    }),
    { seed: 12, numRuns: 100 },
  );
});
