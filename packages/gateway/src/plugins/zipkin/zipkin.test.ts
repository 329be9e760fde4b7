import { expect, test } from 'vitest';
import { receiveHttp } from '../testing/http-receiver.ts';
import { answered, onBench, request, tryAt } from '../testing/plugin-bench.ts';
import { zipkin } from './zipkin.ts';

const TRACE = '80f198ee56343ba864fe8b2a57d3eff7';
const SPAN = 'e457b5a2e4d86bd1';

interface SentSpan {
  readonly name: string;
  readonly kind?: string;
  readonly id: string;
  readonly parentId: string;
  readonly traceId: string;
}

async function traced(headers: Readonly<Record<string, string>>, conf: object = {}) {
  const receiver = await receiveHttp(() => 202);
  const given = { endpoint: `${receiver.url}/api/v2/spans`, sample_ratio: 1, ...conf };
  const { handlers } = onBench(zipkin, given);
  const context = request({ headers, route: {} });
  const outcome = await handlers.rewrite?.(context);
  tryAt(context, 8080, 200);
  context.endMs = context.startMs + 10;
  handlers.log?.(answered(context, 200));
  await handlers.close?.();
  const text = receiver.received[0]?.body.toString() ?? '[]';
  return { outcome, headers: context.headers, spans: JSON.parse(text) as SentSpan[] };
}

test('a request goes on with its trace, and the proxying is the parent of what follows', async () => {
  const { headers, spans } = await traced({ b3: `${TRACE}-${SPAN}-1` });
  const [proxy, , server] = spans;
  expect(spans.map(({ name, traceId }) => [name, traceId])).toEqual([
    ['apisix.proxy', TRACE],
    ['apisix.response_span', TRACE],
    ['apisix.request', TRACE],
  ]);
  expect([server?.kind, server?.parentId, proxy?.parentId]).toEqual(['SERVER', SPAN, server?.id]);
  expect([headers.get('x-b3-spanid'), headers.get('x-b3-parentspanid')]).toEqual([
    proxy?.id,
    server?.id,
  ]);
  expect(headers.has('b3')).toBe(false);
});

test('version 1 has a span for each phase', async () => {
  const { spans } = await traced({}, { span_version: 1 });
  expect(spans.map(({ name }) => name.replace('apisix.', ''))).toEqual(
    'rewrite access proxy body_filter request'.split(' '),
  );
});

test.each([
  { given: { b3: '0' }, sampled: '0', spanCount: 0 },
  { given: { b3: `${TRACE}-${SPAN}-d` }, sampled: '1', spanCount: 3 },
  { given: { 'x-b3-sampled': '0' }, sampled: '0', spanCount: 0 },
  { given: { 'x-b3-flags': '1', 'x-b3-sampled': '0' }, sampled: '1', spanCount: 3 },
])('the decision of the caller stands: $given', async ({ given, sampled, spanCount }) => {
  const { headers, spans } = await traced(given as Record<string, string>);
  expect([headers.get('x-b3-sampled'), spans.length]).toEqual([sampled, spanCount]);
});

test('a b3 header that cannot be read is refused', async () => {
  expect((await traced({ b3: TRACE })).outcome).toMatchObject({ status: 400 });
});
