import { expect, test } from 'vitest';
import type { Connection, RequestPart } from '../flow/exchange.ts';
import { CAUSE_THREAD } from '../flow/transfer.ts';
import { type Comparison, createCalibration } from './calibration.ts';
import { createResolver, type TracedExchange } from './resolver.ts';
import { testConnection, testRequest, testResponse } from './trace-testing.ts';
import { wireId } from './wire-id.ts';

/** Each request names itself in X-Request-ID, and its call does; the thread says `blamed` made it. */
function run(blamed: 'its own' | 'another', rounds: number) {
  const compared: Comparison[] = [];
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one), {
    onCompared: (_, comparison) => compared.push(comparison),
  });
  for (let round = 0; round < rounds; round += 1) {
    const at = 100 * (round + 1);
    const own = testRequest(at, { turnId: at, requestId: `own-${round}` });
    const other = testRequest(at + 1, { turnId: at + 1, requestId: `other-${round}` });
    const causeId = blamed === 'its own' ? at : at + 1;
    const called = testRequest(at + 2, {
      tid: 2, // Another thread than the one that read: order says nothing.
      causeId,
      causeKind: CAUSE_THREAD,
      requestId: `own-${round}`,
    });
    const ends = [testConnection(at, 'server'), testConnection(at + 1, 'server')] as const;
    const back = testConnection(at + 2, 'client');
    const end = (of: Connection, part: RequestPart): void => {
      const response = testResponse(part.sequence + 50);
      resolver.exchange({
        connection: of,
        kind: 'session',
        isLossy: false,
        request: part,
        response,
      });
    };
    resolver.request(ends[0], own);
    resolver.request(ends[1], other);
    resolver.request(back, called);
    end(back, called);
    end(ends[0], own);
    end(ends[1], other);
    resolver.flush(Infinity);
  }
  const verdicts = compared.map(({ verdict }) => verdict);
  return { traced, verdicts };
}

test('a link follows the id, and what evidence alone would have said is compared with it', () => {
  const { traced, verdicts } = run('its own', 60);
  const call = traced.find(({ exchange }) => exchange.connection.role === 'client');
  expect(call).toMatchObject({ parentWireId: wireId(100, 150) });
  expect(verdicts).toHaveLength(60);
  expect(verdicts.slice(-40)).toEqual(Array.from({ length: 40 }, () => 'right'));
});

test('evidence that ids prove wrong is not believed for long, and links by id stay right', () => {
  const { traced, verdicts } = run('another', 60);
  const calls = traced.filter(({ exchange }) => exchange.connection.role === 'client');
  const parents = calls.map(({ parentWireId }) => parentWireId);
  expect(parents).toEqual(
    calls.map((_, round) => wireId(100 * (round + 1), 100 * (round + 1) + 50)),
  );
  expect(verdicts.slice(-30)).toEqual(Array.from({ length: 30 }, () => 'open'));
});

test('news are told once, totals stay', () => {
  const calibration = createCalibration();
  calibration.add('shop', { verdict: 'right', probability: 0.95 });
  calibration.add('shop', { verdict: 'wrong', probability: 0.6 });
  calibration.add('shop', { verdict: 'open', probability: 0 });
  const counts = { service: 'shop', right: 1, wrong: 1, open: 1, solidRight: 1, solidWrong: 0 };
  expect(calibration.takeNews()).toEqual([counts]);
  expect(calibration.takeNews()).toEqual([]);
  expect(calibration.totals()).toEqual([counts]);
});
