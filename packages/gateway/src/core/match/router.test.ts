import fc from 'fast-check';
import { expect, test } from 'vitest';
import { locate } from '../locate.ts';
import { makeContext } from '../make-context.ts';
import { parseRoutePattern } from './route-pattern.ts';
import { createRouter, type RouteEntry, type RouterMode } from './router.ts';

interface Given {
  readonly id: string;
  readonly uri: string;
  readonly host?: string;
  readonly methods?: readonly string[];
  readonly priority?: number;
  readonly createdIndex?: number;
}

function entry(given: Given, hasParameters: boolean): RouteEntry<string> {
  const { id, uri, host, methods, priority = 0, createdIndex = 1 } = given;
  return {
    id,
    route: id,
    hosts: host === undefined ? [] : [host],
    patterns: [parseRoutePattern(uri, hasParameters)],
    priority,
    createdIndex,
    methods: methods === undefined ? undefined : new Set(methods),
    acceptsAddress: undefined,
    acceptsVariables: undefined,
  };
}

function routerOf(
  routes: readonly Given[],
  mode: RouterMode = 'host-first',
  hasParameters = false,
) {
  const router = createRouter<string>(mode);
  for (const route of routes) router.put(entry(route, hasParameters));
  return router;
}

function context(ask: string) {
  const [, method = '', host = '', target = ''] = /^(\S+) ([^/]*)(\/.*)$/.exec(ask) ?? [];
  const made = makeContext({ method, host, target });
  locate(made, {
    deletesTailSlash: false,
    isServletLike: false,
    keepsEncodedSlash: false,
    trusted: undefined,
    realIp: { from: undefined, field: 'x-real-ip', isRecursive: false },
  });
  return made;
}

const ROUTES: readonly Given[] = [
  { id: 'exact', uri: '/a' },
  { id: 'prefix', uri: '/a*', priority: 100 },
  { id: 'longer', uri: '/a/b/*' },
  { id: 'host', uri: '/h', host: 'foo.com' },
  { id: 'wild', uri: '/h', host: '*.foo.com' },
  { id: 'wilder', uri: '/h', host: '*.com' },
  { id: 'any', uri: '/h', priority: 9 },
  { id: 'get', uri: '/m', methods: ['GET'] },
  { id: 'other', uri: '/m', createdIndex: 2 },
  { id: 'low', uri: '/p', priority: 1 },
  { id: 'high', uri: '/p', priority: 2 },
  { id: 'young', uri: '/t', createdIndex: 8 },
  { id: 'old', uri: '/t', createdIndex: 7 },
  { id: 'middle', uri: '/v/*/x' },
];

test.each([
  { ask: 'GET x/a', want: 'exact' },
  { ask: 'GET x/ab', want: 'prefix' },
  { ask: 'GET x/a/b/c', want: 'longer' },
  { ask: 'GET x/a/b/', want: 'longer' },
  { ask: 'GET x/a/b', want: 'prefix' },
  { ask: 'GET FOO.com:80/h', want: 'host' },
  { ask: 'GET a.b.foo.com/h', want: 'wild' },
  { ask: 'GET bar.com/h', want: 'wilder' },
  { ask: 'GET x/h', want: 'any' },
  { ask: 'GET x/m', want: 'get' },
  { ask: 'POST x/m', want: 'other' },
  { ask: 'GET x/p', want: 'high' },
  { ask: 'GET x/t', want: 'old' },
  { ask: 'GET x/v/1/2/x', want: 'middle' },
  { ask: 'GET x/v/1/y', want: undefined },
  { ask: 'GET x/%61?q', want: 'exact' },
  { ask: 'GET x/z/../a', want: 'exact' },
  { ask: 'GET x//a', want: 'exact' },
])('$ask goes to $want', ({ ask, want }) => {
  expect(routerOf(ROUTES).match(context(ask))?.route).toBe(want);
});

test('parameters take one segment, a star takes the rest', () => {
  const router = routerOf([{ id: 'p', uri: '/u/:name/*rest' }], 'uri-first', true);
  const found = router.match(context('GET x/u/ann/a/b'));
  expect([...(found?.parameters ?? [])]).toEqual([
    ['name', 'ann'],
    ['rest', 'a/b'],
  ]);
  expect(router.match(context('GET x/u//a'))).toBeUndefined();
});

test('explain says of each route looked at why it does not match', () => {
  const router = routerOf([
    { id: 'post', uri: '/a', methods: ['POST'] },
    { id: 'star', uri: '/*' },
  ]);
  expect(router.explain(context('GET x/a'))).toEqual([
    { id: 'post', uri: '/a', rejection: 'method' },
    { id: 'star', uri: '/*', rejection: undefined },
  ]);
});

test('the same set of routes answers the same, in whatever order it came to be', () => {
  const asks = ['GET x/a', 'GET x/ab', 'GET q.foo.com/h', 'GET x/m', 'GET x/p', 'GET x/t'];
  const answers = (routes: readonly Given[]) => {
    const router = routerOf([...routes, { id: 'gone', uri: '/*', priority: 1_000 }]);
    router.remove('gone');
    return asks.map((ask) => router.match(context(ask))?.route);
  };
  const want = answers(ROUTES);
  const order = fc.shuffledSubarray([...ROUTES], { minLength: ROUTES.length });
  fc.assert(
    fc.property(order, (routes) => {
      expect(answers(routes)).toEqual(want);
    }),
    { seed: 5, numRuns: 100 },
  );
});
