import { expect, test } from 'vitest';
import { servletPath } from './servlet-path.ts';

test.each([
  { path: '/hello/world', want: '/hello/world' },
  { path: '/hello;world', want: '/hello' },
  { path: '/hello;a=b/world;a/;', want: '/hello/world/' },
  { path: '/;/a', want: undefined },
  { path: '/b/;/c', want: undefined },
  { path: '/.;', want: undefined },
  { path: '/a/..;v=1/b', want: undefined },
])('$path is matched as $want', ({ path, want }) => {
  expect(servletPath(path)).toBe(want);
});
