import { EVIDENCE_ANSWERED_NEXT, EVIDENCE_THREAD } from '@thalweg/model';
import { expect, test } from 'vitest';
import type { Connection, RequestPart } from '../flow/exchange.ts';
import { CAUSE_NONE, CAUSE_READ, CAUSE_RESTORED, CAUSE_THREAD } from '../flow/transfer.ts';
import { createResolver, type Resolver, type TracedExchange } from './resolver.ts';
import { testRequest, testResponse } from './trace-testing.ts';
import { wireId } from './wire-id.ts';

// One process, one thread, an event loop: what the answers say about the calls.

const MS = 1e6;
const turnOf = (connectionId: number, count: number): number => connectionId * 2 ** 20 + count;

const connection = (id: number, role: Connection['role'], pid: number): Connection => ({
  id,
  protocol: 'http1',
  role,
  pid,
  comm: 'node',
  netns: 0,
  isUnix: false,
  localIp: '127.0.0.1',
  localPort: 80,
  remoteIp: '127.0.0.1',
  remotePort: 40_000 + id,
});

interface Talk {
  /** A request arrives on connection `id`. */
  ask(id: number): void;
  /** A call leaves on connection `id`, with the cause that the kernel stamped. */
  call(id: number, cause?: { id: number; kind: number }): void;
  /** The answer to that call is read, in turn 1 of its connection. */
  answerCall(id: number): void;
  /** The request of connection `id` is answered; `read` is the turn that the thread read before. */
  answer(id: number, read?: number): void;
  /** The client of connection `id` closes it before it was answered. */
  leave(id: number): void;
  /** What follows is of a new process of the same program. */
  restart(): void;
  flush(): void;
  /** Call connection → [parent connection, evidence, is solid]; 0 for none. */
  links(): Record<number, readonly [number, number, boolean]>;
}

function talk(): Talk {
  const traced: TracedExchange[] = [];
  const resolver: Resolver = createResolver((one) => traced.push(one), {
    programOf: () => 'shop',
  });
  const connections = new Map<number, Connection>();
  const requests = new Map<number, RequestPart>();
  let nowNs = 0;
  let pid = 1;
  const tick = (): number => {
    nowNs += MS;
    return nowNs;
  };
  const on = (id: number, role: Connection['role']): Connection => {
    const known = connections.get(id) ?? connection(id, role, pid);
    connections.set(id, known);
    return known;
  };
  const part = (id: number, cause: { id: number; kind: number }, turnId: number): RequestPart =>
    testRequest(id, {
      startNs: tick(),
      endNs: nowNs,
      turnId,
      causeId: cause.id,
      causeKind: cause.kind,
    });
  function finish(id: number, turnId: number, causeId: number): void {
    const request = requests.get(id);
    const of = connections.get(id);
    if (of === undefined) throw new Error(`BUG: nobody asked on ${id}`);
    const response = testResponse(1_000 + id, {
      startNs: tick(),
      endNs: nowNs,
      turnId,
      causeId,
      causeKind: causeId === 0 ? CAUSE_NONE : CAUSE_READ,
    });
    resolver.exchange({ connection: of, kind: 'session', isLossy: false, request, response });
  }
  return {
    ask(id) {
      const request = part(id, { id: 0, kind: CAUSE_NONE }, turnOf(id, 1));
      requests.set(id, request);
      resolver.request(on(id, 'server'), request);
    },
    call(id, cause = { id: 0, kind: CAUSE_NONE }) {
      const request = part(id, cause, 0);
      requests.set(id, request);
      resolver.request(on(id, 'client'), request);
    },
    answerCall: (id) => finish(id, turnOf(id, 1), 0),
    answer: (id, read = 0) => finish(id, 0, read),
    leave(id) {
      const [of, request] = [connections.get(id), requests.get(id)];
      if (of === undefined) throw new Error(`BUG: nobody asked on ${id}`);
      resolver.exchange({
        connection: of,
        kind: 'request',
        isLossy: false,
        request,
        response: undefined,
      });
    },
    restart() {
      pid += 1;
    },
    flush: () => resolver.flush(Infinity),
    links() {
      const idOf = new Map([...requests.keys()].map((id) => [wireId(id, 1_000 + id), id]));
      return Object.fromEntries(
        traced
          .filter(({ exchange }) => exchange.connection.role === 'client')
          .map(({ exchange, parentWireId, evidence, probability }) => [
            exchange.connection.id,
            [idOf.get(parentWireId) ?? 0, evidence, probability >= 0.9] as const,
          ]),
      );
    },
  };
}

test('a request that is answered right after the answer of a call was read made that call', () => {
  const one = talk();
  one.ask(1);
  one.ask(2);
  one.call(3); // After a timer: nothing is known.
  one.answerCall(3);
  one.answer(2, turnOf(3, 1));
  one.answer(1);
  one.flush();
  expect(one.links()).toEqual({ 3: [2, EVIDENCE_ANSWERED_NEXT, false] });
});

