import { expect, test } from 'vitest';
import type { Exchange } from '../flow/exchange.ts';
import type { NetworkFlow } from './flows.ts';
import { createJoin, type TurnPair } from './join.ts';
import type { Turn } from './turn.ts';

const turn = (direction: number, sequence: number, bytes: number): Turn => ({
  flowId: 1,
  direction,
  clientDirection: 0,
  sequence,
  bytes,
  firstNs: 0,
  lastNs: 0,
  vlan: 0,
  retransmissions: { ingress: 0, egress: 0 },
  zeroWindows: { ingress: 0, egress: 0 },
});

const pairAt = (flow: number, request: number, response: number): TurnPair => ({
  flow: { id: flow } as NetworkFlow, // The join looks at turns only.
  request: turn(2, request, 10),
  response: turn(1, response, 20),
});

const said = (request: number, response: number, kind: Exchange['kind'] = 'session'): Exchange =>
  ({
    kind,
    request: { sequence: request },
    response: { sequence: response },
  }) as Exchange; // The join looks at these parts only.

/** What was joined: `flow:sequence of the exchange's request`, or `flow:-`. */
function joined(play: (join: ReturnType<typeof createJoin>) => void, waitingMax = 8): string[] {
  const told: string[] = [];
  const join = createJoin({
    waitingMax,
    onJoined: ({ flow }, exchange) => told.push(`${flow.id}:${exchange?.request?.sequence ?? '-'}`),
  });
  play(join);
  join.flush(Infinity);
  return told;
}

test.each([
  {
    name: 'every interface that saw a request gets what the process told of it, once',
    play: (join: ReturnType<typeof createJoin>) => {
      join.pair(pairAt(1, 100, 500));
      join.exchange(said(100, 500));
      join.exchange(said(100, 500));
      join.pair(pairAt(2, 100, 500));
    },
    want: ['1:100', '2:100'],
  },
  {
    name: 'an answer may begin inside its turn, a request may not',
    play: (join: ReturnType<typeof createJoin>) => {
      join.exchange(said(100, 519));
      join.exchange(said(201, 700));
      join.pair(pairAt(1, 100, 500));
      join.pair(pairAt(2, 200, 700));
    },
    want: ['1:100', '2:-'],
  },
  {
    name: 'the same first byte with another answer is another request',
    play: (join: ReturnType<typeof createJoin>) => {
      join.exchange(said(100, 520));
      join.pair(pairAt(1, 100, 500));
    },
    want: ['1:-'],
  },
  {
    name: 'sequence numbers wrap',
    play: (join: ReturnType<typeof createJoin>) => {
      join.pair(pairAt(1, 0xffff_ffff, 0xffff_fff8));
      join.exchange(said(0xffff_ffff, 3));
    },
    want: ['1:4294967295'],
  },
  {
    name: 'a request without an answer waits for none',
    play: (join: ReturnType<typeof createJoin>) => {
      join.exchange(said(100, 500, 'request'));
      join.pair(pairAt(1, 100, 500));
    },
    want: ['1:-'],
  },
])('$name', ({ play, want }) => {
  expect(joined(play)).toEqual(want);
});

test('memory is bounded: the oldest is given up, and counted', () => {
  const told: number[] = [];
  const join = createJoin({ waitingMax: 2, onJoined: ({ flow }) => told.push(flow.id) });
  for (const flow of [1, 2, 3, 4]) join.pair(pairAt(flow, 100 * flow, 9_000 * flow));
  expect(told).toEqual([1, 2]);
  expect(join.counters()).toEqual({ joined: 0, others: 2, dropped: 2, waiting: 2 });
});

test('what nobody tells of is given up two seconds after it was looked for', () => {
  const told: number[] = [];
  const join = createJoin({ onJoined: ({ flow }) => told.push(flow.id) });
  join.flush(1e9);
  join.pair(pairAt(1, 100, 500));
  join.flush(60e9); // A thread that did not get to run: the other side may come with the next drain.
  expect(told).toEqual([]);
  join.flush(61.9e9);
  expect(told).toEqual([]);
  join.flush(62e9);
  expect(told).toEqual([1]);
});
