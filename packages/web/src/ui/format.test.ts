import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatDuration,
  formatProbability,
  parseDuration,
  plural,
  spellDuration,
} from './format.ts';

test.each([
  [0, '0 µs'],
  [812, '812 µs'],
  [999.7, '1 ms'],
  [1_234, '1.23 ms'],
  [12_340, '12.3 ms'],
  [999_499, '999 ms'],
  [999_600, '1 s'],
  [1_230_000, '1.23 s'],
  [123_400_000, '2 m 03 s'],
  [-1_500, '−1.5 ms'],
])('%d µs read as %s', (us, text) => {
  expect(formatDuration(us)).toBe(text);
});

test('a spelled duration is read back to the same microseconds', () => {
  fc.assert(
    fc.property(fc.nat(1e10), (us) => {
      expect(parseDuration(spellDuration(us))).toBe(us);
    }),
    { seed: 20_261_124 },
  );
});

test('a probability below one never reads as certain', () => {
  expect([1, 0.99999, 0.5].map(formatProbability)).toEqual(['100%', '99.9%', '50%']);
});

test('a count and its noun agree', () => {
  expect([plural(1, 'span'), plural(10_000, 'span')]).toEqual(['1 span', '10,000 spans']);
});