test('a request that came after the call was made is not its cause, whatever is answered next', () => {
  const one = talk();
  for (let id = 10; id < 400; id += 10) {
    one.ask(id);
    one.call(id + 1, { id: turnOf(id, 1), kind: CAUSE_THREAD });
    one.answerCall(id + 1);
    one.answer(id, turnOf(id + 1, 1));
  }
  one.ask(1);
  one.ask(2);
  one.call(3);
  one.ask(4);
  one.answerCall(3);
  one.answer(4, turnOf(3, 1));
  one.answer(1);
  one.answer(2);
  one.flush();
  expect(one.links()[3]).toEqual([0, 0, false]);
});

test('evidence carries over to the calls before it, one after the other', () => {
  const one = talk();
  one.ask(1);
  one.ask(2);
  one.call(3);
  one.answerCall(3);
  one.call(4, { id: turnOf(3, 1), kind: CAUSE_RESTORED });
  one.answerCall(4);
  one.answer(2, turnOf(4, 1));
  one.answer(1);
  one.flush();
  expect(one.links()).toMatchObject({
    3: [2, expect.anything(), false],
    4: [2, expect.anything(), false],
  });
});

test('a call that nothing speaks for is let go without a parent', () => {
  const one = talk();
  one.ask(1);
  one.ask(2);
  one.call(3);
  one.answerCall(3);
  expect(one.links()).toEqual({});
  one.flush();
  one.answer(1);
  one.answer(2);
  expect(one.links()).toEqual({ 3: [0, 0, false] });
});

test('a process whose calls follow timers comes to believe what its answers say', () => {
  const one = talk();
  for (let round = 0; round < 60; round += 1) {
    const [asked, other, called] = [10 * round + 11, 10 * round + 12, 10 * round + 13];
    // Timers follow no order; the bytes of `other` were read in the turn in which the one of `asked` fired.
    for (const id of round % 4 < 2 ? [asked, other] : [other, asked]) one.ask(id);
    const isMet = round % 2 === 0;
    one.call(called, isMet ? { id: turnOf(other, 1), kind: CAUSE_THREAD } : undefined);
    one.answerCall(called);
    one.answer(asked, turnOf(called, 1));
    one.answer(other);
    one.flush();
  }
  const links = one.links();
  // In dispute at first, so not solid; then backwards, and solid.
  expect(links[13]?.[2]).toBe(false);
  expect(links[10 * 58 + 13]).toEqual([10 * 58 + 11, EVIDENCE_ANSWERED_NEXT, true]);
  expect(links[10 * 59 + 13]).toEqual([10 * 59 + 11, EVIDENCE_ANSWERED_NEXT, true]);
});

test('both ways together are solid from the first call on', () => {
  const one = talk();
  for (let id = 1; id < 16; id += 1) one.ask(id);
  one.call(99, { id: turnOf(1, 1), kind: CAUSE_THREAD });
  one.answerCall(99);
  one.answer(1, turnOf(99, 1));
  one.flush();
  expect(one.links()).toEqual({ 99: [1, EVIDENCE_THREAD | EVIDENCE_ANSWERED_NEXT, true] });
});

test('a request whose client left may still be worked for: the other one is not the only one', () => {
  const one = talk();
  one.ask(1);
  one.ask(2);
  one.leave(2);
  one.call(3); // After a timer.
  one.answerCall(3);
  one.flush();
  one.answer(1);
  expect(one.links()).toEqual({ 3: [0, 0, false] });
});

test('a process begins with what another process of its program has taught', () => {
  const one = talk();
  for (let id = 1; id < 100; id += 2) {
    one.ask(id);
    one.call(id + 1, { id: turnOf(id, 1), kind: CAUSE_THREAD });
    one.answerCall(id + 1);
    one.answer(id);
  }
  one.flush();
  one.restart();
  one.ask(299);
  one.call(300);
  for (let id = 101; id < 120; id += 1) {
    one.ask(id);
    one.call(id + 99, { id: turnOf(id, 1), kind: CAUSE_THREAD });
  }
  one.answerCall(200);
  one.answer(101);
  expect(one.links()[200]).toEqual([101, EVIDENCE_THREAD, true]);
});

test('a thread that read several requests in a row: what it read last is not solid for what it sends', () => {
  const one = talk();
  for (let id = 10; id < 1_000; id += 10) {
    one.ask(id);
    one.call(id + 1, { id: turnOf(id, 1), kind: CAUSE_THREAD });
    one.answerCall(id + 1);
    one.answer(id, turnOf(id + 1, 1));
  }
  for (const id of [1, 2, 3]) one.ask(id);
  for (const id of [4, 5, 6]) one.call(id, { id: turnOf(3, 1), kind: CAUSE_THREAD });
  for (const id of [4, 5, 6]) one.answerCall(id);
  for (const id of [1, 2, 3]) one.answer(id);
  one.flush();
  const links = one.links();
  expect([4, 5, 6].map((id) => links[id]?.[2])).toEqual([false, false, false]);
});
