import type { Span, TraceAnswer } from '@thalweg/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateTraceql } from './evaluate.ts';
import { parseTraceql } from './parse.ts';
import { TraceqlError } from './tokens.ts';
import { viewTrace } from './trace-view.ts';

const span = (spanId: string, parentId: string | null, rest: Partial<Span> = {}): Span => ({
  spanId,
  parentId,
  wireId: '0',
  signal: 'S',
  observationPoint: 's-p',
  service: '',
  processName: '',
  pid: 0,
  hostName: '',
  startUs: 0,
  endUs: 10_000,
  protocol: 'HTTP',
  method: 'GET',
  host: '',
  path: '/',
  endpoint: '/',
  status: 200,
  isError: false,
  isAnswered: true,
  isLossy: false,
  link: null,
  fields: {},
  ...rest,
});

const named = (service: string, more: Record<string, string> = {}): Partial<Span> => ({
  service,
  fields: { app_service: service, request_type: 'GET', response_code: '200', ...more },
});

/** client(1) → gateway(2) → { orders(3) → stock(4, error), users(5) } */
const trace: TraceAnswer = {
  traceId: '77',
  startUs: 0,
  endUs: 10_000,
  isTruncated: false,
  expectedWrongLinks: 0,
  spans: [
    span('1', null, { ...named('client'), observationPoint: 'c-p' }),
    span('2', '1', named('gateway', { 'http.request.header.x-tier': 'gold' })),
    span('3', '2', { ...named('orders'), endUs: 6_000, method: 'POST', endpoint: '/orders' }),
    span('4', '3', {
      ...named('stock', { response_code: '503' }),
      endUs: 2_000,
      isError: true,
      status: 503,
    }),
    span('5', '2', { ...named('users'), endUs: 1_500 }),
  ],
};
const view = viewTrace(trace);

const withParts: TraceAnswer = {
  ...trace,
  spans: [
    span('1', null, {
      fields: {
        events:
          '[{"time_unix_nano":"2000000","name":"retry","attributes":{"n":1}},{"time_unix_nano":"5000000","name":"exception","attributes":{"exception.type":"Timeout","n":3}}]',
        links: '[{"trace_id":"0af7","span_id":"b7ad","attributes":{"kind":"follows"}}]',
        scope: '{"name":"http","version":"1.2.0","attributes":{"language":"js"}}',
      },
    }),
    span('2', '1', { fields: { events: '[{"time_unix_nano":"1","name":"retry"}]' } }),
    span('3', '2'),
  ],
};

test.each([
  ['{ event:name = "exception" }', '1'],
  ['{ event:name = "retry" }', '1 2'],
  ['{ event:name != "retry" }', ''],
  ['{ event:name =~ "ex.*" }', '1'],
  ['{ event:name !~ "ex.*" }', '2'],
  ['{ event:name = nil }', '3'],
  ['{ event.name = "exception" }', '1'],
  ['{ event.exception.type = "Timeout" }', '1'],
  ['{ event.n = 3 }', '1'],
  ['{ event.n > 1 && event.n < 2 }', '1'],
  ['{ event.n != nil }', '1'],
  ['{ event:timeSinceStart > 3ms }', '1'],
  ['{ event:timeSinceStart <= 1ns }', '2'],
  ['{ link:traceID = "0af7" && link:spanID = "b7ad" }', '1'],
  ['{ link.traceID = "0af7" }', '1'],
  ['{ link.kind = "follows" }', '1'],
  ['{ instrumentation:name = "http" && instrumentation:version =~ "1.*" }', '1'],
  ['{ instrumentation.language = "js" }', '1'],
  ['{ instrumentation:name = nil }', '2 3'],
  ['{ parent.event:name = "exception" }', '2'],
  ['{ duration < maxInt && duration > minInt } with (most_recent=true, sample=0.5)', '1 2 3'],
])('of events, links and scopes %s finds %j', (query, want) => {
  const sets = evaluateTraceql(parseTraceql(query), viewTrace(withParts));
  expect(sets.map(({ spans }) => spans.map((one) => one.span.spanId).join(' ')).join(' | ')).toBe(
    want,
  );
});

const found = (query: string): string =>
  evaluateTraceql(parseTraceql(query), view)
    .map(({ spans }) => spans.map((one) => one.span.spanId).join(' '))
    .join(' | ');

