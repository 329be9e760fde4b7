import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBudget } from './budget.ts';
import { ADAPT_MS, createPace } from './pace.ts';

const TICK_MS = 5;

interface Machine {
  readonly least?: number;
  readonly most?: number;
  /** Cores that looking at everything costs. */
  readonly demand: number;
  /** Cores that others leave when we use none. */
  readonly spare: number;
  /** Ticks at which the kernel finds its ring full. */
  readonly fullAt?: ReadonlySet<number>;
}

/** Runs a machine of two cores for some seconds; answers the shares of the second half of them. */
function run(machine: Machine, seconds = 40): { looked: number; used: number; slices: number } {
  const { least = 0.1, most = 0.5, demand, spare, fullAt } = machine;
  let [used, idle, lookedMs, usedLate, slices] = [0, 0, 0, 0, 0];
  let [isLooking, isFull] = [true, false];
  const pace = createPace({
    budget: createBudget({ coresLeast: least, coresMost: most, cores: 2 }),
    used: () => used,
    idle: () => idle,
    isRingFull: () => isFull,
    look: () => {
      isLooking = true;
      slices++;
    },
    rest: () => {
      isLooking = false;
      isFull = false;
    },
  });
  const ticks = (seconds * 1e3) / TICK_MS;
  for (let tick = 0; tick <= ticks; tick++) {
    isFull ||= fullAt?.has(tick) ?? false;
    pace.tick(tick * TICK_MS);
    const own = isLooking ? demand : 0;
    used += (own * TICK_MS) / 1e3;
    idle += (Math.max(0, spare - own) * TICK_MS) / 1e3;
    if (tick * 2 < ticks) continue;
    usedLate += (own * TICK_MS) / 1e3;
    lookedMs += isLooking ? TICK_MS : 0;
  }
  const half = seconds / 2;
  return { looked: lookedMs / 1e3 / half, used: usedLate / half, slices };
}

test.each([
  { name: 'within its allowance it looks at all', machine: { demand: 0.4, spare: 1.2 }, looked: 1 },
  { name: 'over the most just so much', machine: { demand: 1, spare: 1.5 }, looked: 0.5 },
  { name: 'of a busy machine the least', machine: { demand: 1, spare: 0 }, looked: 0.1 },
  {
    name: 'of a machine with little to spare just that',
    machine: { demand: 1, spare: 0.7 },
    looked: 0.3,
  },
  {
    name: 'where the least is the machine, all however much it costs',
    machine: { demand: 2, spare: 0, least: 2, most: 64 },
    looked: 1,
  },
])('$name', ({ machine, looked }) => {
  expect(Math.abs(run(machine).looked - looked)).toBeLessThan(0.04);
});

test('slices are long beside a request: few traces lie on an edge', () => {
  const { slices } = run({ demand: 0.8, spare: 0 });
  expect(slices).toBeGreaterThan(5);
  expect(slices).toBeLessThan(60);
});

test('a full ring ends the slice, and it looks again once time has earned it', () => {
  const { looked, slices } = run({ demand: 0.2, spare: 1.5, fullAt: new Set([400]) });
  expect([looked > 0.99, slices]).toEqual([true, 1]);
});

test('whatever the machine does, the use stays at the most but for one credit', () => {
  const machine = fc.record({
    demand: fc.double({ min: 0, max: 16, noNaN: true }),
    spare: fc.double({ min: 0, max: 2, noNaN: true }),
    least: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
  });
  fc.assert(
    fc.property(machine, (given) => {
      expect(run(given).used).toBeLessThan(0.5 + (16 * ADAPT_MS) / 1e3 / 20 + 0.05);
    }),
    { seed: 20_416, numRuns: 40 },
  );
});
