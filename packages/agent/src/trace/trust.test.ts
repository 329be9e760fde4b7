import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addCalls,
  countAnswered,
  createTrustCounts,
  inheritTrustCounts,
  type TrustCounts,
  trustOf,
} from './trust.ts';

/** A process of `requests` answered requests, each made the calls that `callsOf` says. */
function process(requests: number, callsOf: (at: number) => number): TrustCounts {
  const counts = createTrustCounts();
  for (let at = 0; at < requests; at += 1) {
    counts.answeredCalls += 1;
    countAnswered(counts, callsOf(at));
  }
  return counts;
}

const believed = (trust: number): string => {
  if (trust >= 0.9) return 'yes';
  return trust < 0.5 ? 'no' : 'unsure';
};

test.each([
  { name: 'nothing seen yet: neither way alone', counts: createTrustCounts(), want: 'no, no' },
  {
    name: 'a proxy: one call a request, answered next',
    counts: { ...process(100, () => 1), claimed: 99, overlap: 99, agreed: 99, byChance: 9 },
    want: 'yes, yes',
  },
  {
    name: 'fan-out: five calls a request, the last one answered next',
    counts: { ...process(100, () => 5), claimed: 98, overlap: 98, agreed: 98, byChance: 9 },
    want: 'yes, yes',
  },
  {
    name: 'a cache: no call for every other request, but both ways agree',
    counts: {
      ...process(200, (at) => at % 2),
      answeredCalls: 100,
      claimed: 99,
      overlap: 99,
      agreed: 99,
      byChance: 9,
    },
    want: 'yes, yes',
  },
  {
    name: 'a timer before the call: calls meet a few requests by chance',
    counts: {
      ...process(100, (at) => (at % 12 === 0 ? 12 : 0)),
      claimed: 98,
      overlap: 96,
      agreed: 6,
      byChance: 8,
    },
    want: 'no, yes',
  },
  {
    name: 'a timer after the call: few answers follow another, and none its own',
    counts: { ...process(100, () => 1), claimed: 5, overlap: 22, byChance: 2 },
    want: 'yes, no',
  },
  {
    name: 'timers on both sides',
    counts: {
      ...process(100, (at) => (at % 10 === 0 ? 3 : 0)),
      claimed: 9,
      overlap: 20,
      byChance: 1,
    },
    want: 'no, no',
  },
  {
    name: 'both look regular and name different requests: neither',
    counts: { ...process(100, () => 1), claimed: 100, overlap: 100, agreed: 7, byChance: 7 },
    want: 'no, no',
  },
  {
    name: 'ids told that a regular kind is wrong',
    counts: { ...process(100, () => 1), forwardWrong: 40, backwardRight: 40 },
    want: 'no, yes',
  },
])('$name: $want', ({ counts, want }) => {
  const { forward, backward } = trustOf(counts);
  expect([forward, backward].map(believed).join(', ')).toBe(want);
});

test.each([
  { name: 'nothing disputes it', claimed: 99, overlap: 99, agreed: 99, want: 'yes' },
  { name: 'a pool serves who waits first', claimed: 99, overlap: 99, agreed: 80, want: 'unsure' },
  { name: 'what disputes it is chance', claimed: 3, overlap: 40, agreed: 2, want: 'yes' },
])('who opened a connection uses it: $name: $want', ({ claimed, overlap, agreed, want }) => {
  const connect = { overlap, agreed, byChance: 1 };
  const counts = { ...process(100, () => 1), claimed, connect };
  expect(believed(trustOf(counts).connectAlone)).toBe(want);
});

test('the only open request made the call, unless calls come as work of its own does', () => {
  const regular = createTrustCounts();
  const scattered = createTrustCounts();
  for (let at = 0; at < 60; at += 1) {
    addCalls(regular.single, 1);
    addCalls(scattered.single, at % 10 === 0 ? 3 : 0);
  }
  const first = trustOf(createTrustCounts()).single;
  expect(
    [first, regular, scattered].map((one) =>
      believed(typeof one === 'number' ? one : trustOf(one).single),
    ),
  ).toEqual(['unsure', 'yes', 'no']);
});

test('old counts fade, and what they say stays about the same', () => {
  const counts = process(1_023, () => 1);
  const before = trustOf(counts).forward;
  countAnswered(counts, 1);
  expect(counts.answeredRequests).toBe(512);
  expect(trustOf(counts).forward).toBeCloseTo(before, 2);
});

test('a new process of a program begins with what another one taught, and is soon outvoted', () => {
  const counts = inheritTrustCounts(process(1_000, () => 1));
  expect(believed(trustOf(counts).forward)).toBe('yes');
  for (let at = 0; at < 36; at += 1) addCalls(counts.forward, at % 12 === 0 ? 12 : 0);
  expect(believed(trustOf(counts).forward)).toBe('no');
});

test('trust is a probability, whatever was counted', () => {
  const count = fc.integer({ min: 0, max: 50 });
  fc.assert(
    fc.property(fc.array(count), count, count, count, count, (calls, claimed, overlap, a, b) => {
      const counts = process(calls.length, (at) => calls[at] ?? 0);
      const agreed = Math.min(a, overlap);
      const byChance = Math.min(b, overlap);
      for (const one of Object.values(
        trustOf({ ...counts, claimed, overlap, agreed, byChance }),
      ).flat()) {
        expect(one >= 0 && one < 1).toBe(true);
      }
    }),
    { seed: 9 },
  );
});
