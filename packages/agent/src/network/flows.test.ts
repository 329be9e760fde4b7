import { expect, test } from 'vitest';
import { FLOW_KEY, FLOW_KEY_SIZE } from '../kernel/events.gen.ts';
import { createNetworkFlows } from './flows.ts';
import type { Turn } from './turn.ts';

const KEY = new Uint8Array(FLOW_KEY_SIZE);
KEY[FLOW_KEY.ipVersion] = 4;
const NO_COUNTS = { ingress: 0, egress: 0 };

const turn = (sequence: number, direction: number, rest: Partial<Turn> = {}): Turn => ({
  flowId: 1,
  direction,
  clientDirection: 0,
  sequence,
  bytes: 10,
  firstNs: 0,
  lastNs: 0,
  vlan: 0,
  retransmissions: NO_COUNTS,
  zeroWindows: NO_COUNTS,
  ...rest,
});

/** Pairs as `flow:first>second`. */
function createRecorder(flowsMax = 8) {
  const pairs: string[] = [];
  const flows = createNetworkFlows({
    flowsMax,
    onPair: (flow, first, second) => pairs.push(`${flow.id}:${first.sequence}>${second.sequence}`),
  });
  return { flows, pairs, take: (one: Turn) => flows.turn(one, KEY, 0) };
}

test('where the client is known, pairs begin with what it says', () => {
  const { pairs, take } = createRecorder();
  const client = { clientDirection: 2 };
  take(turn(900, 1, client));
  take(turn(100, 2, client));
  take(turn(910, 1, client));
  take(turn(110, 2, client));
  expect(pairs).toEqual(['1:100>910']);
});

test('where it is not known, either may be the request', () => {
  const { pairs, take } = createRecorder();
  take(turn(100, 2));
  take(turn(900, 1));
  take(turn(110, 2));
  expect(pairs).toEqual(['1:100>900', '1:900>110']);
});

test('the last answer of an idle connection is ended once, by looking it up', () => {
  const { flows, pairs, take } = createRecorder();
  const open = turn(900, 1, { lastNs: 1e9 });
  take(turn(100, 2, { lastNs: 1e9 }));
  flows.endIdle(1.1e9, () => expect.unreachable());
  flows.endIdle(1.4e9, () => open);
  flows.endIdle(1.9e9, () => expect.unreachable());
  take(open);
  expect(pairs).toEqual(['1:100>900']);
});

test('an answer that still comes is waited for', () => {
  const { flows, pairs, take } = createRecorder();
  take(turn(100, 2, { lastNs: 1e9 }));
  flows.endIdle(2e9, () => turn(900, 1, { lastNs: 1.9e9 }));
  expect(pairs).toEqual([]);
  flows.endIdle(3e9, () => turn(900, 1, { lastNs: 2e9 }));
  expect(pairs).toEqual(['1:100>900']);
});

test('the key of a flow that the kernel uses for another connection by now ends nothing', () => {
  const { flows, pairs, take } = createRecorder();
  take(turn(100, 2, { lastNs: 1e9 }));
  flows.endIdle(2e9, () => turn(900, 1, { flowId: 2, lastNs: 1.5e9 }));
  expect(pairs).toEqual([]);
});

test('memory is bounded: the longest unused connection is forgotten, and counted', () => {
  const { flows, pairs, take } = createRecorder(2);
  for (const flowId of [1, 2, 1, 3]) take(turn(100, 2, { flowId }));
  for (const flowId of [1, 2, 3]) take(turn(900, 1, { flowId }));
  expect(pairs).toEqual(['1:100>900']);
  expect(flows.counters()).toEqual({ open: 2, dropped: 3 });
});
