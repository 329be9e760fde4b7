import { expect, test } from 'vitest';
import { createFixedWindow } from './fixed-window.ts';

test('a window lets its quota through and opens again when it is over', () => {
  const window = createFixedWindow({ keysMax: 10 });
  const take = (nowMs: number) => window.take('a', { limit: 2, windowMs: 1_000, nowMs });
  expect([take(0), take(100), take(200), take(1_000)]).toEqual([
    { isAllowed: true, remaining: 1, resetMs: 1_000 },
    { isAllowed: true, remaining: 0, resetMs: 900 },
    { isAllowed: false, remaining: 0, resetMs: 800 },
    { isAllowed: true, remaining: 1, resetMs: 1_000 },
  ]);
});

test('past its keys it forgets the oldest and counts that', () => {
  const window = createFixedWindow({ keysMax: 2 });
  const ask = { limit: 1, windowMs: 1_000, nowMs: 0 };
  for (const key of ['a', 'b', 'c']) window.take(key, ask);
  expect(window.take('c', ask).isAllowed).toBe(false);
  expect(window.take('a', ask).isAllowed).toBe(true);
  expect(window.forgotten()).toBe(2);
});
