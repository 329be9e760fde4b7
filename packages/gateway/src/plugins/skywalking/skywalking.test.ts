import { parseSw8 } from '@thalweg/wire';
import { expect, test } from 'vitest';
import { receiveHttp } from '../testing/http-receiver.ts';
import { answered, onBench, request, tryAt } from '../testing/plugin-bench.ts';
import { skywalking } from './skywalking.ts';

const SW8 = '1-YWJjMTIzLjEuMQ==-c2VnLTEyMy4xLjE=-3-c2hvcA==-c2hvcC0x-L2NhcnQ=-MTI3LjAuMC4xOjkwODA=';

test('a segment refers to the caller, and the upstream is told of its exit span', async () => {
  const receiver = await receiveHttp();
  const attributes = { endpoint_addr: receiver.url };
  const { handlers } = onBench(skywalking, {}, { attributes });
  const context = request({ headers: { sw8: SW8 }, route: {} });
  await handlers.rewrite?.(context);
  tryAt(context, 8080, 200);
  context.endMs = context.startMs + 10;
  handlers.log?.(answered(context, 200));
  await handlers.close?.();
  await receiver.until(2);
  const post = receiver.received.find(({ path }) => path === '/v3/segments');
  const [segment] = JSON.parse(post?.body.toString() ?? '[]') as [{ traceSegmentId: string }];
  expect(segment).toMatchObject({
    traceId: 'abc123.1.1',
    service: 'APISIX',
    spans: [
      { spanType: 'Exit', peer: '127.0.0.1:8080', isError: false },
      {
        spanType: 'Entry',
        refs: [{ parentService: 'shop', parentEndpoint: '/cart', parentSpanId: 3 }],
      },
    ],
  });
  expect(parseSw8(context.headers.get('sw8') ?? '')).toMatchObject({
    traceId: 'abc123.1.1',
    spanId: `${segment.traceSegmentId}-1`,
  });
});
