import { expect, test } from 'vitest';
import { endpointOf } from './endpoint.ts';

test.each([
  { path: '/', want: '/' },
  { path: '/query?1590632942', want: '/query' },
  { path: '/a/b/c?x=/y', want: '/a/b' },
  { path: '/a/b', want: '/a/b' },
  { path: '/a/', want: '/a' },
  { path: '/a/b#/c', want: '/a/b' },
  { path: '/a/.', want: '/a' },
  { path: '/.a/..', want: '/.a/..' },
  { path: '//a/./b//c', want: '/a/b' },
  { path: '*', want: '/*' },
  { path: '', want: '/' },
])('$path belongs to $want', ({ path, want }) => {
  expect(endpointOf(path)).toBe(want);
});
