import { expect, test } from 'vitest';
import { createThreadOrders } from './thread-order.ts';

/** `a` reads a request, `A` sends a call and notes whose turn it was, `-a` closes a request. */
function turns(steps: string): string {
  const closed = new Set<string>();
  const orders = createThreadOrders<string, string>({
    request: (one) => !closed.has(one),
    answered: () => true,
  });
  return steps
    .split(' ')
    .map((step) => {
      if (step === 'A') return orders.takeRequest(1) ?? '?';
      if (step.startsWith('-')) closed.add(step.slice(1));
      else orders.readRequest(1, step);
      return '';
    })
    .join('');
}

test.each([
  { name: 'one after the other', steps: 'a A b A', taken: 'ab' },
  { name: 'read in a row, sent in that order', steps: 'a b c A A A', taken: 'abc' },
  { name: 'one that was answered has no turn', steps: 'a b -a A', taken: 'b' },
  { name: 'more is sent than was read', steps: 'a A A', taken: 'a?' },
  { name: 'what waits from an earlier round hides the order', steps: 'a b A c A', taken: 'a?' },
  { name: 'until as many were sent as waited', steps: 'a b A c A A d A', taken: 'a??d' },
  { name: 'or until it is answered', steps: 'a b A -b c A', taken: 'ac' },
  { name: 'nothing was read', steps: 'A', taken: '?' },
])('$name: $steps', ({ steps, taken }) => {
  expect(turns(steps)).toBe(taken);
});

test('threads and both directions have orders of their own', () => {
  const orders = createThreadOrders<string, string>({ request: () => true, answered: () => true });
  orders.readRequest(1, 'a');
  orders.readRequest(2, 'b');
  orders.readAnswer(1, 'call');
  expect(orders.takeRequest(2)).toBe('b');
  expect(orders.takeAnswered(1)).toBe('call');
  expect(orders.takeRequest(1)).toBe('a');
  expect(orders.takeAnswered(2)).toBeUndefined();
});

test('thousands of messages in a row do not grow without limit', () => {
  const orders = createThreadOrders<number, number>({ request: () => true, answered: () => true });
  for (let at = 0; at < 5_000; at += 1) orders.readRequest(1, at);
  let count = 0;
  while (orders.takeRequest(1) !== undefined) count += 1;
  expect(count).toBe(1_024);
});
