import { expect, test } from 'vitest';
import { ageTrustCounts, createTrustCounts, trustOf } from './trust.ts';

test.each([
  { name: 'nothing seen yet', counts: {}, trust: 'unproven' },
  { name: 'a proxy: both agree', counts: { agreed: 500, disputed: 3 }, trust: 'both' },
  {
    name: 'too few disputes to judge',
    counts: { disputed: 7, backwardOnly: 90 },
    trust: 'unproven',
  },
  {
    name: 'one call a request, never confirmed: not proven',
    counts: { forwardOnly: 90 },
    trust: 'unproven',
  },
  {
    name: 'many calls for few requests, never confirmed: met by chance',
    counts: { forwardOnly: 90, madeAgain: 40 },
    trust: 'neither',
  },
  {
    name: 'a timer before the call: forward is met by chance',
    counts: { disputed: 20, backwardOnly: 80 },
    trust: 'backward',
  },
  {
    name: 'a timer after the call: backward is met by chance',
    counts: { disputed: 20, forwardOnly: 80 },
    trust: 'forward',
  },
  {
    name: 'timers on both sides: both are met by chance',
    counts: { disputed: 10, forwardOnly: 15, backwardOnly: 15, unseen: 60 },
    trust: 'neither',
  },
  {
    name: 'a busy loop, a timer before: each call is claimed once',
    counts: { disputed: 100, madeAgain: 80 },
    trust: 'backward',
  },
  {
    name: 'a busy loop, a timer after: calls are claimed again and again',
    counts: { disputed: 100, claimedTwice: 60 },
    trust: 'forward',
  },
  {
    name: 'a busy loop, timers on both sides',
    counts: { disputed: 100, claimedTwice: 60, madeAgain: 60 },
    trust: 'neither',
  },
])('$name: $trust', ({ counts, trust }) => {
  expect(trustOf({ ...createTrustCounts(), ...counts })).toBe(trust);
});

test('old counts fade, and their relation stays', () => {
  const counts = { ...createTrustCounts(), disputed: 400, backwardOnly: 700 };
  ageTrustCounts(counts);
  expect(counts).toMatchObject({ disputed: 200, backwardOnly: 350 });
});
