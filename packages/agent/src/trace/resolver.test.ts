import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EVIDENCE_CONNECT, EVIDENCE_SHARED_ID, EVIDENCE_SINGLE_OPEN } from '@thalweg/model';
import { expect, test } from 'vitest';
import type { RequestPart } from '../flow/exchange.ts';
import { CAUSE_CONNECT, CAUSE_THREAD } from '../flow/transfer.ts';
import { createResolver, type TracedExchange } from './resolver.ts';
import { testConnection, testRequest, testResponse } from './trace-testing.ts';
import { wireId } from './wire-id.ts';

/** Runs two server requests (turns 100 and 200) and one call, and answers them in turn. */
function traceCall(call: Partial<RequestPart>, openToo = true): TracedExchange | undefined {
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one));
  const [front, other, back] = [
    testConnection(1, 'server'),
    testConnection(2, 'server'),
    testConnection(3, 'client'),
  ];
  const first = testRequest(10, { turnId: 100, requestId: 'abc' });
  const second = testRequest(20, { turnId: 200 });
  const called = testRequest(30, call);
  resolver.request(front, first);
  if (openToo) resolver.request(other, second);
  resolver.request(back, called);
  const done = { kind: 'session', isLossy: false } as const;
  resolver.exchange({ ...done, connection: back, request: called, response: testResponse(31) });
  expect(traced).toEqual([]); // The parent's identity is not known before its answer.
  resolver.exchange({ ...done, connection: front, request: first, response: testResponse(11) });
  resolver.exchange({ ...done, connection: other, request: second, response: testResponse(21) });
  expect(resolver.counters()).toMatchObject({ open: 0, waiting: 0 });
  return traced.find((one) => one.exchange.connection === back);
}

test.each([
  {
    name: 'a connection made for a request belongs to it',
    call: { causeId: 100, causeKind: CAUSE_CONNECT },
    parent: wireId(10, 11),
    evidence: EVIDENCE_CONNECT,
  },
  {
    name: 'a shared request id names its request',
    call: { requestId: 'abc' },
    parent: wireId(10, 11),
    evidence: EVIDENCE_SHARED_ID,
  },
  {
    name: 'a cause that is not open any more is no cause',
    call: { causeId: 999, causeKind: CAUSE_THREAD },
    parent: 0n,
    evidence: 0,
  },
])('$name', ({ call, parent, evidence }) => {
  expect(traceCall(call)).toMatchObject({ parentWireId: parent, evidence });
});

test('without any evidence both open requests are kept as candidates', () => {
  expect(traceCall({})).toMatchObject({
    parentWireId: 0n,
    candidates: [{ wireId: wireId(10, 11) }, { wireId: wireId(20, 21) }],
  });
});

test('who leaves before the answer has the id of who sent it', () => {
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one));
  const asked = { answerSequence: 11 };
  for (const role of ['client', 'server'] as const) {
    const connection = testConnection(role === 'client' ? 1 : 2, role);
    const request = testRequest(10, asked);
    resolver.request(connection, request);
    const response = role === 'client' ? undefined : testResponse(11);
    const kind = response === undefined ? 'request' : 'session';
    resolver.exchange({ kind, connection, request, response, isLossy: false });
  }
  expect(traced.map((one) => one.wireId)).toEqual([wireId(10, 11), wireId(10, 11)]);
});

test('a process with one open request links to it, below the solid mark', () => {
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one));
  const [front, back] = [testConnection(1, 'server'), testConnection(2, 'client')];
  const opened = testRequest(10, { turnId: 100 });
  const called = testRequest(30);
  resolver.request(front, opened);
  resolver.request(back, called);
  const done = { kind: 'session', isLossy: false } as const;
  resolver.exchange({ ...done, connection: back, request: called, response: testResponse(31) });
  resolver.exchange({ ...done, connection: front, request: opened, response: testResponse(11) });
  expect(traced.find((one) => one.exchange.connection === back)).toMatchObject({
    parentWireId: wireId(10, 11),
    evidence: EVIDENCE_SINGLE_OPEN,
  });
  expect(traced.every((one) => one.probability < 0.9)).toBe(true);
});

test('a different trace id rules a parent out, whatever the thread says', () => {
  const trace = (traceId: string) => ({ traceId, spanId: '', parentSpanId: '' });
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one));
  const [front, back] = [testConnection(1, 'server'), testConnection(2, 'client')];
  const opened = testRequest(10, { turnId: 100, trace: trace('one') });
  const called = testRequest(30, { causeId: 100, causeKind: CAUSE_THREAD, trace: trace('two') });
  resolver.request(front, opened);
  resolver.request(back, called);
  const done = { kind: 'session', isLossy: false } as const;
  resolver.exchange({ ...done, connection: back, request: called, response: testResponse(31) });
  expect(traced[0]).toMatchObject({ parentWireId: 0n, evidence: 0, candidates: [] });
});

test.each([
  { afterNs: 1e9, parent: wireId(10, 0) },
  { afterNs: 6e9, parent: 0n },
])(
  'a client has left its request: a call for it $afterNs ns later has the parent $parent',
  ({ afterNs, parent }) => {
    const traced: TracedExchange[] = [];
    const resolver = createResolver((one) => traced.push(one));
    const [front, back] = [testConnection(1, 'server'), testConnection(2, 'client')];
    const left = testRequest(10, { turnId: 100, requestId: 'abc' });
    const called = testRequest(30, { startNs: afterNs, requestId: 'abc' });
    resolver.request(front, left);
    resolver.exchange({
      kind: 'request',
      connection: front,
      request: left,
      response: undefined,
      isLossy: false,
    });
    resolver.request(back, called);
    const done = { kind: 'session', isLossy: false } as const;
    resolver.exchange({ ...done, connection: back, request: called, response: testResponse(31) });
    expect(traced[1]).toMatchObject({ parentWireId: parent });
    expect(resolver.counters()).toMatchObject({ open: 0, waiting: 0 });
  },
);

test('calls one after the other hold none of those before', async () => {
  const seen: WeakRef<TracedExchange['exchange']>[] = [];
  const resolver = createResolver(({ exchange }) => seen.push(new WeakRef(exchange)));
  const client = testConnection(1, 'client');
  const turn = 2 ** 20;
  for (let count = 1; count <= 5; count += 1) {
    // The thread calls again because of the answer that it has just read.
    const called = testRequest(count, { causeId: turn + count - 1, causeKind: CAUSE_THREAD });
    resolver.request(client, called);
    const response = testResponse(count, { turnId: turn + count });
    resolver.exchange({
      kind: 'session',
      isLossy: false,
      connection: client,
      request: called,
      response,
    });
  }
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // There since the line before.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const held = seen.filter((one) => one.deref() !== undefined).length;
  expect([seen.length, held]).toEqual([5, 1]);
});
