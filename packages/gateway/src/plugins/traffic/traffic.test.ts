import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Answer } from '../../core/answer.ts';
import type { Plugin } from '../plugin.ts';
import { answered, type BenchRequest, onBench, request, tryAt } from '../testing/plugin-bench.ts';
import { apiBreaker } from './api-breaker.ts';
import { type Circuit, createCountingCircuit, createRatioCircuit } from './circuit.ts';
import { faultInjection } from './fault-injection.ts';
import { createLeakyBucket } from './leaky-bucket.ts';
import { limitConn } from './limit-conn.ts';
import { mocking } from './mocking.ts';
import { trafficSplit } from './traffic-split.ts';
import { createWeightedTurns } from './weighted-turns.ts';
import { workflow } from './workflow.ts';

/** What the plugin's rewrite and access phases answer. */
async function outcome(plugin: Plugin, conf: object, asked: BenchRequest = {}) {
  const { handlers } = onBench(plugin, { ...conf });
  const context = request(asked);
  return (await handlers.rewrite?.(context)) ?? (await handlers.access?.(context));
}

test('turns are in the proportion of the weights, and smooth', () => {
  const turn = createWeightedTurns([
    { item: 'a', weight: 2 },
    { item: 'b', weight: 1 },
    { item: 'never', weight: 0 },
  ]);
  expect(Array.from({ length: 6 }, turn)).toEqual(['a', 'b', 'a', 'a', 'b', 'a']);
});

function splitter(rule: object) {
  const known = { canary: {}, blue: {} } as Record<string, object>;
  const upstream = (given: object) => ('id' in given ? known[String(given.id)] : given);
  const { handlers } = onBench(
    trafficSplit,
    { rules: [rule] },
    // Checked edge: the plugin hands the upstream on without looking at it.
    { upstream: upstream as never },
  );
  return async (asked: BenchRequest) => {
    const context = request(asked);
    const answer = await handlers.access?.(context);
    return answer?.status ?? (context.upstream === known['canary'] ? 'canary' : 'own');
  };
}

test('only what matches is split, an upstream that is gone is an error', async () => {
  const match = [{ vars: [['arg_v', '==', '2']] }];
  const send = splitter({ match, weighted_upstreams: [{ upstream_id: 'canary' }] });
  expect(await send({ target: '/?v=2' })).toBe('canary');
  expect(await send({ target: '/?v=1' })).toBe('own');
  expect(await splitter({ weighted_upstreams: [{ upstream_id: 'gone' }] })({})).toBe(500);
});

test('a sticky value always goes to one upstream', async () => {
  const send = splitter({
    sticky: 'cookie_session',
    weighted_upstreams: [{ upstream_id: 'canary', weight: 1 }, { weight: 1 }],
  });
  const seen = new Map<string, Set<unknown>>();
  for (const session of ['a', 'b', 'c', 'd', 'e', 'f', 'a', 'b', 'c', 'd', 'e', 'f']) {
    const goal = await send({ headers: { Cookie: `session=${session}` } });
    seen.set(session, new Set([...(seen.get(session) ?? []), goal]));
  }
  expect([...seen.values()].every(({ size }) => size === 1)).toBe(true);
  expect(new Set([...seen.values()].flatMap((one) => [...one])).size).toBe(2);
});

const POLICY = {
  unhealthyStatuses: [500],
  healthyStatuses: [200],
  failures: 2,
  successes: 2,
  breakMaxMs: 3_000,
};

function settled(circuit: Circuit, statuses: readonly number[], nowMs: number): void {
  for (const status of statuses) circuit.settle(status, nowMs);
}

test('a counting circuit opens longer each time, up to its bound, and successes forget', () => {
  const circuit = createCountingCircuit(POLICY);
  settled(circuit, [500, 500], 0);
  expect([circuit.admit(2_000), circuit.admit(2_001)]).toEqual([false, true]);
  settled(circuit, [500, 500], 2_001);
  expect([circuit.admit(5_001), circuit.admit(5_002)]).toEqual([false, true]);
  settled(circuit, [200, 200, 500], 5_002);
  expect(circuit.admit(5_003)).toBe(true);
});

test('a ratio circuit is half open after its time: trials close it or open it again', () => {
  const ratio = {
    unhealthyStatuses: [500],
    errorRatio: 0.5,
    requestsMin: 4,
    windowMs: 10_000,
    trialMax: 2,
    successRatio: 0.6,
    breakMs: 1_000,
  };
  const circuit = createRatioCircuit(ratio);
  settled(circuit, [500, 200, 200], 0);
  expect(circuit.admit(0)).toBe(true);
  circuit.settle(500, 0);
  expect(circuit.admit(999)).toBe(false);
  expect([1, 2, 3].map(() => circuit.admit(1_000))).toEqual([true, true, false]);
  settled(circuit, [200, 500], 1_000);
  expect(circuit.admit(1_001)).toBe(false);
  expect([circuit.admit(2_000), circuit.admit(2_000)]).toEqual([true, true]);
  settled(circuit, [200, 200], 2_000);
  expect([1, 2, 3].map(() => circuit.admit(2_001))).toEqual([true, true, true]);
});

