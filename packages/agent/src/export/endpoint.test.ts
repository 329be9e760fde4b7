import { expect, test } from 'vitest';
import { endpointOf } from './endpoint.ts';

test.each([
  { path: '/', want: '/' },
  { path: '/query?1590632942', want: '/query' },
  { path: '/a/b/c?x=/y', want: '/a/b' },
  { path: '//a/./b//c', want: '/a/b' },
  { path: '*', want: '/*' },
])('$path belongs to $want', ({ path, want }) => {
  expect(endpointOf(path)).toBe(want);
});
