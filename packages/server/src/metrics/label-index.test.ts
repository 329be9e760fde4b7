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
      // An answer that was given before takes in what comes later.
      for (const asked of [[], matchers]) index.select(asked);
      second.forEach((labels, at) => void index.add(first.length + at, labels));
      expect(index.select(matchers).map((slot) => all[slot] ?? [])).toEqual(passing(all, matchers));
    }),
    { seed: 81, numRuns: 300 },
  );
});

test('what is removed is in no answer, and its slot is good for another series', () => {
  const many = fc.array(labelSet, { minLength: 4, maxLength: 20 });
  const cases = fc.tuple(many, many, fc.array(fc.nat(19)), fc.array(matcher, { maxLength: 2 }));
  fc.assert(
    fc.property(cases, fc.boolean(), ([first, second, removed, matchers], isAsked) => {
      const index = createLabelIndex();
      const at = new Map<number, Labels>(first.entries());
      for (const [slot, labels] of at) index.add(slot, labels);
      if (isAsked) for (const asked of [[], matchers]) index.select(asked);
      const dead = new Set(removed);
      index.remove(dead);
      for (const slot of dead) at.delete(slot);
      second.forEach((labels, slot) => {
        if (at.has(slot)) return;
        at.set(slot, labels);
        index.add(slot, labels);
      });
      const found = index.select(matchers).map((slot) => at.get(slot));
      expect(found).toEqual(passing([...at.values()], matchers));
      const names = new Set([...at.values()].flatMap((labels) => labels.map(([one]) => one)));
      expect(index.names()).toEqual([...names].sort());
      expect(index.count).toBe(at.size);
    }),
    { seed: 83, numRuns: 300 },
  );
});

function passing(all: readonly Labels[], matchers: readonly Matcher[]): Labels[] {
  return all
    .filter((labels) => matchers.every((one) => matcherTest(one)(labelValue(labels, one.name))))
    .sort(compareLabels);
}

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

test('an id that was removed is not known, and its number goes to another one once it is free', () => {
  const table = createIdTable();
  const numbers = [1, 2, 3].map((low) => table.add(low, 0));
  table.remove(new Set([1]));
  expect([1, 2, 3].map((low) => table.get(low, 0))).toEqual([0, -1, 2]);
  expect([numbers, table.count(), table.add(4, 0)]).toEqual([[0, 1, 2], 2, 3]);
  table.reuse([1]);
  expect([table.add(2, 0), table.get(2, 0), table.get(4, 0), table.count()]).toEqual([1, 1, 3, 4]);
});
