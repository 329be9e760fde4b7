import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { opa } from './opa.ts';
import { onBench, request } from './testing/plugin-bench.ts';

interface Asked {
  readonly url: string;
  readonly input: Record<string, unknown>;
}

/** A server of OPA's data API that decides as `decide` says. */
async function policies(
  decide: (asked: Asked) => unknown,
): Promise<{ host: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((incoming, response) => {
    let text = '';
    incoming.on('data', (bytes: Buffer) => (text += bytes.toString()));
    incoming.on('end', () => {
      const one = { url: `${incoming.method} ${incoming.url}`, ...JSON.parse(text) } as Asked;
      asked.push(one);
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(decide(one)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test('OPA is told of the request, and what it allows passes with its headers', async () => {
  const { host, asked } = await policies(() => ({
    result: { allow: true, headers: { 'X-User': 'jack' } },
  }));
  const conf = {
    host,
    policy: 'a/b',
    with_route: true,
    send_headers_upstream: ['X-User', 'X-Role'],
  };
  const { handlers } = onBench(opa, conf);
  const context = request({
    target: '/orders/1?a=b&a=c&d=e',
    headers: { 'X-Role': 'admin' },
    route: { object: { uri: '/orders/*' } },
  });
  expect(await handlers.access?.(context)).toBeUndefined();
  expect([context.headers.get('x-user'), context.headers.has('x-role')]).toEqual(['jack', false]);
  expect(asked).toMatchObject([
    {
      url: 'POST /v1/data/a/b',
      input: {
        type: 'http',
        request: { method: 'GET', path: '/orders/1', query: { a: ['b', 'c'], d: 'e' } },
        route: { uri: '/orders/*' },
      },
    },
  ]);
  await handlers.close?.();
});

test.each([
  { name: 'no', answer: { result: { allow: false } }, want: { status: 403 } },
  {
    name: 'no, with an answer of its own',
    answer: {
      result: { allow: false, status_code: 302, headers: { Location: '/in' }, reason: 'r' },
    },
    want: { status: 302, headers: { Location: '/in' }, body: 'r' },
  },
  {
    name: 'no, for a reason that is an object',
    answer: { result: { allow: false, reason: { code: 4 } } },
    want: { status: 403, body: '{"code":4}' },
  },
  { name: 'nothing, without such a policy', answer: {}, want: { status: 503 } },
])('OPA says $name', async ({ answer, want }) => {
  const { host } = await policies(() => answer);
  const { handlers } = onBench(opa, { host, policy: 'p' });
  expect(await handlers.access?.(request())).toMatchObject(want);
  await handlers.close?.();
});

test('nobody passes while OPA does not answer', async () => {
  const { handlers, warnings } = onBench(opa, { host: 'http://127.0.0.1:1', policy: 'p' });
  expect(await handlers.access?.(request())).toEqual({ status: 403 });
  expect(warnings).toHaveLength(1);
  await handlers.close?.();
});
