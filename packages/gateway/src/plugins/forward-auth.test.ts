import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { forwardAuth } from './forward-auth.ts';
import { onBench, request } from './testing/plugin-bench.ts';

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

/** A service that answers as `answer` does; the uri to ask. */
async function serviceThat(
  answer: (incoming: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const service = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (bytes: Buffer) => (body += bytes.toString()));
    incoming.on('end', () => answer(incoming, response, body));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    service.closeAllConnections();
    service.close();
  });
  return `http://127.0.0.1:${(service.address() as AddressInfo).port}/auth`;
}

function plugin(conf: object) {
  const bench = onBench(forwardAuth, { timeout: 300, ...conf });
  onTestFinished(() => void bench.handlers.close?.());
  return bench;
}

test('the service is told of the request, and of what is configured, but not how it was framed', async () => {
  let got: IncomingMessage['headers'] = {};
  const uri = await serviceThat((incoming, response) => {
    got = incoming.headers;
    response.end();
  });
  const { handlers } = plugin({
    uri,
    request_headers: ['Cookie', 'Content-Length', 'X-Team'],
    extra_headers: { 'X-Team': '$arg_a', 'X-Number': 7 },
  });
  const headers = { Cookie: 'c=1', 'Content-Length': '99', 'X-Team': 'forged' };
  expect(await handlers.access?.(request({ method: 'PUT', headers }))).toBeUndefined();
  expect(got).toMatchObject({
    'x-forwarded-method': 'PUT',
    'x-forwarded-host': 'api.test',
    'x-forwarded-uri': '/orders/1?a=b',
    'x-forwarded-for': '127.0.0.1',
    cookie: 'c=1',
    'x-team': 'b',
    'x-number': '7',
  });
  expect(got['content-length']).not.toBe('99');
});

test('with POST the service gets the body too, and the upstream still does', async () => {
  let got = '';
  const uri = await serviceThat((_incoming, response, body) => {
    got = body;
    response.end();
  });
  const { handlers } = plugin({ uri, request_method: 'POST' });
  const context = request({ method: 'POST' });
  context.body.replace(Buffer.from('hello'));
  expect(await handlers.access?.(context)).toBeUndefined();
  expect([got, context.body.whole()?.toString()]).toEqual(['hello', 'hello']);
});

test('a refusal goes to the client with its status, body and the headers that are named', async () => {
  const uri = await serviceThat((_incoming, response) => {
    response.writeHead(401, {
      'X-Why': 'expired',
      'X-Inner': 'secret',
      'Set-Cookie': ['a=1', 'b=2'],
    });
    response.end('go away');
  });
  const { handlers } = plugin({ uri, client_headers: ['X-Why', 'Set-Cookie'] });
  const answer = await handlers.access?.(request());
  expect(answer).toEqual({
    status: 401,
    body: Buffer.from('go away'),
    headers: { 'X-Why': 'expired', 'Set-Cookie': ['a=1', 'b=2'] },
  });
});

test.each([
  { name: 'is not there', uri: 'http://127.0.0.1:1/auth' },
  { name: 'breaks off', answer: (response: ServerResponse) => response.socket?.destroy() },
  {
    name: 'says too much',
    answer: (response: ServerResponse) => response.end('x'.repeat(2 << 20)),
  },
])(
  'a service that $name means status_on_error, or passing where that is allowed',
  async (given) => {
    const { answer = () => undefined } = given;
    const uri = given.uri ?? (await serviceThat((_incoming, response) => void answer(response)));
    const refusing = plugin({ uri, status_on_error: 503 });
    expect((await refusing.handlers.access?.(request()))?.status).toBe(503);
    expect(refusing.warnings.length).toBe(1);
    const passing = plugin({ uri, allow_degradation: true, upstream_headers: ['X-User'] });
    const context = request({ headers: { 'X-User': 'root' } });
    expect(await passing.handlers.access?.(context)).toBeUndefined();
    // Nobody has said who this is.
    expect(context.headers.has('x-user')).toBe(false);
  },
);
