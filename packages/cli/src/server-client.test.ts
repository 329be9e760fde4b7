import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TraceSummary } from '@thalweg/model';
import { expect, onTestFinished, test } from 'vitest';
import { createServerClient } from './server-client.ts';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // A TCP server's address.
}

/** A trace that the search found; what does not matter here is empty. */
const summary = (traceId: string): TraceSummary => ({
  ...{
    traceId,
    spanId: '',
    startUs: 0,
    durationUs: 0,
    service: '',
    method: '',
    host: '',
    path: '',
  },
  ...{
    endpoint: '',
    status: 0,
    isError: false,
    hostName: '',
    spanCount: 1,
    networkSpanCount: 0,
    serviceCount: 1,
  },
  isAnswered: true,
  rootCount: 1,
});

test('a query is posted with the token, and its table comes back', async () => {
  let asked = '';
  const url = await serve((request, response) => {
    asked = `${request.method} ${request.url} ${request.headers.authorization}`;
    response.end(JSON.stringify({ result: { columns: ['n'], values: [[1]] } }));
  });
  const answer = await createServerClient(url, 'secret').query('SELECT 1');
  expect([asked, answer]).toEqual([
    'POST /v1/query/ Bearer secret',
    { columns: ['n'], values: [[1]] },
  ]);
});

test.each([
  {
    name: 'an error of the caller',
    status: 400,
    body: { error: { code: 'bad_sql', message: 'no such table', fix: 'SHOW tables' } },
    becomes: { code: 'failed', message: 'bad_sql: no such table', fix: 'SHOW tables' },
  },
  {
    name: 'a server that is not ready',
    status: 503,
    body: { error: { code: 'busy', message: 'later' } },
    becomes: { code: 'unavailable', message: 'busy: later' },
  },
  {
    name: 'an answer that is none of ours',
    status: 404,
    body: '<html>',
    becomes: { code: 'failed', message: 'the server answered 404' },
  },
  {
    name: 'another program at this address',
    status: 200,
    body: 'hello',
    becomes: { code: 'unavailable' },
  },
])('$name becomes one of our errors', async ({ status, body, becomes }) => {
  const url = await serve((_request, response) => {
    response.statusCode = status;
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const asking = createServerClient(url, undefined).query('SELECT 1');
  await expect(asking).rejects.toMatchObject(becomes);
});

test.each([
  { name: 'nobody', url: 'http://127.0.0.1:1', becomes: { code: 'unavailable' } },
  { name: 'no address', url: 'nonsense', becomes: { code: 'usage' } },
  { name: 'another scheme', url: 'ftp://127.0.0.1/', becomes: { code: 'usage' } },
])('$name at the address becomes one of our errors', async ({ url, becomes }) => {
  const asking = async () => createServerClient(url, undefined).query('SHOW tables');
  await expect(asking()).rejects.toMatchObject(becomes);
});

test('traces are read page by page, to the last', async () => {
  const pages = [
    { traces: [summary('1'), summary('2')], cursor: 'next' },
    { traces: [summary('3')] },
  ];
  const asked: string[] = [];
  const url = await serve((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams.get('cursor') ?? '');
    response.end(JSON.stringify({ ...pages[asked.length - 1], lost: { events: 0, rows: 0 } }));
  });
  const ids: string[] = [];
  for await (const { traceId } of createServerClient(url, undefined).allTraces(0, 1))
    ids.push(traceId);
  expect([ids, asked]).toEqual([
    ['1', '2', '3'],
    ['', 'next'],
  ]);
});
