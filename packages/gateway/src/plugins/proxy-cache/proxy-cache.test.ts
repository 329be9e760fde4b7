import { expect, test } from 'vitest';
import { answered, type BenchRequest, onBench, request } from '../testing/plugin-bench.ts';
import { readDirectives, secondsOf } from './cache-control.ts';
import { createMemoryCache } from './memory-cache.ts';
import { proxyCache } from './proxy-cache.ts';

interface Exchange extends BenchRequest {
  readonly status?: number;
  readonly answer?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function cached(conf: object = {}) {
  let nowMs = 1_000_000;
  const given = { cache_key: ['$host', '$uri'], cache_ttl: 10, ...conf };
  const { handlers } = onBench(proxyCache, given, { now: () => nowMs });

  /** The cache's word on a request, and what it gave if it did; else the upstream is asked. */
  async function exchange({ status = 200, answer = {}, body = 'hello', ...asked }: Exchange = {}) {
    const context = request(asked);
    const outcome = await handlers.access?.(context);
    if (outcome === undefined) answered(context, status, 'upstream', answer);
    else answered(context, outcome.status, 'apisix');
    handlers.header_filter?.(context);
    if (outcome === undefined) handlers.body_filter?.(context, Buffer.from(body), true);
    return {
      word: context.response?.fields.get('apisix-cache-status'),
      given: outcome?.body === undefined ? undefined : String(outcome.body),
      status: outcome?.status,
      age: outcome?.headers?.['Age'],
    };
  }
  return { exchange, pass: (ms: number) => (nowMs += ms) };
}

test('an answer is given again until its time is over', async () => {
  const { exchange, pass } = cached();
  expect((await exchange()).word).toBe('MISS');
  pass(3_000);
  expect(await exchange()).toEqual({ word: 'HIT', given: 'hello', status: 200, age: ['3'] });
  pass(8_000);
  expect((await exchange()).word).toBe('EXPIRED');
  expect((await exchange()).word).toBe('HIT');
});

test.each<{ name: string; conf?: object; first?: Exchange; second?: Exchange; want: string }>([
  { name: 'a status that is not listed', first: { status: 500 }, want: 'MISS' },
  { name: 'a cookie', first: { answer: { 'Set-Cookie': 'a=b' } }, want: 'MISS' },
  { name: 'what is private', first: { answer: { 'Cache-Control': 'private' } }, want: 'MISS' },
  { name: 'what varies with everything', first: { answer: { Vary: '*' } }, want: 'MISS' },
  { name: 'a variable of no_cache', conf: { no_cache: ['$arg_a'] }, want: 'MISS' },
  { name: 'a body above the bound', conf: { max_resp_body_size: 2 }, want: 'MISS' },
  { name: 'an answer to HEAD', first: { method: 'HEAD' }, want: 'MISS' },
  { name: 'another host', second: { host: 'other.test' }, want: 'MISS' },
  { name: 'a variable of cache_bypass', conf: { cache_bypass: ['$arg_a'] }, want: 'BYPASS' },
  {
    name: 'another value of a field that the answer varies with',
    first: { answer: { Vary: 'Accept-Language' }, headers: { 'Accept-Language': 'en' } },
    second: { headers: { 'Accept-Language': 'fr' } },
    want: 'MISS',
  },
  {
    name: 'a request that wants nothing stored',
    conf: { cache_control: true },
    second: { headers: { 'Cache-Control': 'no-store' } },
    want: 'BYPASS',
  },
  {
    name: 'a request that wants it fresher',
    conf: { cache_control: true },
    second: { headers: { 'Cache-Control': 'min-fresh=60' } },
    want: 'STALE',
  },
])('not from the cache: $name', async ({ conf = {}, first = {}, second = {}, want }) => {
  const { exchange } = cached(conf);
  await exchange(first);
  expect((await exchange(second)).word).toBe(want);
});

test('the same value of a varying field is a hit, and PURGE forgets all variants', async () => {
  const { exchange } = cached();
  const asked = (language: string): Exchange => ({
    answer: { Vary: 'Accept-Language' },
    headers: { 'Accept-Language': language },
    body: language,
  });
  for (const language of ['en', 'fr']) await exchange(asked(language));
  expect((await exchange(asked('en'))).given).toBe('en');
  expect((await exchange({ method: 'PURGE' })).status).toBe(200);
  expect((await exchange({ method: 'PURGE' })).status).toBe(404);
  expect((await exchange(asked('fr'))).word).toBe('MISS');
});

test('only-if-cached without an answer is 504', async () => {
  const { exchange } = cached({ cache_control: true });
  expect((await exchange({ headers: { 'Cache-Control': 'only-if-cached' } })).status).toBe(504);
});

test('a cache never holds more than it may: the oldest keys make room', () => {
  const cache = createMemoryCache({ bytesMax: 3_000 });
  const answer = (size: number) => ({
    status: 200,
    fields: [],
    body: Buffer.alloc(size),
    storedMs: 0,
    ttlMs: 1,
  });
  const none = () => undefined;
  for (const key of ['a', 'b', 'c']) expect(cache.store(key, [], none, answer(600))).toBe(true);
  expect([cache.find('a', none), cache.bytes() <= 3_000]).toEqual([undefined, true]);
  expect(cache.store('d', [], none, answer(3_000))).toBe(false);
  expect(cache.purge('c')).toBe(true);
});

test('directives are read with and without values', () => {
  const read = readDirectives('No-Cache, max-age=60 , s-maxage="x"');
  expect([read.has('no-cache'), secondsOf(read, 'max-age'), secondsOf(read, 's-maxage')]).toEqual([
    true,
    60,
    undefined,
  ]);
});
