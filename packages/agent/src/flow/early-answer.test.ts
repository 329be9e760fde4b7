import { expect, test } from 'vitest';
import { get, observe, ok } from './flow-testing.ts';
import { DIRECTION_IN, ROLE_CLIENT } from './transfer.ts';

const client = { role: ROLE_CLIENT };
const ask = (path: string): string => get.replace('/a', path);
const answer = (status: number): string => ok.replace('200', String(status));
/** A flow of a client's connection after its first exchange. */
function afterFirst() {
  const seen = observe();
  seen.send(ask('/first'), client);
  seen.receive(answer(200), client);
  return seen;
}
const FIRST = 'session GET /first 200';

test('an answer that is told of before its request is paired with it, and so are those after it', () => {
  const seen = afterFirst();
  seen.receive(answer(201), client);
  seen.send(ask('/second'), client);
  seen.send(ask('/third'), client);
  seen.receive(answer(203), client);
  expect(seen.said()).toEqual([FIRST, 'session GET /second 201', 'session GET /third 203']);
  const [, second] = seen.exchanges;
  expect(second?.request?.startNs).toBeLessThanOrEqual(second?.response?.startNs ?? 0);
});

test('an answer in several transfers waits as a whole', () => {
  const seen = afterFirst();
  const text = answer(201);
  seen.receive(text.slice(0, 20), client);
  seen.receive(text.slice(20), client);
  seen.send(ask('/second'), client);
  expect(seen.said()).toEqual([FIRST, 'session GET /second 201']);
});

test('where a request was not seen, its answer stands alone', () => {
  const seen = afterFirst();
  seen.skip(1, 40);
  seen.receive(answer(201), client);
  seen.send(ask('/third'), client);
  seen.receive(answer(203), client);
  expect(seen.said()).toEqual([FIRST, 'response - 201', 'session GET /third 203 lossy']);
});

test.each([
  { name: 'its peer ends', end: 'end' },
  { name: 'it is closed', end: 'close' },
] as const)('a server that speaks unasked is told of when $name', ({ end }) => {
  const seen = afterFirst();
  seen.receive(answer(408), client);
  expect(seen.said()).toEqual([FIRST]);
  if (end === 'end') seen.end(DIRECTION_IN);
  else seen.close();
  expect(seen.said()).toEqual([FIRST, 'response - 408']);
});

test('a server that speaks unasked and then rests is told of', () => {
  const seen = afterFirst();
  seen.receive(answer(408), client);
  seen.flow.flush(2e9);
  expect(seen.said()).toEqual([FIRST, 'response - 408']);
});
