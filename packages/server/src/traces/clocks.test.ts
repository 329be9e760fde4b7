import fc from 'fast-check';
import { expect, test } from 'vitest';
import { estimateClocks, isApart, type Sighting } from './clocks.ts';

const seed = 20_260_101;

interface Way {
  readonly wireId: string;
  readonly from: string;
  readonly to: string;
  readonly atUs: number;
  readonly thereUs: number;
  readonly workUs: number;
  readonly backUs: number;
}

/** What two agents saw of an exchange, each by its own clock. */
function seen(way: Way, aheadUs: Readonly<Record<string, number>>): Sighting[] {
  const { wireId, from, to, atUs, thereUs, workUs, backUs } = way;
  const arrivedUs = atUs + thereUs;
  const answeredUs = arrivedUs + workUs;
  const by = (agent: string, startUs: number, endUs: number): Sighting => ({
    agent,
    wireId,
    startUs: startUs + (aheadUs[agent] ?? 0),
    endUs: endUs + (aheadUs[agent] ?? 0),
    isComplete: true,
  });
  return [by(from, atUs, answeredUs + backUs), by(to, arrivedUs, answeredUs)];
}

const way = (wireId: string, from: string, to: string, some: Partial<Way> = {}): Way => ({
  wireId,
  from,
  to,
  atUs: 1e6,
  thereUs: 100,
  workUs: 5_000,
  backUs: 100,
  ...some,
});

test('a clock that is ahead is found, and across a third agent', () => {
  const aheadUs = { a: 0, b: 3_500_000, c: -20_000 };
  const sightings = [...seen(way('1', 'a', 'b'), aheadUs), ...seen(way('2', 'b', 'c'), aheadUs)];
  expect(Object.fromEntries(estimateClocks(sightings, 'a'))).toEqual({
    a: { offsetUs: 0, errorUs: 0 },
    b: { offsetUs: 3_500_000, errorUs: 100 },
    c: { offsetUs: -20_000, errorUs: 200 },
  });
});

test('each further exchange narrows the error; who calls whom does not matter', () => {
  const aheadUs = { a: 0, b: 1_000 };
  const ways = [
    way('1', 'a', 'b', { thereUs: 900, backUs: 40 }),
    way('2', 'b', 'a', { thereUs: 700, backUs: 60 }),
  ];
  const sightings = ways.flatMap((one) => seen(one, aheadUs));
  expect(estimateClocks(sightings, 'a').get('b')).toEqual({ offsetUs: 1_010, errorUs: 50 });
});

test.each([
  { name: 'no answer was seen', spoil: (one: Sighting) => ({ ...one, isComplete: false }) },
  { name: 'the wire id is not known', spoil: (one: Sighting) => ({ ...one, wireId: '0' }) },
])('nothing is known of a clock where $name', ({ spoil }) => {
  const sightings = seen(way('1', 'a', 'b'), { b: 5 }).map(spoil);
  expect([...estimateClocks(sightings, 'a').keys()]).toEqual(['a']);
});

test('clocks that agree within the error are not apart, also where bounds cross', () => {
  const crossing = seen(way('1', 'a', 'b', { thereUs: -20, backUs: -10 }), {});
  const clock = estimateClocks(crossing, 'a').get('b');
  expect(clock).toEqual({ offsetUs: -5, errorUs: 15 });
  expect(clock !== undefined && isApart(clock)).toBe(false);
});

test('the true offset is always within the error', () => {
  const delay = fc.integer({ min: 0, max: 1e6 });
  const ways = fc.array(
    fc.record({ isBack: fc.boolean(), atUs: delay, thereUs: delay, workUs: delay, backUs: delay }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(ways, fc.integer({ min: -1e9, max: 1e9 }), (all, aheadUs) => {
      const sightings = all.flatMap(({ isBack, ...times }, at) =>
        seen(way(String(at + 1), isBack ? 'b' : 'a', isBack ? 'a' : 'b', times), { b: aheadUs }),
      );
      const { offsetUs = NaN, errorUs = NaN } = estimateClocks(sightings, 'a').get('b') ?? {};
      expect(Math.abs(offsetUs - aheadUs)).toBeLessThanOrEqual(errorUs);
    }),
    { seed },
  );
});
