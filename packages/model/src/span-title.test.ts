import { expect, test } from 'vitest';
import { titleOf } from './span-title.ts';

test.each([
  { method: 'GET', endpoint: '/orders/*', path: '/orders/7', title: 'GET /orders/*' },
  { method: 'GET', endpoint: '', path: '/orders/7', title: 'GET /orders/7' },
  { method: 'GET', endpoint: 'GET /orders/{id}', path: '/orders/7', title: 'GET /orders/{id}' },
  { method: 'POST', endpoint: 'POST', path: '/orders', title: 'POST /orders' },
  { method: 'GET', endpoint: 'GETTING', path: '', title: 'GET GETTING' },
  { method: '', endpoint: 'charge', path: '', title: 'charge' },
])('$title says once what was asked for', ({ title, ...named }) => {
  expect(titleOf(named)).toBe(title);
});
