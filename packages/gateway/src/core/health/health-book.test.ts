import { expect, test } from 'vitest';
import { createHealthBook, type HealthEvent } from './health-book.ts';

const NODE = { host: 'a', address: '1.1.1.1', port: 1, weight: 1, priority: 0, key: '1.1.1.1:1' };
const LIMITS = { successes: 2, http_failure: 2, tcp_failure: 1, timeout_failure: 3 };

test.each<{ name: string; events: HealthEvent[]; state: string }>([
  { name: 'nothing seen', events: [], state: 'healthy' },
  { name: 'one failure of two', events: ['http_failure'], state: 'mostly_healthy' },
  { name: 'two failures', events: ['http_failure', 'http_failure'], state: 'unhealthy' },
  {
    name: 'a success between',
    events: ['http_failure', 'success', 'http_failure'],
    state: 'mostly_healthy',
  },
  { name: 'back, in part', events: ['tcp_failure', 'success'], state: 'mostly_unhealthy' },
  { name: 'back', events: ['tcp_failure', 'success', 'success'], state: 'healthy' },
  {
    name: 'a failure on the way back',
    events: ['tcp_failure', 'success', 'tcp_failure', 'success'],
    state: 'mostly_unhealthy',
  },
])('$name is $state', ({ events, state }) => {
  const book = createHealthBook(() => undefined);
  for (const event of events) book.report(NODE, event, LIMITS, 'seen');
  expect(book.of(NODE).state).toBe(state);
  expect(book.hasUnhealthy()).toBe(!book.isUsable(NODE));
});

test('a threshold of 0 counts nothing', () => {
  const book = createHealthBook(() => undefined);
  for (let i = 0; i < 9; i++) book.report(NODE, 'tcp_failure', { ...LIMITS, tcp_failure: 0 });
  expect(book.of(NODE).state).toBe('healthy');
});
