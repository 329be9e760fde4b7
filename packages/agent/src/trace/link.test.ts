import {
  EVIDENCE_ANSWERED_NEXT,
  EVIDENCE_CONNECT,
  EVIDENCE_SINGLE_OPEN,
  EVIDENCE_THREAD,
} from '@thalweg/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideLink, type Support } from './link.ts';

const of = (candidate: string, evidence: number): Support<string> => ({
  candidate,
  evidence,
  doubt: 'none',
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
  const link = decideLink(supports, 0, 'both');
  expect({ parent: link.parent, solid: link.probability >= 0.9 }).toEqual({ parent, solid });
});

test('probabilities of parent and alternatives never sum above one', () => {
  const support = fc.record({
    candidate: fc.string(),
    evidence: fc.integer({ min: 0, max: 31 }),
    doubt: fc.constantFrom('none' as const, 'pool-reuse' as const, 'loop-unseen' as const),
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

test.each([
  { name: 'forward evidence alone is shown, not solid', evidence: EVIDENCE_THREAD },
  { name: 'backward evidence alone is shown, not solid', evidence: EVIDENCE_ANSWERED_NEXT },
])('before a process has proven itself, $name', ({ evidence }) => {
  const { parent, probability } = decideLink([{ candidate: 'a', evidence, doubt: 'none' }], 5);
  expect([parent, probability > 0.5 && probability < 0.9]).toEqual(['a', true]);
});

test('both ways together are solid from the first call on', () => {
  const evidence = EVIDENCE_THREAD | EVIDENCE_ANSWERED_NEXT;
  expect(decideLink([{ candidate: 'a', evidence, doubt: 'none' }], 5).probability).toBeGreaterThan(
    0.95,
  );
});

test.each([
  { trust: 'forward', parent: 'before' },
  { trust: 'backward', parent: 'after' },
  { trust: 'neither', parent: undefined },
  { trust: 'both', parent: undefined },
] as const)(
  'where the two ways name different requests, trust $trust links to $parent',
  ({ trust, parent }) => {
    const link = decideLink(
      [
        { candidate: 'before', evidence: EVIDENCE_THREAD, doubt: 'none' },
        { candidate: 'after', evidence: EVIDENCE_ANSWERED_NEXT, doubt: 'none' },
      ],
      0,
      trust,
    );
    expect(link.parent).toBe(parent);
  },
);