test.each([
  ['{ }', '1 2 3 4 5'],
  ['{ true }', '1 2 3 4 5'],
  ['{ resource.service.name = "stock" }', '4'],
  ['{ .service.name != "stock" }', '1 2 3 5'],
  ['{ .service.name =~ "o.*|users" }', '3 5'],
  ['{ .service.name !~ `.*s.*` }', '1 2'],
  ['{ span.http.response.status_code >= 500 }', '4'],
  ['{ .http.status_code = 200 && duration > 5ms }', '1 2 3'],
  ['{ duration > 1.5ms && duration <= 2ms }', '4'],
  ['{ status = error }', '4'],
  ['{ kind = client }', '1'],
  ['{ kind = server && status != error }', '2 3 5'],
  ['{ name = "POST /orders" }', '3'],
  ['{ span."http.request.header.x-tier" = "gold" }', '2'],
  ['{ .http.request.header.x-tier = "gold" }', '2'],
  ['{ .http.request.header.x-tier != nil }', '2'],
  ['{ .http.request.header.x-tier = nil && kind = client }', '1'],
  ['{ .no.such.thing = "x" }', ''],
  ['{ !(status = error) && (.service.name = "stock" || kind = client) }', '1'],
  ['{ parent.service.name = "gateway" }', '3 5'],
  ['{ parent.resource.service.name = "orders" }', '4'],
  ['{ childCount = 2 }', '2'],
  ['{ rootServiceName = "client" && traceDuration = 10ms && .service.name = "users" }', '5'],
  ['{ nestedSetParent < 0 }', '1'],
  ['{ .http.status_code - 3 = 500 }', '4'],
  ['{ 2 ^ 3 ^ 0 = 2 && kind = client }', '1'],
  ['{ .service.name = "gateway" } > { }', '3 5'],
  ['{ .service.name = "gateway" } >> { status = error }', '4'],
  ['{ .service.name = "stock" } << { }', '1 2 3'],
  ['{ .service.name = "stock" } < { }', '3'],
  ['{ .service.name = "orders" } ~ { }', '5'],
  ['{ .service.name = "gateway" } !> { }', '1 2 4'],
  ['{ .service.name = "client" } !>> { }', '1'],
  ['{ .service.name = "gateway" } &> { .service.name = "users" }', '2 5'],
  ['{ kind = client } && { status = error }', '1 4'],
  ['{ kind = client } && { .service.name = "nobody" }', ''],
  ['{ kind = client } || { .service.name = "nobody" }', '1'],
  ['{ } | count() > 4', '1 2 3 4 5'],
  ['{ } | count() > 5', ''],
  ['{ status = error } | count() = 1', '4'],
  ['{ } | avg(duration) > 5ms', '1 2 3 4 5'],
  ['{ } | max(duration) < 5ms', ''],
  ['{ kind = server } | min(duration) = 1.5ms', '2 3 4 5'],
  ['{ } | sum(.http.status_code) = 1303', '1 2 3 4 5'],
  ['{ } | avg(.no.such.number) > 0', ''],
  ['{ } | count() > 1 + 1 * 2', '1 2 3 4 5'],
  ['{ } | by(kind)', '1 | 2 3 4 5'],
  ['{ } | by(kind) | count() > 2', '2 3 4 5'],
  ['{ } | by(kind) | coalesce()', '1 2 3 4 5'],
  ['{ } | { kind = server } | { status = error }', '4'],
  ['({ } | count() > 4) >> { status = error }', '4'],
  ['{ status = error } | select(.service.name, duration)', '4'],
])('%s finds spans %s', (query, want) => {
  expect(found(query)).toBe(want);
});

test('a grouped set says by what, and what was counted', () => {
  const sets = evaluateTraceql(parseTraceql('{ } | by(kind) | count() > 0'), view);
  expect(sets.map(({ attributes }) => Object.fromEntries(attributes))).toEqual([
    { 'by(kind)': 'client', 'count()': 1 },
    { 'by(kind)': 'server', 'count()': 4 },
  ]);
});

test.each([
  ['', 'line 1, col 1: unexpected the end, expected a filter such as { }'],
  [
    '{ duration > }',
    'line 1, col 14: unexpected "}", expected a value, an attribute or an intrinsic',
  ],
  ['{ status = "x" }', 'line 1, col 10: = cannot compare status with string'],
  ['{ duration > error }', 'line 1, col 12: > cannot compare number with status'],
  ['{ service }', 'line 1, col 3: unknown identifier service; an attribute is .service,'],
  ['{ .a =~ "(" }', 'line 1, col 9: '],
  ['{ } | avg(name) > 1', 'line 1, col 7: avg() takes number, this is string'],
  ['{ } | count()', 'line 1, col 14: unexpected the end, expected a comparison such as > 2'],
  ['{ } {', 'line 1, col 5: unexpected "{", expected the end'],
  ['{ }\n| nope() > 1', 'line 2, col 3: unexpected "nope", expected one of count'],
  ['{ name = "x', 'line 1, col 10: a string without an end'],
  ['{ span:nope = 1 }', 'line 1, col 3: unknown intrinsic span:nope'],
  ['{ 1 }', 'line 1, col 3: a filter is boolean, this is number'],
  [`{ ${'('.repeat(80)}`, 'nested deeper than 64'],
])('%s is refused with its place', (query, message) => {
  expect(() => parseTraceql(query)).toThrow(TraceqlError);
  expect(() => parseTraceql(query)).toThrow(message);
});

test('any text is parsed or refused, and what is parsed can be evaluated', () => {
  const part = fc.constantFrom(
    ...'{ } ( ) | || && > >> !>> ~ = != =~ . , - + * / ^ ! : 1 2ms "x" `y` .a span.b duration kind server status error count() by( select( parent. nil true'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      try {
        evaluateTraceql(parseTraceql(parts.join(' ')), view);
      } catch (error) {
        expect(error).toBeInstanceOf(TraceqlError);
      }
    }),
    { seed: 4, numRuns: 2_000 },
  );
});
