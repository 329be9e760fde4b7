// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { echo } from './echo.ts';
import { redirect } from './redirect.ts';
import { createUuidV7, ksuid, requestId } from './request-id.ts';
import { filteredBody } from './testing/filtered-body.ts';
import { answered, onBench, request } from './testing/plugin-bench.ts';

test.each([
  { conf: { uri: '/new/$arg_a' }, want: '/new/b' },
  { conf: { uri: 'http://$host/x?y', append_query_string: true }, want: 'http://api.test/x?y&a=b' },
  { conf: { regex_uri: ['^/orders/(.*)', '/o/${1}'] }, want: '/o/1' },
  { conf: { regex_uri: ['^/no', '/o'] }, want: undefined },
  { conf: { http_to_https: true }, want: 'https://api.test:9443/orders/1?a=b' },
])('redirect $conf sends to $want', async ({ conf, want }) => {
  const given = onBench(redirect, conf);
  const { handlers } = onBench(redirect, conf, {
    facts: { ...given.environment.facts, httpsPorts: [9443] },
  });
  const answer = await handlers.rewrite?.(request());
  expect(answer?.headers?.['Location']).toBe(want);
});

test('echo puts its text around, once, however the body is cut', () => {
  const { handlers } = onBench(echo, { before_body: '<', after_body: '>' });
  const pieces = ['a', 'b'].map((text) => Buffer.from(text));
  expect(filteredBody(handlers, answered(request(), 200), pieces).toString()).toBe('<ab>');
});

test('uuids of version 7 only grow, whatever the clock does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 50 }),
      (clock) => {
        const next = createUuidV7();
        const ids = clock.map((tick) => next(1_700_000_000_000 + tick));
        expect(ids.toSorted()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids[0]).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
      },
    ),
    { seed: 24 },
  );
});

test('ksuids have 27 digits and begin with their second', () => {
  expect(ksuid(1_700_000_000_000)).toMatch(/^[\dA-Za-z]{27}$/);
  expect(ksuid(1_800_000_000_000) > ksuid(1_700_000_000_000)).toBe(true);
});

test("a client's own request id is kept, and shown once", async () => {
  const { handlers } = onBench(requestId, {});
  const context = request({ headers: { 'X-Request-Id': 'mine' } });
  await handlers.rewrite?.(context);
  handlers.header_filter?.(answered(context, 200));
  expect(context.response?.fields.all('x-request-id')).toEqual(['mine']);
  expect(context.variable('apisix_request_id')).toBe('mine');
});
