import { type Labels, type Matcher, matcherTest } from '@thalweg/promql';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createIdTable } from './id-table.ts';
import { compareLabels, createLabelIndex, labelValue } from './label-index.ts';

const name = fc.constantFrom('a', 'b', 'job', '__name__');
const value = fc.constantFrom('x', 'y', 'yy', 'z1', 'ü');
const labelSet = fc
  .dictionary(name, value, { minKeys: 1 })
  .map((set): Labels => Object.entries(set).sort(([one], [other]) => (one < other ? -1 : 1)));
const matcher: fc.Arbitrary<Matcher> = fc.record({
  name,
  operator: fc.constantFrom('=', '!=', '=~', '!~'),
  value: fc.constantFrom('', 'x', 'y', 'y.*', 'x|z1', '.*', '.+', 'nothing'),
});

test('a selection is every series that passes all matchers, in the order of labels', () => {
  const many = fc.array(labelSet, { maxLength: 30 });
  fc.assert(
    fc.property(many, many, fc.array(matcher, { maxLength: 3 }), (first, second, matchers) => {
      const index = createLabelIndex();
      const all = [...first, ...second];
      first.forEach((labels, slot) => void index.add(slot, labels));
      // An order that was asked for before takes in what comes later.
      index.select([]);
      second.forEach((labels, at) => void index.add(first.length + at, labels));
      const passing = all.filter((labels) =>
        matchers.every((one) => matcherTest(one)(labelValue(labels, one.name))),
      );
      const found = index.select(matchers).map((slot) => all[slot] ?? []);
      expect(found).toEqual([...passing].sort(compareLabels));
    }),
    { seed: 81, numRuns: 300 },
  );
});

test('ids are numbered in their order, however many', () => {
  const table = createIdTable();
  const ids = fc.sample(fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)), {
    numRuns: 20_000,
    seed: 82,
  });
  const known = new Map<string, number>();
  for (const [low, high] of ids) {
    const key = `${low}:${high}`;
    expect(table.get(low, high)).toBe(known.get(key) ?? -1);
    if (!known.has(key)) known.set(key, table.add(low, high));
  }
  expect([...known.values()]).toEqual(Array.from({ length: known.size }, (_, at) => at));
});
