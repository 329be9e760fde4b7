// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { RequestContext } from '../core/request-context.ts';
import { echo } from './echo.ts';
import { forwardAuth } from './forward-auth.ts';
import { plainSchema, schemaFault } from './given-schema.ts';
import { redirect } from './redirect.ts';
import { createUuidV7, ksuid, requestId } from './request-id.ts';
import { requestValidation } from './request-validation.ts';
import { responseRewrite } from './response-rewrite.ts';
import { answered, onBench, request } from './testing/plugin-bench.ts';

function bodyOf(
  handlers: ReturnType<typeof onBench>['handlers'],
  context: RequestContext,
  pieces: readonly Buffer[],
) {
  const filter = handlers.body_filter ?? ((_context, bytes) => bytes);
  const sent = pieces.map((piece) => filter(context, piece, false));
  return Buffer.concat([...sent, filter(context, Buffer.alloc(0), true)]).toString();
}

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

test('any split of a body is filtered as a whole, packed or not', () => {
  const filters = [{ regex: '(\\w+)ö', scope: 'global', replace: '<$1>' }];
  const { handlers } = onBench(responseRewrite, { filters });
  const text = Buffer.from('aö bö c');
  for (const [body, fields] of [
    [text, {}],
    [gzipSync(text), { 'Content-Encoding': 'gzip' }],
  ] as const) {
    fc.assert(
      fc.property(fc.nat(body.length), (at) => {
        const context = answered(request(), 200, 'upstream', { ...fields, 'Content-Length': '9' });
        handlers.header_filter?.(context);
        expect(context.response?.fields.names).toEqual([]);
        const pieces = [body.subarray(0, at), body.subarray(at)];
        expect(bodyOf(handlers, context, pieces)).toBe('<a> <b> c');
      }),
      { seed: 23 },
    );
  }
});

test('an answer that vars do not name passes as it is', () => {
  const { handlers } = onBench(responseRewrite, { body: 'no', vars: [['status', '==', 500]] });
  const context = answered(request(), 200, 'upstream', { ETag: '"a"' });
  handlers.header_filter?.(context);
  expect(bodyOf(handlers, context, [Buffer.from('yes')])).toBe('yes');
  expect(context.response?.fields.has('etag')).toBe(true);
});

test('echo puts its text around, once, however the body is cut', () => {
  const { handlers } = onBench(echo, { before_body: '<', after_body: '>' });
  const pieces = ['a', 'b'].map((text) => Buffer.from(text));
  expect(bodyOf(handlers, answered(request(), 200), pieces)).toBe('<ab>');
});

test.each([
  { body: '{"n":1}', want: undefined, sent: '{"n":1,"d":3}' },
  { body: '{"n":"x","n":2}', want: undefined, sent: '{"n":2,"d":3}' },
  {
    body: '{"n":"x"}',
    want: 'property "n" validation failed: wrong type: expected integer, got string',
    sent: undefined,
  },
  { body: '{}', want: 'property "n" is required', sent: undefined },
  { body: '', want: 'the body is not there', sent: undefined },
])('the body $body is answered $want', async ({ body, want, sent }) => {
  const body_schema = {
    $schema: 'http://json-schema.org/draft-04/schema#',
    type: 'object',
    required: ['n'],
    properties: { n: { type: 'integer' }, d: { default: 3 } },
  };
  const context = request({ method: 'POST', headers: { 'Content-Type': 'application/json' } });
  context.body.replace(Buffer.from(body));
  const { handlers } = onBench(requestValidation, { body_schema });
  expect((await handlers.rewrite?.(context))?.body).toBe(want);
  if (sent !== undefined) expect(context.body.replacement()?.toString()).toBe(sent);
});

test('header schemas spell names in any case', async () => {
  const header_schema = { required: ['X-Team'], properties: { 'X-Team': { pattern: '^(a+)+$' } } };
  const { handlers } = onBench(requestValidation, { header_schema });
  const status = async (team: string) =>
    (await handlers.rewrite?.(request({ headers: { 'x-team': team } })))?.status;
  expect(await status('aa')).toBeUndefined();
  // The pattern would take for ever if it went back.
  expect(await status(`${'a'.repeat(5_000)}b`)).toBe(400);
});

test.each([
  { schema: { type: 'test' }, want: 'invalid JSON type: test' },
  { schema: { properties: { a: { enum: 'x' } } }, want: 'enum: table expected, got string' },
  { schema: { anyOf: [{ required: 'x' }] }, want: 'required: table expected, got string' },
  { schema: { type: 'table' }, want: undefined },
])('the schema $schema is $want', ({ schema, want }) => {
  expect(schemaFault(schema)).toBe(want);
});

test('exclusive bounds of draft 4 become those of draft 7', () => {
  const given = { minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false };
  expect(plainSchema(given)).toEqual({ exclusiveMinimum: 1, maximum: 9 });
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

test('forward-auth asks a real service, believes it, and is not fooled by the client', async () => {
  const asked: (string | undefined)[] = [];
  const service = createServer((incoming, response) => {
    asked.push(`${incoming.headers['x-forwarded-method']} ${incoming.headers['x-forwarded-uri']}`);
    if (incoming.headers['authorization'] === 'slow') return;
    const isKnown = incoming.headers['authorization'] === 'yes';
    response.writeHead(
      isKnown ? 200 : 302,
      isKnown ? { 'X-User': 'jack' } : { Location: '/login' },
    );
    response.end('go');
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    service.closeAllConnections();
    service.close();
  });
  const uri = `http://127.0.0.1:${(service.address() as AddressInfo).port}/auth`;
  const conf = {
    uri,
    timeout: 200,
    request_headers: ['Authorization'],
    upstream_headers: ['X-User', 'X-Role'],
    client_headers: ['Location'],
  };
  const { handlers } = onBench(forwardAuth, conf);
  const known = request({ headers: { Authorization: 'yes', 'X-User': 'root', 'X-Role': 'admin' } });
  expect(await handlers.access?.(known)).toBeUndefined();
  expect([known.headers.get('x-user'), known.headers.has('x-role')]).toEqual(['jack', false]);
  const refused = await handlers.access?.(request());
  expect([refused?.status, refused?.headers]).toEqual([302, { Location: '/login' }]);
  const slow = await handlers.access?.(request({ headers: { Authorization: 'slow' } }));
  expect(slow?.status).toBe(403);
  expect(asked[0]).toBe('GET /orders/1?a=b');
  await handlers.close?.();
});
