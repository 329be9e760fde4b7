import { EVIDENCE_ANSWERED_IN_ORDER, EVIDENCE_THREAD_ORDER } from '@thalweg/model';
import { expect, test } from 'vitest';
import { CAUSE_READ, CAUSE_RESTORED } from '../flow/transfer.ts';
import { createResolver, type TracedExchange } from './resolver.ts';
import { testConnection, testRequest, testResponse } from './trace-testing.ts';

const SIZE = 4;
const ROUNDS = 12;
const turnOf = (connectionId: number): number => connectionId * 2 ** 20 + 1;
const DONE = { kind: 'session', isLossy: false } as const;

/**
 * One thread in rounds: it reads four requests, then sends their calls, reads the answers, then
 * answers. The kernel names what the thread read last. `places` says in which order calls leave.
 */
function runRounds(places: (round: number) => readonly number[]): {
  readonly right: number;
  readonly wrong: number;
  readonly byBothOrders: number;
} {
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one));
  for (let round = 0; round < ROUNDS; round += 1) {
    const base = 1_000 * (round + 1);
    const fronts = [...Array(SIZE).keys()].map((at) => ({
      connection: testConnection(base + at, 'server'),
      request: testRequest(base + at, { path: `/${base + at}`, turnId: base + at }),
    }));
    for (const { connection, request } of fronts) resolver.request(connection, request);
    const calls = places(round).map((at) => ({
      connection: testConnection(base + 100 + at, 'client'),
      request: testRequest(base + 100 + at, {
        path: `/${base + at}`,
        causeId: base + SIZE - 1,
        causeKind: CAUSE_RESTORED,
      }),
    }));
    for (const { connection, request } of calls) resolver.request(connection, request);
    for (const call of calls) {
      const response = testResponse(call.request.sequence + 100, {
        turnId: turnOf(call.connection.id),
      });
      resolver.exchange({ ...DONE, ...call, response });
    }
    for (const { request } of calls) {
      const front = fronts.find((one) => one.request.path === request.path);
      if (front === undefined) throw new Error('BUG: a call for no request');
      const response = testResponse(front.request.sequence + 500, { causeKind: CAUSE_READ });
      resolver.exchange({ ...DONE, ...front, response });
    }
  }
  resolver.flush(Infinity);
  const idOf = new Map(
    traced
      .filter(({ exchange }) => exchange.connection.role === 'server')
      .map(({ exchange, wireId }) => [exchange.request?.path, wireId]),
  );
  const linked = traced.filter((one) => one.parentWireId !== 0n);
  const right = linked.filter((one) => one.parentWireId === idOf.get(one.exchange.request?.path));
  const both = EVIDENCE_THREAD_ORDER | EVIDENCE_ANSWERED_IN_ORDER;
  return {
    right: right.length,
    wrong: linked.length - right.length,
    byBothOrders: linked.filter(({ evidence }) => (evidence & both) === both).length,
  };
}

test('a thread that works through what it read in order: its calls are linked in that order', () => {
  const { right, wrong, byBothOrders } = runRounds(() => [0, 1, 2, 3]);
  expect(right).toBeGreaterThan(0.8 * SIZE * ROUNDS);
  expect(wrong).toBe(0);
  expect(byBothOrders).toBeGreaterThan(0.6 * SIZE * ROUNDS);
});

test('a thread that takes its work in another order each time: nothing is linked by order', () => {
  const shuffles = [
    [2, 0, 3, 1],
    [1, 3, 0, 2],
    [3, 2, 1, 0],
    [1, 0, 3, 2],
  ];
  const { right, wrong } = runRounds((round) => shuffles[round % shuffles.length] ?? []);
  expect(right + wrong).toBe(0);
});
