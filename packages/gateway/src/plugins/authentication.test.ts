import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ConsumerBook } from '../core/consumer.ts';
import { basicAuth, userAndPassword } from './basic-auth.ts';
import { hmacAuth } from './hmac-auth.ts';
import { jwtAuth } from './jwt-auth.ts';
import { keyAuth } from './key-auth.ts';
import { multiAuth } from './multi-auth.ts';
import { onBench, request } from './testing/plugin-bench.ts';

const CONFS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'basic-auth': { username: 'foo', password: 'b:r' },
  'jwt-auth': { key: 'k', secret: 'my-secret' },
  'hmac-auth': { key_id: 'k', secret_key: 'my-secret' },
  'key-auth': { key: 'one' },
};
const consumer = { username: 'jack', groupId: undefined, labels: {}, plugins: {} };
const consumers: ConsumerBook = {
  byName: (name) =>
    name === 'jack' || name === 'anyone' ? { ...consumer, username: name } : undefined,
  find(plugin, field, value) {
    const conf = CONFS[plugin];
    return conf?.[field] === value && conf !== undefined
      ? { consumer, credentialId: undefined, conf }
      : undefined;
  },
};
const NOW_MS = 1_700_000_000_000;
const PARTS = { consumers, now: () => NOW_MS };
const basic = (text: string) => ({
  Authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});

function token(claims: object, secret = 'my-secret'): string {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function signature(lines: readonly string[], headers: string, secret = 'my-secret'): string {
  const made = createHmac('sha256', secret)
    .update(['k', ...lines, ''].join('\n'))
    .digest('base64');
  return `Signature keyId="k",algorithm="hmac-sha256",headers="${headers}",signature="${made}"`;
}

const date = new Date(NOW_MS).toUTCString();
const line = 'GET /orders/1?a=b';
const late = new Date(NOW_MS - 400_000).toUTCString();

test.each([
  { plugin: basicAuth, headers: {}, want: 'Missing authorization in request' },
  {
    plugin: basicAuth,
    headers: { Authorization: 'Basic a_b' },
    want: 'Invalid authorization in request',
  },
  { plugin: basicAuth, headers: basic('foo:no'), want: 'Invalid user authorization' },
  { plugin: basicAuth, headers: basic('who:b:r'), want: 'Invalid user authorization' },
  { plugin: basicAuth, headers: basic('foo:b:r'), want: 'jack' },
  { plugin: jwtAuth, headers: {}, want: 'Missing JWT token in request' },
  { plugin: jwtAuth, headers: { Authorization: 'Bearer x' }, want: 'JWT token invalid' },
  { plugin: jwtAuth, headers: { Authorization: token({}) }, want: 'missing user key in JWT token' },
  {
    plugin: jwtAuth,
    headers: { Authorization: token({ key: 'z' }) },
    want: 'Invalid user key in JWT token',
  },
  {
    plugin: jwtAuth,
    headers: { Authorization: token({ key: 'k' }, 'other') },
    want: 'failed to verify jwt',
  },
  {
    plugin: jwtAuth,
    headers: { Authorization: token({ key: 'k', exp: 9 }) },
    want: 'failed to verify jwt',
  },
  { plugin: jwtAuth, headers: { Authorization: `bearer ${token({ key: 'k' })}` }, want: 'jack' },
  { plugin: jwtAuth, headers: { Cookie: `a=b; jwt=${token({ key: 'k' })}` }, want: 'jack' },
  {
    plugin: hmacAuth,
    headers: {},
    want: "client request can't be validated: missing Authorization header",
  },
  {
    plugin: hmacAuth,
    headers: { Date: date, Authorization: signature([`date: ${date}`], 'date') },
    want: 'jack',
  },
  {
    plugin: hmacAuth,
    headers: {
      Date: date,
      Authorization: signature([line, `date: ${date}`], '@request-target date'),
    },
    want: 'jack',
  },
  {
    plugin: hmacAuth,
    headers: { Date: date, Authorization: signature([line], '@request-target') },
    want: "client request can't be validated",
  },
  {
    plugin: hmacAuth,
    headers: { Date: late, Authorization: signature([`date: ${late}`], 'date') },
    want: "client request can't be validated",
  },
  {
    plugin: hmacAuth,
    headers: { Date: date, Authorization: signature([`date: ${date}`], 'date', '-') },
    want: "client request can't be validated",
  },
])('$plugin.name on $headers says $want', async ({ plugin, headers, want }) => {
  const context = request({ headers });
  const answer = await onBench(plugin, {}, PARTS).handlers.rewrite?.(context);
  const said = answer === undefined ? context.consumer?.username : answer.body;
  expect(said).toEqual(answer === undefined ? want : { message: want });
});

test('who is unknown comes in as the anonymous consumer, and never as one that is not there', async () => {
  for (const [name, want] of [
    ['anyone', undefined],
    ['nobody', 401],
  ] as const) {
    const { handlers } = onBench(basicAuth, { anonymous_consumer: name }, PARTS);
    expect((await handlers.rewrite?.(request()))?.status).toBe(want);
  }
});

test('hidden credentials do not reach the upstream', async () => {
  const context = request({ target: `/a?x=1&jwt=${token({ key: 'k' })}&y=2` });
  await onBench(jwtAuth, { hide_credentials: true }, PARTS).handlers.rewrite?.(context);
  expect(context.query).toBe('x=1&y=2');
});

test('multi-auth takes the first that lets in, else answers for all', async () => {
  const auth_plugins = [{ 'basic-auth': {} }, { 'key-auth': {} }];
  const plugin = (name: string) =>
    onBench(name === 'basic-auth' ? basicAuth : keyAuth, {}, PARTS).handlers;
  const { handlers } = onBench(multiAuth, { auth_plugins }, { ...PARTS, plugin });
  const known = request({ headers: { apikey: 'one' } });
  expect(await handlers.rewrite?.(known)).toBeUndefined();
  expect(known.consumer?.username).toBe('jack');
  expect((await handlers.rewrite?.(request()))?.body).toEqual({ message: 'Authorization Failed' });
});

test.each([
  { conf: { key: 'k' }, fault: /"secret" is required/ },
  { conf: { key: 'k', algorithm: 'RS256', public_key: 'no' }, fault: /not a public key/ },
  { conf: { key: 'k', secret: '?', base64_secret: true }, fault: /not in base64/ },
  { conf: { key: 'k', secret: 'c2VjcmV0', base64_secret: true }, fault: undefined },
])('a consumer with $conf is judged', ({ conf, fault }) => {
  const found = jwtAuth.checkConsumer(conf);
  if (fault === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(fault);
});

test('only whole base64 with a colon within is a user and a password', () => {
  expect(userAndPassword('bAsIc Zm9vOmI6cg==')).toEqual({ username: 'foo', password: 'b:r' });
  for (const field of ['Basic', 'Basic Zm9v', 'Basic Zm9v=OmI', 'Bearer Zm9vOmI6cg==']) {
    expect(userAndPassword(field)).toBeUndefined();
  }
});
