import { expect, test } from 'vitest';
import type { PluginConf } from '../core/objects.ts';
import { consumerRestriction } from './consumer-restriction.ts';
import { cors } from './cors.ts';
import { csrf } from './csrf.ts';
import { ipRestriction } from './ip-restriction.ts';
import type { Plugin } from './plugin.ts';
import { parseAddress, realIp } from './real-ip.ts';
import { refererRestriction } from './referer-restriction.ts';
import { answered, onBench, request } from './testing/plugin-bench.ts';
import { uaRestriction } from './ua-restriction.ts';
import { uriBlocker } from './uri-blocker.ts';

interface Case {
  readonly plugin: Plugin;
  readonly conf: PluginConf;
  readonly headers?: Readonly<Record<string, string>>;
  readonly target?: string;
  /** Undefined: it passes. */
  readonly want: number | undefined;
}

const HOSTS = ['yy.com', '*.xx.com'];

test.each<Case>([
  { plugin: ipRestriction, conf: { whitelist: ['127.0.0.0/8'] }, want: undefined },
  { plugin: ipRestriction, conf: { whitelist: ['10.0.0.1'] }, want: 403 },
  { plugin: ipRestriction, conf: { blacklist: ['127.0.0.1'], response_code: 404 }, want: 404 },
  {
    plugin: uaRestriction,
    conf: { denylist: ['bot\\d'] },
    headers: { 'User-Agent': 'bot1' },
    want: 403,
  },
  { plugin: uaRestriction, conf: { denylist: ['bot'] }, want: 403 },
  { plugin: uaRestriction, conf: { denylist: ['bot'], bypass_missing: true }, want: undefined },
  {
    plugin: uaRestriction,
    conf: { allowlist: ['bot'] },
    headers: { 'User-Agent': 'cat' },
    want: 403,
  },
  {
    plugin: refererRestriction,
    conf: { whitelist: HOSTS },
    headers: { Referer: 'http://yy.com/a' },
    want: undefined,
  },
  {
    plugin: refererRestriction,
    conf: { whitelist: HOSTS },
    headers: { Referer: 'http://yy.com@evil.com/' },
    want: 403,
  },
  {
    plugin: refererRestriction,
    conf: { whitelist: HOSTS },
    headers: { Referer: 'https://evil.com/.xx.com' },
    want: 403,
  },
  {
    plugin: refererRestriction,
    conf: { blacklist: HOSTS },
    headers: { Referer: 'https://A.XX.com:8' },
    want: 403,
  },
  {
    plugin: refererRestriction,
    conf: { whitelist: HOSTS },
    headers: { Referer: 'yy.com' },
    want: 403,
  },
  { plugin: uriBlocker, conf: { block_rules: ['root\\.exe'] }, target: '/root%2eexe', want: 403 },
  { plugin: uriBlocker, conf: { block_rules: ['a=1$'] }, target: '/x?a=1', want: 403 },
  {
    plugin: uriBlocker,
    conf: { block_rules: ['A'], case_insensitive: true },
    target: '/a',
    want: 403,
  },
  { plugin: uriBlocker, conf: { block_rules: ['A'] }, target: '/a', want: undefined },
])(
  '$plugin.name $conf on $target $headers: $want',
  async ({ plugin, conf, headers, target, want }) => {
    const given = { ...(headers && { headers }), ...(target !== undefined && { target }) };
    const { handlers } = onBench(plugin, conf);
    const answer = await (handlers.access ?? handlers.rewrite)?.(request(given));
    expect(answer?.status).toBe(want);
  },
);

test.each([
  { conf: { whitelist: ['jack'] }, want: undefined },
  { conf: { whitelist: ['jane'] }, want: 403 },
  { conf: { blacklist: ['jack'], whitelist: ['jack'] }, want: 403 },
  { conf: { allowed_by_methods: [{ user: 'jack', methods: ['POST'] }] }, want: 403 },
  { conf: { allowed_by_methods: [{ user: 'jane', methods: ['POST'] }] }, want: undefined },
  { conf: { type: 'consumer_group_id', whitelist: ['g'] }, want: 401 },
])('consumer-restriction $conf on GET by jack: $want', async ({ conf, want }) => {
  const context = request();
  const consumer = { username: 'jack', groupId: undefined, labels: {}, plugins: {} };
  context.attachConsumer({ consumer, credentialId: undefined, conf: {} });
  const answer = await onBench(consumerRestriction, conf).handlers.access?.(context);
  expect(answer?.status).toBe(want);
});