test('failures of a ratio circuit count only as long as its window', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(200, 500), { maxLength: 40 }), (statuses) => {
      const circuit = createRatioCircuit({
        unhealthyStatuses: [500],
        errorRatio: 1,
        requestsMin: 3,
        windowMs: 1_000,
        trialMax: 1,
        successRatio: 1,
        breakMs: 1_000,
      });
      // Each a window apart: no three are ever seen together.
      statuses.forEach((status, at) => void circuit.settle(status, at * 2_000));
      return circuit.admit(statuses.length * 2_000);
    }),
    { seed: 5 },
  );
});

test('the breaker answers itself while open, with headers only beside a body', async () => {
  const conf = {
    break_response_code: 599,
    break_response_body: 'open',
    break_response_headers: [{ key: 'X-Uri', value: '$uri' }],
    unhealthy: { failures: 1 },
  };
  const { handlers } = onBench(apiBreaker, conf);
  const failed = request();
  await handlers.access?.(failed);
  tryAt(failed, 8080, 500);
  handlers.log?.(answered(failed, 500));
  expect(await handlers.access?.(request())).toEqual({
    status: 599,
    body: 'open',
    headers: { 'X-Uri': '/orders/1' },
  });
  expect(await handlers.access?.(request({ host: 'other.test' }))).toBeUndefined();
});

test('a bucket lets the rate through, makes the burst wait and refuses the rest', () => {
  const bucket = createLeakyBucket({ keysMax: 2 });
  const take = (nowMs: number) => bucket.take('k', { rate: 2, burst: 1, nowMs });
  expect([take(0), take(0), take(0), take(500), take(2_000)]).toEqual([0, 500, undefined, 500, 0]);
});

test('places that requests hold are given back, also to those who left', async () => {
  vi.useFakeTimers();
  const conf = { conn: 1, burst: 1, default_conn_delay: 0.1, key: 'remote_addr' };
  const { handlers } = onBench(limitConn, conf);
  const contexts = [request(), request(), request()] as const;
  const first = handlers.access?.(contexts[0]);
  const second = handlers.access?.(contexts[1]);
  expect([first, second instanceof Promise]).toEqual([undefined, true]);
  expect(await handlers.access?.(contexts[2])).toMatchObject({ status: 503 });
  handlers.log?.(contexts[1]);
  handlers.log?.(contexts[1]);
  handlers.log?.(contexts[2]);
  const again = handlers.access?.(request());
  expect(again instanceof Promise).toBe(true);
  await vi.runAllTimersAsync();
  vi.useRealTimers();
});

test.each<{ name: string; plugin: Plugin; conf: object; asked?: BenchRequest; want: unknown }>([
  {
    name: 'a fault fills its variables in',
    plugin: faultInjection,
    conf: { abort: { http_status: 418, body: 'n=$arg_n', headers: { 'X-U': '$uri' } } },
    asked: { target: '/a?n=2' },
    want: { status: 418, body: 'n=2', headers: { 'X-U': '/a' } },
  },
  {
    name: 'a fault at 0 percent never happens',
    plugin: faultInjection,
    conf: { abort: { http_status: 500, percentage: 0 } },
    want: undefined,
  },
  {
    name: 'a fault asks for one of its conditions',
    plugin: faultInjection,
    conf: { abort: { http_status: 500, vars: [[['arg_x', '==', '1']]] } },
    want: undefined,
  },
  {
    name: 'a mock is made of the examples of its schema',
    plugin: mocking,
    conf: {
      with_mock_header: false,
      response_schema: { type: 'object', properties: { a: { type: 'integer', example: 4 } } },
    },
    want: {
      status: 200,
      body: '{"a":4}',
      headers: { 'Content-Type': 'application/json;charset=utf8' },
    },
  },
  {
    name: 'a workflow answers by the first case that holds',
    plugin: workflow,
    conf: {
      rules: [
        { case: [['uri', '==', '/no']], actions: [['return', { code: 500 }]] },
        { actions: [['return', { code: 403 }]] },
      ],
    },
    want: { status: 403, body: { error_msg: 'rejected by workflow' } },
  },
])('$name', async ({ plugin, conf, asked = {}, want }) => {
  expect((await outcome(plugin, conf, asked)) as Answer | undefined).toEqual(want);
});
