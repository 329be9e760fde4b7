import { EVIDENCE_CONNECT, EVIDENCE_SHARED_ID, EVIDENCE_SINGLE_OPEN } from '@thalweg/model';
import { expect, test } from 'vitest';
import type { Connection, RequestPart, ResponsePart } from '../flow/exchange.ts';
import { CAUSE_CONNECT, CAUSE_NONE, CAUSE_THREAD } from '../flow/transfer.ts';
import { createResolver, type TracedExchange } from './resolver.ts';
import { wireId } from './wire-id.ts';

const connection = (id: number, role: Connection['role'], pid = 1): Connection => ({
  id,
  protocol: 'http1',
  role,
  pid,
  comm: 'gateway',
  netns: 0,
  localIp: '127.0.0.1',
  localPort: 80,
  remoteIp: '127.0.0.1',
  remotePort: 40_000 + id,
});

const message = {
  startNs: 0,
  endNs: 0,
  tid: 1,
  turnId: 0,
  causeId: 0,
  causeKind: CAUSE_NONE,
  size: 0,
  captured: 0,
  bodySize: 0,
  version: '1.1',
  contentLength: undefined,
  trace: undefined,
  requestId: '',
  headers: [],
};

const request = (sequence: number, rest: Partial<RequestPart> = {}): RequestPart => ({
  ...message,
  sequence,
  method: 'GET',
  path: '/',
  host: 'shop',
  forwardedFor: '',
  answeredBeforeNs: -Infinity,
  note: undefined,
  ...rest,
});

const response = (sequence: number): ResponsePart => ({
  ...message,
  sequence,
  outcome: 'success',
  status: 200,
  reason: 'OK',
  result: '',
});

/** Runs two server requests (turns 100 and 200) and one call, and answers them in turn. */
function traceCall(call: Partial<RequestPart>, openToo = true): TracedExchange | undefined {
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one));
  const [front, other, back] = [
    connection(1, 'server'),
    connection(2, 'server'),
    connection(3, 'client'),
  ];
  const first = request(10, { turnId: 100, requestId: 'abc' });
  const second = request(20, { turnId: 200 });
  const called = request(30, call);
  resolver.request(front, first);
  if (openToo) resolver.request(other, second);
  resolver.request(back, called);
  const done = { kind: 'session', isLossy: false } as const;
  resolver.exchange({ ...done, connection: back, request: called, response: response(31) });
  expect(traced).toEqual([]); // The parent's identity is not known before its answer.
  resolver.exchange({ ...done, connection: front, request: first, response: response(11) });
  resolver.exchange({ ...done, connection: other, request: second, response: response(21) });
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

test('a process with one open request links to it, below the solid mark', () => {
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one));
  const [front, back] = [connection(1, 'server'), connection(2, 'client')];
  const opened = request(10, { turnId: 100 });
  const called = request(30);
  resolver.request(front, opened);
  resolver.request(back, called);
  const done = { kind: 'session', isLossy: false } as const;
  resolver.exchange({ ...done, connection: back, request: called, response: response(31) });
  resolver.exchange({ ...done, connection: front, request: opened, response: response(11) });
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
  const [front, back] = [connection(1, 'server'), connection(2, 'client')];
  const opened = request(10, { turnId: 100, trace: trace('one') });
  const called = request(30, { causeId: 100, causeKind: CAUSE_THREAD, trace: trace('two') });
  resolver.request(front, opened);
  resolver.request(back, called);
  const done = { kind: 'session', isLossy: false } as const;
  resolver.exchange({ ...done, connection: back, request: called, response: response(31) });
  expect(traced[0]).toMatchObject({ parentWireId: 0n, evidence: 0, candidates: [] });
});
