import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clampWindow, panWindow, windowTicks, zoomWindow } from './window.ts';

const SEED = { seed: 20_261_124 };

test('no zoom or move leaves the trace', () => {
  const time = fc.double({ min: -1e6, max: 1e7, noNaN: true });
  fc.assert(
    fc.property(time, time, fc.double({ min: 0.01, max: 100, noNaN: true }), (a, b, factor) => {
      const first = clampWindow({ fromUs: Math.min(a, b), toUs: Math.max(a, b) }, 5e6);
      for (const window of [
        first,
        zoomWindow(first, factor, a, 5e6),
        panWindow(first, factor - 50, 5e6),
      ]) {
        expect(window.fromUs).toBeGreaterThanOrEqual(0);
        expect(window.toUs).toBeLessThanOrEqual(5e6 + 1e-6);
        expect(window.toUs).toBeGreaterThan(window.fromUs);
      }
    }),
    SEED,
  );
});

test('zooming keeps the time under the pointer in its place', () => {
  const window = zoomWindow({ fromUs: 100, toUs: 500 }, 0.5, 200, 1_000);
  expect(window).toEqual({ fromUs: 150, toUs: 350 });
});

test('ticks are round and few', () => {
  expect(windowTicks({ fromUs: 0, toUs: 1_000 }, 6)).toEqual([0, 200, 400, 600, 800, 1_000]);
  expect(windowTicks({ fromUs: 730, toUs: 790 }, 6)).toEqual([730, 740, 750, 760, 770, 780, 790]);
});
