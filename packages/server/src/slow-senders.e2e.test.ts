import { afterAll, beforeAll, expect, test } from 'vitest';
import { rawTalk } from './testing/raw-request.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

// Senders that begin and do not go on are shown out, all at once, while others are served.

const SENDERS = 100;
const GIVE_UP_MS = 100_000;

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.close());

const head = (path: string, more = ''): string => `POST ${path} HTTP/1.1\r\nhost: a\r\n${more}`;
const half = 'content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"half';
const flood = Array.from({ length: 5_000 }, (_, at) => `x-${at}: ${at}\r\n`).join('');

/** What is sent after the answer meets a closed socket, whose reset may overtake the answer. */
const MAY_BE_RESET = true;
const TALKS: readonly { name: string; text: string; want: number; mayBeReset?: boolean }[] = [
  { name: 'half a head', text: head('/v1/traces', 'x-slow: '), want: 408 },
  { name: 'half a body to a receiver', text: head('/v1/traces', half), want: 408 },
  { name: 'half a body to a query', text: head('/v1/query/', half), want: 408 },
  { name: 'half a body from an agent', text: head('/api/ingest/log', half), want: 408 },
  {
    name: 'a flood of headers',
    text: head('/v1/traces', `${flood}\r\n`),
    want: 431,
    mayBeReset: MAY_BE_RESET,
  },
  {
    name: 'a header of a megabyte',
    text: head('/v1/traces', `x: ${'x'.repeat(1e6)}`),
    want: 431,
    mayBeReset: MAY_BE_RESET,
  },
  {
    name: 'a path of a megabyte',
    text: head(`/${'x'.repeat(1e6)}`),
    want: 431,
    mayBeReset: MAY_BE_RESET,
  },
  { name: 'no HTTP', text: '\u0016\u0003\u0001 hello\r\n\r\n', want: 400 },
];

test('each is answered and ends; meanwhile others are served', async () => {
  const urls = [server.url, server.otlpHttpUrl];
  const isAnswered = (url: string, path: string): boolean =>
    url === server.url || path.includes('receiver') || !path.includes('half a body');
  const talks = TALKS.flatMap(({ name, text, want, mayBeReset }) =>
    urls
      .filter((url) => isAnswered(url, name))
      .map(async (url) => {
        const each = Array.from({ length: SENDERS }, () => rawTalk(url, text, GIVE_UP_MS));
        const answers = await Promise.all(each);
        const told = mayBeReset === true ? answers.filter((answer) => answer !== '') : answers;
        const statuses = new Set(told.map((answer) => answer.split(' ', 2)[1]));
        return { name, statuses: [...statuses], want };
      }),
  );
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  const done = await Promise.all(talks);
  expect(done).toEqual(
    done.map(({ name, statuses, want }) => ({
      name,
      statuses: statuses.length === 0 && want === 431 ? [] : [String(want)],
      want,
    })),
  );
  const counters = await server.metrics();
  const count = (name: string) => counters.get(`thalweg_receivers{counter="${name}"}`);
  expect(count('otlp_traces.reason.body_timeout')).toBe(2 * SENDERS);
  expect(count('none.reason.request_timeout')).toBeGreaterThanOrEqual(2 * SENDERS);
  expect(count('none.reason.head_too_large')).toBeGreaterThanOrEqual(2 * SENDERS);
  expect(count('bodies.bytes')).toBe(0);
});
