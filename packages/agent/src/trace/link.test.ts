import { EVIDENCE_CONNECT, EVIDENCE_SINGLE_OPEN, EVIDENCE_THREAD } from '@thalweg/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideLink, type Support } from './link.ts';

const of = (candidate: string, evidence: number): Support<string> => ({
  candidate,
  evidence,
  isPoolReuse: false,
});

test.each([
  { name: 'nothing open: no parent', supports: [], parent: undefined, solid: false },
  {
    name: 'open but unsupported: no parent',
    supports: [of('a', 0), of('b', 0)],
    parent: undefined,
    solid: false,
  },
  {
    name: 'thread evidence is solid however many are open',
    supports: [of('a', EVIDENCE_THREAD), ...Array.from({ length: 60 }, (_, i) => of(`x${i}`, 0))],
    parent: 'a',
    solid: true,
  },
  {
    name: 'the only open request is shown, but not solid',
    supports: [of('a', EVIDENCE_SINGLE_OPEN)],
    parent: 'a',
    solid: false,
  },
  {
    name: 'two that are equally supported: neither is solid',
    supports: [of('a', EVIDENCE_THREAD), of('b', EVIDENCE_CONNECT)],
    parent: undefined,
    solid: false,
  },
])('$name', ({ supports, parent, solid }) => {
  const link = decideLink(supports);
  expect({ parent: link.parent, solid: link.probability >= 0.9 }).toEqual({ parent, solid });
});

test('probabilities of parent and alternatives never sum above one', () => {
  const support = fc.record({
    candidate: fc.string(),
    evidence: fc.integer({ min: 0, max: 31 }),
    isPoolReuse: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(support, { maxLength: 20 }), (supports) => {
      const { probability, alternatives } = decideLink(supports);
      const sum = alternatives.reduce((total, one) => total + one.probability, probability);
      expect(sum).toBeLessThanOrEqual(1 + 1e-9);
    }),
    { seed: 7 },
  );
});
