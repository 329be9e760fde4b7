// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { expect, test } from 'vitest';
import { locate } from '../core/locate.ts';
import { makeContext } from '../core/make-context.ts';
import type { PluginEnvironment } from './plugin.ts';
import { proxyRewrite } from './proxy-rewrite.ts';

/** Rewriting asks nothing of its environment. */
const ENVIRONMENT = {} as PluginEnvironment;

async function rewritten(conf: object, target: string) {
  const context = makeContext({ method: 'GET', host: 'x', target });
  locate(context, {
    deletesTailSlash: false,
    isServletLike: false,
    keepsEncodedSlash: false,
    trusted: undefined,
    realIp: { from: undefined, field: 'x-real-ip', isRecursive: false },
  });
  const filled = { use_real_request_uri_unsafe: false, ...conf };
  await proxyRewrite.create(filled, ENVIRONMENT).rewrite?.(context);
  return context;
}

test.each([
  { conf: { uri: '/new' }, target: '/old?a=1', want: '/new?a=1' },
  { conf: { uri: '/new?b=2' }, target: '/old?a=1', want: '/new?b=2&a=1' },
  { conf: { uri: '/$arg_a' }, target: '/old?a=x', want: '/x?a=x' },
  { conf: { regex_uri: ['^/v1/(.*)', '/$1'] }, target: '/v1/a/b', want: '/a/b' },
  { conf: { regex_uri: ['^/no', '/x', '^/v(\\d)', '/n$1'] }, target: '/v2', want: '/n2' },
  { conf: { regex_uri: ['^/no', '/x'] }, target: '/same?q', want: '/same?q' },
  { conf: { uri: '/x$uri' }, target: '/a%3fb=1?c', want: '/x/a%253Fb=1?c' },
  { conf: { regex_uri: ['^/a(.*)', '/x$1'] }, target: '/a%3fb=1?c', want: '/x%3Fb=1?c' },
  { conf: { regex_uri: ['^/a(.*)', '/x?p=$1'] }, target: '/ab', want: '/x?p=b' },
  { conf: { host: 'y' }, target: '/a%3fb%20c', want: '/a%3Fb%20c' },
  { conf: { host: 'y' }, target: '/a%0d%0aHost:z', want: '/a%0D%0AHost:z' },
  { conf: { use_real_request_uri_unsafe: true }, target: '/%61', want: '/%61' },
])('$conf makes $want of $target', async ({ conf, target, want }) => {
  expect((await rewritten(conf, target)).upstreamUri).toBe(want);
});

test('headers are added, set and removed, with what a rule captured', async () => {
  const headers = { add: { 'X-A': '$1' }, set: { 'X-B': '${arg_q}' }, remove: ['Host'] };
  const { headers: fields } = await rewritten({ regex_uri: ['^/(.)', '/'], headers }, '/z?q=1');
  expect([fields.get('x-a'), fields.get('x-b'), fields.has('host')]).toEqual(['z', '1', false]);
});
