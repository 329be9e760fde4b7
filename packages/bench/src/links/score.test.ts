import { expect, test } from 'vitest';
import { BASELINES } from './baselines.ts';
import { scoreConfident, scoreLinks } from './score.ts';
import type { SpanRecord } from './span-record.ts';
import { findTruth, ofSubject } from './truth.ts';

let wireId = 0n;
const record = (path: string, rest: Partial<SpanRecord>): SpanRecord => ({
  isServer: false,
  pid: 1,
  tid: 1,
  path,
  startUs: 0,
  endUs: 0,
  wireId: ++wireId,
  parentWireId: 0n,
  probability: 0,
  ...rest,
});

/** Two requests of one process overlap; the calls leave in the order that `callTimes` gives. */
function overlapping(callTimes: readonly [number, number]): SpanRecord[] {
  return [
    record('/r/a', { isServer: true, startUs: 0, endUs: 100, wireId: 10n }),
    record('/r/b', { isServer: true, startUs: 10, endUs: 110, wireId: 20n }),
    record('/c/a/0', { startUs: callTimes[0], endUs: 90 }),
    record('/c/b/0', { startUs: callTimes[1], endUs: 95 }),
  ];
}

test('truth comes from the paths: the request of the same process with the same id', () => {
  const records = [...overlapping([5, 15]), record('/b/1', { startUs: 20 }), record('/c/z/0', {})];
  const { calls, unseenParents } = findTruth(records);
  expect(calls.map(({ parent }) => parent?.wireId)).toEqual([10n, 20n, undefined]);
  expect(unseenParents).toBe(1);
});

test('behind a proxy that passes paths on, the calls of the service are judged', () => {
  const proxied = [
    record('/r/a', { isServer: true, pid: 2, wireId: 30n }),
    record('/r/a', { pid: 2 }),
  ];
  const service = overlapping([5, 15]);
  const judged = ofSubject(findTruth([...proxied, ...service]));
  expect(judged.calls.map(({ record: { path } }) => path)).toEqual(['/c/a/0', '/c/b/0']);
  expect(ofSubject(findTruth(proxied)).calls).toHaveLength(1);
});

test.each([
  { leaf: 'a Redis key', statement: 'GET /c/a/0' },
  { leaf: 'an SQL name', statement: 'select $1 as "/c/a/0"' },
])('a statement tells its request by $leaf', ({ statement }) => {
  const records = [...overlapping([5, 15]), record(statement, {})];
  expect(findTruth(records).calls.at(-1)?.requestId).toBe('a');
});

test('a statement that was cut in the midst of an id tells nothing', () => {
  const records = [...overlapping([5, 15]), record('GET /c/a', {})];
  expect(findTruth(records)).toMatchObject({ calls: { length: 2 }, unseenParents: 0 });
});

test("a client that serves nobody is the load's, not a subject", () => {
  expect(findTruth([record('/r/a', { pid: 9 })]).calls).toEqual([]);
});

test.each([
  { rule: 'deepflow', callTimes: [5, 15], recall: 1 },
  { rule: 'deepflow', callTimes: [20, 30], recall: 0 },
  { rule: 'fifo', callTimes: [20, 30], recall: 1 },
  { rule: 'fifo', callTimes: [30, 20], recall: 0 },
  { rule: 'single_open', callTimes: [5, 30], recall: 0.5 },
  { rule: 'latest_open', callTimes: [5, 30], recall: 1 },
  { rule: 'latest_open', callTimes: [20, 30], recall: 0.5 },
] as const)(
  'rule $rule with calls at $callTimes links $recall of them right',
  ({ rule, callTimes, recall }) => {
    const records = overlapping(callTimes);
    const truth = findTruth(records);
    const parents = BASELINES[rule](records, truth);
    expect(scoreLinks(truth, (one) => parents.get(one) ?? 0n).recall).toBe(recall);
  },
);

test('wrong solid links, calibration and whole trees are told apart', () => {
  const linked = (path: string, parentWireId: bigint, probability: number): SpanRecord =>
    record(path, { startUs: 50, parentWireId, probability });
  const truth = findTruth([
    record('/r/a', { isServer: true, wireId: 10n }),
    record('/r/b', { isServer: true, wireId: 20n }),
    linked('/c/a/0', 10n, 0.95),
    linked('/c/a/1', 20n, 0.95),
    linked('/c/b/0', 20n, 0.75),
    linked('/c/b/1', 10n, 0.3), // Below what is shown: an orphan.
    linked('/b/1', 10n, 0.95), // Work of its own: any link is wrong.
  ]);
  const { precision, recall, orphans, exactTrees, wrongSolid, ece } = scoreConfident(truth);
  expect({ precision, recall, orphans, exactTrees, wrongSolid }).toEqual({
    precision: 2 / 4,
    recall: 2 / 4,
    orphans: 1 / 4,
    exactTrees: 0,
    wrongSolid: 2 / 3,
  });
  // Three at .95 of which a third is right, one at .75 that is right.
  expect(ece).toBeCloseTo((3 / 4) * (0.95 - 1 / 3) + (1 / 4) * 0.25, 10);
});
