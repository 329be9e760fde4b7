import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHead, type Head } from './head.ts';
import { keptStretch, type Stretch } from './stretch.ts';

const STALE = [2, 0x7ff00000] as const;
const LIMITS = { bytesMax: 1e9, windowMs: 1e12 };

function halvesOf(value: number): [low: number, high: number] {
  const [low = 0, high = 0] = new Uint32Array(Float64Array.of(value).buffer);
  return [low, high];
}
function read(head: Head, slot: number, startMs: number, endMs: number): Stretch {
  const reader = head.open();
  const stretch = keptStretch(reader.read(slot, startMs, endMs));
  reader.close();
  return stretch;
}
const shown = ({ times, values }: Stretch): [number, number][] =>
  Array.from(times, (time, at) => [time, values[at] ?? 0]);

test('samples in any order, some of them twice, are read once each in the order of time', () => {
  const samples = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 9 })),
  );
  fc.assert(
    fc.property(samples, fc.nat(500), fc.nat(500), (list, one, other) => {
      const head = createHead(LIMITS);
      head.completeFrom(0);
      for (const [timeMs, value] of list) head.append(3, timeMs, ...halvesOf(value));
      const [startMs, endMs] = [Math.min(one, other), Math.max(one, other)];
      const wanted = new Map<number, number>();
      for (const [timeMs, value] of list) {
        // Of two values at one time the smaller stays, whichever came first.
        wanted.set(timeMs, Math.min(value, wanted.get(timeMs) ?? value));
      }
      expect(shown(read(head, 3, startMs, endMs))).toEqual(
        [...wanted].filter(([time]) => time >= startMs && time <= endMs).sort(([a], [b]) => a - b),
      );
    }),
    { seed: 71, numRuns: 300 },
  );
});

test('a reader finds what was there when it was opened, until it is closed or too old', () => {
  const head = createHead({ bytesMax: 1e9, windowMs: 50 });
  head.completeFrom(0);
  for (let at = 10; at < 5_000; at += 2) head.append(0, at, ...halvesOf(at));
  const reader = head.open();
  head.trim(5_000);
  expect(head.completeFromMs()).toBe(4_950);
  expect(shown(reader.read(0, 10, 14)).length).toBe(3);
  const later = head.open();
  expect(later.fromMs).toBe(4_950);
  reader.close();
  head.trim(5_040);
  expect(head.samples()).toBeLessThan(100);
  expect(shown(later.read(0, 0, 4_952))).toEqual([
    [4_950, 4_950],
    [4_952, 4_952],
  ]);
  for (let round = 0; round < 31; round += 1) head.trim(6_000);
  expect(() => later.read(0, 0, 9_000)).toThrow(/open for longer/);
});

test('a chunk that is used again holds nothing of its series before', () => {
  const head = createHead({ bytesMax: 1e9, windowMs: 1_000 });
  head.completeFrom(0);
  for (let at = 0; at < 100; at += 1) head.append(0, at, ...halvesOf(at));
  head.trim(100_000);
  expect([head.samples(), head.bytes()]).toEqual([0, 0]);
  head.append(1, 100_001, ...halvesOf(7));
  expect(shown(read(head, 1, 0, 200_000))).toEqual([[100_001, 7]]);
  expect(shown(read(head, 0, 0, 200_000))).toEqual([]);
  head.forget(1);
  expect([head.samples(), head.bytes()]).toEqual([0, 0]);
});

test('a stale marker keeps its bits, also between late samples', () => {
  const head = createHead(LIMITS);
  head.completeFrom(0);
  head.append(0, 20, ...STALE);
  head.append(0, 10, ...halvesOf(1));
  const { values } = read(head, 0, 15, 25);
  expect([...new Uint32Array(values.buffer, values.byteOffset, 2)]).toEqual([...STALE]);
});

test('beyond its bytes it gives up the oldest samples, and says from when on it is complete', () => {
  const head = createHead({ bytesMax: 20_000, windowMs: 1_000_000 });
  head.completeFrom(0);
  for (let at = 0; at < 5_000; at += 1) head.append(0, at * 100, ...halvesOf(at));
  head.trim(500_000);
  expect(head.bytes()).toBeLessThanOrEqual(20_000);
  expect(head.completeFromMs()).toBeGreaterThan(300_000);
  const kept = read(head, 0, head.completeFromMs(), 500_000);
  expect(kept.times[0]).toBeLessThan(head.completeFromMs() + 100);
  expect(kept.times.at(-1)).toBe(499_900);
});
