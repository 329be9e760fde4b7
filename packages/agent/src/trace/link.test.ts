import {
  EVIDENCE_ANSWERED_NEXT,
  EVIDENCE_CONNECT,
  EVIDENCE_SINGLE_OPEN,
  EVIDENCE_THREAD,
} from '@thalweg/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideLink, type Support } from './link.ts';
import { countAnswered, createTrustCounts, type Trust, trustOf } from './trust.ts';

const FIRST = trustOf(createTrustCounts());
const trust = (forward: number, backward: number, single = 0.85): Trust => ({
  forward,
  forwardAlone: [forward],
  connectAlone: 1,
  backward,
  order: 0,
  orderAcross: 0,
  single,
  singleAlone: single,
});
const BOTH = trust(0.98, 0.98);

const of = (candidate: string, evidence: number): Support<string> => ({
  candidate,
  evidence,
  doubt: 'none',
  ordinal: evidence === 0 ? 0 : 1,
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
  const link = decideLink(supports, 0, BOTH);
  expect({ parent: link.parent, solid: link.probability >= 0.9 }).toEqual({ parent, solid });
});

test('probabilities of parent and alternatives never sum above one', () => {
  const support = fc.record({
    candidate: fc.string(),
    evidence: fc.integer({ min: 0, max: 31 }),
    ordinal: fc.integer({ min: 0, max: 9 }),
    doubt: fc.constantFrom('none' as const, 'pool-reuse' as const, 'loop-unseen' as const),
  });
  fc.assert(
    fc.property(fc.array(support, { maxLength: 20 }), (supports) => {
      const { probability, alternatives } = decideLink(supports, 0, BOTH);
      const sum = alternatives.reduce((total, one) => total + one.probability, probability);
      expect(sum).toBeLessThanOrEqual(1 + 1e-9);
    }),
    { seed: 7 },
  );
});

test.each([
  { name: 'forward evidence alone is a candidate', evidence: EVIDENCE_THREAD },
  { name: 'backward evidence alone is a candidate', evidence: EVIDENCE_ANSWERED_NEXT },
])('before a process has shown its ways, $name', ({ evidence }) => {
  const link = decideLink([of('a', evidence)], 14, FIRST);
  expect(link).toMatchObject({ parent: undefined, probability: 0 });
  expect(link.alternatives[0]?.candidate).toBe('a');
  expect(link.alternatives[0]?.probability).toBeGreaterThan(0.3);
});

test('both ways together are nearly solid from the first call on, unless few are open', () => {
  const evidence = EVIDENCE_THREAD | EVIDENCE_ANSWERED_NEXT;
  const probabilityOf = (others: number): number =>
    decideLink([of('a', evidence)], others, FIRST).probability;
  expect(probabilityOf(14)).toBeGreaterThan(0.85);
  expect(probabilityOf(1)).toBeLessThan(0.85); // Two that guess agree every other time.
});

test.each([
  { forward: 0.97, backward: 0.05, parent: 'before' },
  { forward: 0.02, backward: 0.97, parent: 'after' },
  { forward: 0.05, backward: 0.05, parent: undefined },
  { forward: 0.97, backward: 0.97, parent: undefined },
])(
  'two ways name different requests: worth $forward and $backward they link to $parent',
  ({ parent, forward, backward }) => {
    const supports = [of('before', EVIDENCE_THREAD), of('after', EVIDENCE_ANSWERED_NEXT)];
    expect(decideLink(supports, 14, trust(forward, backward)).parent).toBe(parent);
  },
);

test('a kind that names by chance is worth what chance is', () => {
  const link = decideLink([of('a', EVIDENCE_THREAD)], 9, trust(0, 0, 1));
  expect(link.alternatives[0]?.probability).toBeCloseTo(0.1);
});

test('a call beyond those that requests of the process make is work of its own', () => {
  const counts = createTrustCounts();
  for (let at = 0; at < 100; at += 1) countAnswered(counts, at % 20 === 0 ? 2 : 1);
  const linked = (ordinal: number): number =>
    decideLink([{ ...of('a', EVIDENCE_THREAD), ordinal }], 0, trustOf(counts)).probability;
  expect(linked(1)).toBeGreaterThan(0.9);
  expect(linked(2)).toBe(0);
});