test.each([
  {
    plugin: uaRestriction,
    name: 'User-Agent',
    conf: { denylist: ['bot'] },
    values: ['cat', 'bot'],
  },
  {
    plugin: uaRestriction,
    name: 'User-Agent',
    conf: { allowlist: ['cat'] },
    values: ['cat', 'bot'],
  },
  {
    plugin: refererRestriction,
    name: 'Referer',
    conf: { blacklist: HOSTS },
    values: ['http://a.com/', 'http://yy.com/'],
  },
])('a second $name does not hide behind the first one', async ({ plugin, name, conf, values }) => {
  const { handlers } = onBench(plugin, conf);
  const context = request();
  for (const value of values) context.headers.add(name, value);
  expect((await handlers.access?.(context))?.status).toBe(403);
});

test('a csrf token lets through what sends it twice, until it is old or changed', async () => {
  let nowMs = 1_700_000_000_000;
  const { handlers } = onBench(csrf, { key: 'k', expires: 60 }, { now: () => nowMs });
  const page = answered(request(), 200);
  handlers.header_filter?.(page);
  const token = /^apisix-csrf-token=([^;]+);/.exec(
    page.response?.fields.get('set-cookie') ?? '',
  )?.[1];
  const post = async (field: string, cookie: string) =>
    (
      await handlers.access?.(
        request({
          method: 'POST',
          headers: { 'apisix-csrf-token': field, Cookie: `apisix-csrf-token=${cookie}` },
        }),
      )
    )?.body;
  expect(await post(`${token}`, `${token}`)).toBeUndefined();
  expect(await post(`${token}`, 'x')).toEqual({ error_msg: 'csrf token mismatch' });
  const wrong = { error_msg: 'Failed to verify the csrf token signature' };
  const changed = Buffer.from('{"random":0.1,"expires":99999999999,"sign":"a"}').toString('base64');
  expect(await post(changed, changed)).toEqual(wrong);
  nowMs += 61_000;
  expect(await post(`${token}`, `${token}`)).toEqual(wrong);
});

test.each([
  { conf: {}, origin: 'http://a', want: '*', vary: undefined },
  { conf: { allow_origins: '**' }, origin: 'http://a', want: 'http://a', vary: 'Origin' },
  {
    conf: { allow_origins: 'http://a,http://b' },
    origin: 'http://b',
    want: 'http://b',
    vary: 'Origin',
  },
  { conf: { allow_origins: 'http://a' }, origin: 'http://c', want: undefined, vary: 'Origin' },
  {
    conf: { allow_origins: 'http://a', allow_origins_by_regex: ['^http://c$'] },
    origin: 'http://c',
    want: 'http://c',
    vary: 'Origin',
  },
  {
    conf: { allow_origins: 'http://a', allow_origins_by_metadata: ['m'] },
    origin: 'http://m',
    want: 'http://m',
    vary: 'Origin',
  },
])('cors $conf answers $origin with $want', async ({ conf, origin, want, vary }) => {
  const metadata = () => ({ allow_origins: { m: 'http://m' } });
  const { handlers } = onBench(cors, conf, { metadata });
  const context = request({ headers: { Origin: origin } });
  await handlers.rewrite?.(context);
  handlers.header_filter?.(answered(context, 200));
  expect(context.response?.fields.get('access-control-allow-origin')).toBe(want);
  expect(context.response?.fields.get('vary')).toBe(vary);
});

test.each([
  { text: '1.2.3.4', want: { ip: '1.2.3.4', port: undefined } },
  { text: '1.2.3.4:80', want: { ip: '1.2.3.4', port: 80 } },
  { text: '::1', want: { ip: '::1', port: undefined } },
  { text: '[::1]:80', want: { ip: '::1', port: 80 } },
  { text: '[::1]', want: { ip: '::1', port: undefined } },
  { text: '1.2.3.4:65536', want: undefined },
  { text: '1.2.3.4.5', want: undefined },
  { text: 'localhost', want: undefined },
  { text: '', want: undefined },
])('the address $text is $want', ({ text, want }) => {
  expect(parseAddress(text)).toEqual(want);
});

test.each([
  { conf: {}, want: '9.9.9.9' },
  { conf: { trusted_addresses: ['10.0.0.0/8'] }, want: '127.0.0.1' },
  { conf: { trusted_addresses: ['127.0.0.1', '9.0.0.0/8'], recursive: true }, want: '1.1.1.1' },
])('real-ip $conf takes $want', async ({ conf, want }) => {
  const context = request();
  context.headers.set('X-Forwarded-For', '5.5.5.5, 1.1.1.1, 9.9.9.9');
  const { handlers } = onBench(realIp, { source: 'http_x_forwarded_for', ...conf });
  await handlers.rewrite?.(context);
  expect(context.clientIp).toBe(want);
});
