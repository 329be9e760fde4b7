import { expect, test } from 'vitest';
import { nginxConfig } from './nginx-config.ts';
import { isOwnerAlive, runIdIn, runIdOf, runPrefix } from './run-id.ts';
import { expectedSpans, shopRequest } from './shop.ts';

test('a day at the shop is the same each time, and most of it passes both services', () => {
  const day = Array.from({ length: 200 }, (_, index) => shopRequest(index));
  const count = (spans: number): number =>
    day.filter(({ path }) => expectedSpans(path) === spans).length;
  expect({ gateway: count(2), orders: count(4), stock: count(6) }).toEqual({
    gateway: 10,
    orders: 10,
    stock: 180,
  });
  expect(day.map((_, index) => shopRequest(index))).toEqual(day);
});

test('a run is told by its names, and nobody else is taken for one', () => {
  const own = runIdOf(process.pid);
  expect(runIdIn(`${runPrefix(own)}-gateway`)).toBe(own);
  expect(isOwnerAlive(own)).toBe(true);
  expect(isOwnerAlive(`${process.pid}x1`)).toBe(false);
  expect(['thalweg', 'thalweg-a-gateway', 'x-thalweg-1x2-lan', 'thalweg-1x2'].map(runIdIn)).toEqual(
    [undefined, undefined, undefined, undefined],
  );
});

test('upstream connections are kept or closed as asked', () => {
  const options = { folder: '/f', address: '10.77.0.2', port: 8080, upstream: '10.77.0.3:7001' };
  expect(nginxConfig({ ...options, keepalive: 8 })).toContain('keepalive 8;');
  expect(nginxConfig({ ...options, keepalive: 0 })).toContain('Connection close');
});
