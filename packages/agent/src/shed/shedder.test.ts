import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createShedder, SHARE_MIN } from './shedder.ts';

const options = { budgetCores: 0.5, busyShare: 0.05, cores: 2 };
const PERIOD_MS = 500;

/** Periods of a machine on which looking at everything would cost `demand` cores. */
function run(periods: readonly { demand: number; idle: number; lost?: number }[]): number[] {
  const shedder = createShedder(options);
  let [agent, idle, lost] = [0, 0, 0];
  let atMs = 0;
  shedder.next({ agent, idle, atMs }, lost);
  return periods.map((period) => {
    atMs += PERIOD_MS;
    agent += (shedder.share * period.demand * PERIOD_MS) / 1e3;
    idle += (period.idle * PERIOD_MS) / 1e3;
    lost += period.lost ?? 0;
    return shedder.next({ agent, idle, atMs }, lost);
  });
}

const often = <T>(count: number, one: T): T[] => new Array<T>(count).fill(one);

test.each([
  { name: 'within the budget all is looked at', demand: 0.4, idle: 1, share: [1, 1] },
  { name: 'over it just so much', demand: 1, idle: 0.5, share: [0.42, 0.54] },
  {
    name: 'on a busy machine it is a twentieth of the cores',
    demand: 1,
    idle: 0,
    share: [0.08, 0.11],
  },
  { name: 'never nothing', demand: 100, idle: 0, share: [SHARE_MIN, SHARE_MIN] },
])('$name', ({ demand, idle, share: [least = 0, most = 0] }) => {
  const shares = run(often(60, { demand, idle })).slice(30);
  expect(Math.min(...shares)).toBeGreaterThanOrEqual(least);
  expect(Math.max(...shares)).toBeLessThanOrEqual(most);
});

test('a ring without room halves what is looked at, and it grows again', () => {
  const shares = run([{ demand: 0.1, idle: 1, lost: 5 }, ...often(10, { demand: 0.1, idle: 1 })]);
  expect([shares[0], shares.at(-1)]).toEqual([0.5, 1]);
});

test('whatever the machine does, the share stays between its limits', () => {
  const some = fc.record({
    demand: fc.double({ min: 0, max: 64, noNaN: true }),
    idle: fc.double({ min: 0, max: 2, noNaN: true }),
    lost: fc.nat(9),
  });
  fc.assert(
    fc.property(fc.array(some), (periods) => {
      for (const share of run(periods)) {
        expect(share).toBeGreaterThanOrEqual(SHARE_MIN);
        expect(share).toBeLessThanOrEqual(1);
      }
    }),
    { seed: 20_416 },
  );
});
