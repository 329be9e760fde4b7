import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wireId } from './wire-id.ts';

const sequence = fc.integer({ min: 0, max: 0xffffffff });

test('two exchanges share an id only if they share both sequence numbers', () => {
  fc.assert(
    fc.property(sequence, sequence, sequence, sequence, (a, b, c, d) => {
      fc.pre(a !== c || b !== d);
      expect(wireId(a, b)).not.toBe(wireId(c, d));
    }),
    { seed: 11 },
  );
});

test('the id is the same wherever it is computed', () => {
  expect([wireId(1, 2), wireId(0xffffffff, 0), wireId(2, 1)]).toMatchInlineSnapshot(`
    [
      14592530334403225715n,
      17349358108425884061n,
      7564110257400980279n,
    ]
  `);
});
