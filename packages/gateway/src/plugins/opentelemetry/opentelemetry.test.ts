import { createSpan, readRecords, readSpan } from '@thalweg/wire';
import { expect, test } from 'vitest';
import { receiveHttp } from '../testing/http-receiver.ts';
import { answered, type BenchRequest, onBench, request, tryAt } from '../testing/plugin-bench.ts';
import { opentelemetry } from './opentelemetry.ts';
import { isSampled, type SamplerConf } from './sampler.ts';
import { collectorUrl } from './settings.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

function spansOf(bytes: Buffer) {
  const span = createSpan();
  const found: {
    name: string;
    kind: number;
    id: string;
    parent: string;
    traceId: string;
    text: string;
  }[] = [];
  readRecords(bytes, {
    resource: () => undefined,
    scope: () => undefined,
    item(cursor) {
      const from = cursor.at;
      readSpan(cursor, span);
      const hex = (range: { from: number; to: number }) =>
        bytes.subarray(range.from, range.to).toString('hex');
      found.push({
        name: bytes.subarray(span.name.from, span.name.to).toString(),
        kind: span.kind,
        id: hex(span.spanId),
        parent: hex(span.parentSpanId),
        traceId: hex(span.traceId),
        text: bytes.subarray(from, cursor.at).toString('latin1'),
      });
    },
  });
  return found;
}

async function traced(conf: object, asked: BenchRequest, metadata: object = {}) {
  const receiver = await receiveHttp();
  const { handlers, environment } = onBench(
    opentelemetry,
    { sampler: { name: 'always_on' }, ...conf },
    {
      attributes: { collector: { address: `127.0.0.1:${receiver.port}/in` } },
      metadata: () => ({ ...metadata }),
    },
  );
  const context = request({ route: {}, ...asked });
  await handlers.rewrite?.(context);
  tryAt(context, 8080, 502);
  handlers.before_proxy?.(context);
  tryAt(context, 8081, 200);
  handlers.before_proxy?.(context);
  handlers.log?.(answered(context, 200));
  await handlers.close?.();
  return { receiver, context, batches: environment.batches };
}

test('a request is a SERVER span with a CLIENT span for each try under it', async () => {
  const { receiver, context, batches } = await traced({}, { headers: { traceparent: PARENT } });
  expect(receiver.received.map(({ path }) => path)).toEqual(['/in/v1/traces']);
  const spans = spansOf(receiver.received[0]?.body ?? Buffer.alloc(0));
  const server = spans.at(-1);
  expect(spans.map(({ name, kind, traceId }) => ({ name, kind, traceId }))).toEqual([
    { name: 'GET', kind: 3, traceId: TRACE },
    { name: 'GET', kind: 3, traceId: TRACE },
    { name: 'GET /orders/*', kind: 2, traceId: TRACE },
  ]);
  expect(spans.map(({ parent }) => parent)).toEqual([server?.id, server?.id, 'b7ad6b7169203331']);
  // The node that was asked last is told the id of the span about that try.
  expect(context.headers.get('traceparent')).toBe(`00-${TRACE}-${spans[1]?.id}-01`);
  expect(batches.list()).toMatchObject([{ label: { routeId: 'r1' }, sent: 1, dropped: 0 }]);
});

test('attributes that were asked for are on the SERVER span', async () => {
  const conf = {
    additional_attributes: ['arg_page', 'deepflow=demo', 'no_such'],
    additional_header_prefix_attributes: ['X-Acme-*'],
  };
  const headers = { 'X-Acme-Team': 'pay' };
  const { receiver } = await traced(conf, { target: '/o?page=2', headers });
  const text = spansOf(receiver.received[0]?.body ?? Buffer.alloc(0)).at(-1)?.text ?? '';
  for (const part of ['arg_page', 'deepflow', 'demo', 'x-acme-team', 'pay', '/o?page=2']) {
    expect(text).toContain(part);
  }
  expect(text).not.toContain('no_such');
});

test('what is not sampled is not sent, but goes on with its trace and flag 00', async () => {
  const conf = { sampler: { name: 'parent_base' } };
  const traceparent = PARENT.replace(/01$/, '00');
  const { receiver, context } = await traced(conf, { headers: { traceparent } });
  expect(receiver.received).toEqual([]);
  expect(context.headers.get('traceparent')).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
});

test('without CLIENT spans the upstream gets the id of the SERVER span, as in APISIX', async () => {
  const { receiver, context } = await traced({}, {}, { client_spans: false });
  const spans = spansOf(receiver.received[0]?.body ?? Buffer.alloc(0));
  expect(spans.map(({ kind }) => kind)).toEqual([2]);
  expect(context.headers.get('traceparent')).toContain(spans[0]?.id);
});

test('phases that were timed are INTERNAL spans under the SERVER span', async () => {
  const receiver = await receiveHttp();
  const { handlers } = onBench(
    opentelemetry,
    { sampler: { name: 'always_on' } },
    { attributes: { collector: { address: receiver.url } } },
  );
  const context = request({ route: {} });
  context.phases = [{ plugin: 'key-auth', phase: 'rewrite', startMs: 1, endMs: 2 }];
  await handlers.rewrite?.(context);
  handlers.log?.(answered(context, 401, 'apisix'));
  await handlers.close?.();
  const [phase, server] = spansOf(receiver.received[0]?.body ?? Buffer.alloc(0));
  expect([phase?.name, phase?.kind, phase?.parent]).toEqual([
    'apisix.phase.rewrite.plugins.key-auth',
    1,
    server?.id,
  ]);
});

test.each([
  { given: TRACE.toUpperCase(), isTaken: true },
  { given: '550e8400-e29b-41d4-a716-446655440000', isTaken: false },
  { given: '0'.repeat(32), isTaken: false },
])('x-request-id $given as trace id: $isTaken', async ({ given, isTaken }) => {
  const headers = { 'X-Request-Id': given };
  const { context } = await traced({}, { headers }, { trace_id_source: 'x-request-id' });
  expect(context.headers.get('traceparent')?.includes(given.toLowerCase())).toBe(isTaken);
});

test.each([
  { address: '127.0.0.1:4318', url: 'http://127.0.0.1:4318/v1/traces' },
  { address: 'https://c/', url: 'https://c/v1/traces' },
  { address: 'a.b/api/v1/otel/trace', url: 'http://a.b/api/v1/otel/trace/v1/traces' },
  { address: 'http://c:1/v1/traces', url: 'http://c:1/v1/traces' },
])('the collector at $address is posted to at $url', ({ address, url }) => {
  expect(collectorUrl(address)).toBe(url);
});

test.each<{ conf: SamplerConf; parent?: boolean; want: boolean }>([
  { conf: { name: 'always_on' }, parent: false, want: true },
  { conf: { name: 'always_off' }, parent: true, want: false },
  { conf: { name: 'trace_id_ratio', options: { fraction: 0.05 } }, want: true },
  { conf: { name: 'trace_id_ratio', options: { fraction: 0.04 } }, want: false },
  { conf: { name: 'parent_base' }, parent: true, want: true },
  { conf: { name: 'parent_base', options: { root: { name: 'always_on' } } }, want: true },
  { conf: { name: 'parent_base' }, want: false },
])('sampler $conf with parent $parent says $want', ({ conf, parent, want }) => {
  // 0x0af76519 of 2^32 is 0.0428.
  expect(isSampled(conf, TRACE, parent)).toBe(want);
});
