import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostName, parseTarget } from './target.ts';

test.each([
  { target: '/a/b?c=d', want: { path: '/a/b', rawPath: '/a/b', query: 'c=d' } },
  { target: '/%61//b/./c/../d', want: { path: '/a/b/d', rawPath: '/%61//b/./c/../d', query: '' } },
  { target: '/a/..', want: { path: '/' } },
  { target: '/a%2Fb', want: { path: '/a/b', rawPath: '/a%2Fb' } },
  { target: 'http://h:1/x?y', want: { path: '/x', query: 'y', authority: 'h:1' } },
  { target: '*', want: { path: '*' } },
  { target: '/../a', want: undefined },
  { target: '/%2e%2e/a', want: undefined },
  { target: '/%zz', want: undefined },
  { target: '/%00', want: undefined },
  { target: 'a', want: undefined },
])('$target', ({ target, want }) => {
  if (want === undefined) expect(parseTarget(target)).toBeUndefined();
  else expect(parseTarget(target)).toMatchObject(want);
});

test('an encoded slash stays one where it is kept', () => {
  expect(parseTarget('/a%2fb%20c', true)).toMatchObject({
    path: '/a%2fb c',
    rawPath: '/a%2fb%20c',
  });
});

test('a path never climbs out of the root', () => {
  const part = fc.constantFrom('.', '..', '%2e', '%2E%2e', '/', '%2f', 'a', '%25', '//');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const path = parseTarget(`/${parts.join('')}`)?.path ?? '/';
      expect(path.split('/').some((segment) => segment === '..' || segment === '.')).toBe(false);
    }),
    { seed: 5 },
  );
});

test.each([
  { host: 'A.b:80', want: 'a.b' },
  { host: '[::1]:80', want: '[::1]' },
  { host: '', want: '' },
])('the name of $host is $want', ({ host, want }) => {
  expect(hostName(host)).toBe(want);
});
