import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKeyTable } from './key-table.ts';

test('it is a map from bytes to numbers, whatever is set and unset', () => {
  const key = fc.uint8Array({ maxLength: 12 });
  const step = fc.tuple(key, fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer(), (steps, seed) => {
      const table = createKeyTable(seed);
      const map = new Map<string, number>();
      steps.forEach(([bytes, isSet], at) => {
        // Within larger bytes: offsets count.
        const view = new DataView(Uint8Array.of(9, 9, 9, ...bytes, 9).buffer);
        const [start, end] = [3, 3 + bytes.length];
        const text = bytes.join();
        expect(table.get(view, start, end)).toBe(map.get(text) ?? -1);
        if (!isSet) {
          table.unset(view, start, end);
          map.delete(text);
        } else if (!map.has(text)) {
          table.set(view, start, end, at);
          map.set(text, at);
        }
        expect(table.size()).toBe(map.size);
      });
      expect([...table.values()].sort()).toEqual([...map.values()].sort());
    }),
    { seed: 91, numRuns: 200 },
  );
});

test('keys whose bytes are a zero or no number as a double are told apart, and found', () => {
  const table = createKeyTable(7);
  const keys = [
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0x80],
    [1, 0, 0, 0, 0, 0, 0xf8, 0x7f],
    [2, 0, 0, 0, 0, 0, 0xf8, 0x7f],
  ].map((key) => new DataView(Uint8Array.from(key).buffer));
  keys.forEach((key, number) => {
    table.set(key, 0, 8, number);
  });
  expect(keys.map((key) => table.get(key, 0, 8))).toEqual([0, 1, 2, 3]);
});

test('ten thousand keys are found again', () => {
  const table = createKeyTable(7);
  const view = new DataView(new ArrayBuffer(8));
  for (let at = 0; at < 10_000; at += 1) {
    view.setUint32(0, Math.imul(at, 2_654_435_761));
    table.set(view, 0, 8, at);
  }
  for (let at = 0; at < 10_000; at += 1) {
    view.setUint32(0, Math.imul(at, 2_654_435_761));
    expect(table.get(view, 0, 8)).toBe(at);
  }
});

test('the key behind the one asked for last is followed without being asked for, until it is unset', () => {
  const table = createKeyTable(7);
  const viewOf = (text: string): DataView =>
    new DataView(Uint8Array.from(Buffer.from(text)).buffer);
  ['first', 'second', 'third'].forEach((key, number) => {
    table.set(viewOf(key), 0, key.length, number);
  });
  table.unset(viewOf('third'), 0, 5);
  expect(table.get(viewOf('first'), 0, 5)).toBe(0);
  const steps = ['secon', 'sec-nd', 'second and more', 'third'].map((text) => [
    table.follow(viewOf(text), 0, text.length),
    table.followed(),
  ]);
  expect(steps).toEqual([
    [0, 0],
    [0, 0],
    [6, 1],
    [0, 1],
  ]);
});
