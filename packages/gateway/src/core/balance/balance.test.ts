import { expect, test } from 'vitest';
import type { Ask, Balancer, Node } from './balancer.ts';
import { createConsistentHash } from './consistent-hash.ts';
import { createLeastConnections } from './least-connections.ts';
import { createMovingAverage } from './moving-average.ts';
import { createRoundRobin } from './round-robin.ts';

const node = (port: number, weight: number): Node => ({
  host: '127.0.0.1',
  address: '127.0.0.1',
  port,
  weight,
  priority: 0,
  key: `127.0.0.1:${port}`,
});
const ask = (over: Partial<Ask> = {}): Ask => ({
  isUsable: () => true,
  hashKey: () => '',
  nowMs: 0,
  ...over,
});

function tally(balancer: Balancer, asks: readonly Ask[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const one of asks) {
    const port = balancer.pick(one)?.port ?? 0;
    counts[port] = (counts[port] ?? 0) + 1;
  }
  return counts;
}

test.each([
  { weights: [1, 1], of: 12, want: { 1: 6, 2: 6 } },
  { weights: [1, 1, 1], of: 12, want: { 1: 4, 2: 4, 3: 4 } },
  { weights: [3, 2, 1], of: 12, want: { 1: 6, 2: 4, 3: 2 } },
  { weights: [1, 0], of: 5, want: { 1: 5 } },
])('round robin shares $of requests by weights $weights', ({ weights, of, want }) => {
  const balancer = createRoundRobin(weights.map((weight, i) => node(i + 1, weight)));
  expect(
    tally(
      balancer,
      Array.from({ length: of }, () => ask()),
    ),
  ).toEqual(want);
});

test('round robin without weight has no node', () => {
  expect(createRoundRobin([node(1, 0)]).pick(ask())).toBeUndefined();
});

test('a node that goes takes only its own keys with it', () => {
  const nodes = [node(1, 1), node(2, 1), node(3, 2)];
  const balancer = createConsistentHash(nodes);
  const keys = Array.from({ length: 400 }, (_, i) => `key-${i}`);
  const of = (over: Partial<Ask>) => (key: string) =>
    balancer.pick(ask({ hashKey: () => key, ...over }))?.port;
  const before = keys.map(of({}));
  const without = keys.map(of({ isUsable: ({ port }) => port !== 2 }));
  expect(keys.filter((_, i) => before[i] !== without[i] && before[i] !== 2)).toEqual([]);
  expect(new Set(before)).toEqual(new Set([1, 2, 3]));
});

test.each([
  { key: '127.0.0.1', ports: [1980, 1981, 1982], want: 1982 },
  { key: '127.0.0.1', ports: [1980, 1981], want: 1980 },
  { key: 'jack', ports: [1980, 1981], want: 1981 },
])("$key of $ports goes where nginx's ring has it", ({ key, ports, want }) => {
  const balancer = createConsistentHash(ports.map((port) => node(port, 1)));
  expect(balancer.pick(ask({ hashKey: () => key }))?.port).toBe(want);
});

test('least connections goes where the fewest are under way for the weight', () => {
  const [a, b] = [node(1, 1), node(2, 3)];
  const balancer = createLeastConnections([a, b]);
  expect(balancer.pick(ask())?.port).toBe(2);
  for (let i = 0; i < 3; i++) balancer.begin?.(b);
  expect(balancer.pick(ask())?.port).toBe(1);
  balancer.end?.(b, 1, 0);
  balancer.begin?.(a);
  expect(balancer.pick(ask())?.port).toBe(2);
});

test('the moving average prefers the quicker node and forgets with time', () => {
  const [a, b] = [node(1, 1), node(2, 1)];
  const balancer = createMovingAverage([a, b], () => 0);
  balancer.end?.(a, 100, 0);
  balancer.end?.(b, 10, 0);
  expect(balancer.pick(ask())?.port).toBe(2);
  balancer.end?.(b, 500, 20_000);
  expect(balancer.pick(ask({ nowMs: 20_000 }))?.port).toBe(1);
});
