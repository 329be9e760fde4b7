import { afterAll, beforeAll, expect, test } from 'vitest';
import { badBodies } from './testing/bad-bodies.ts';
import { rawPost } from './testing/raw-request.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';

// What broken and hostile senders post costs bounded memory, is answered and counted. The limits on
// memory are generous: they tell a bound from none.

const PEAK_BYTES_MAX = 900e6;
/** Answered whatever the body is: nothing of it is read. */
const BODY_IS_IGNORED = /^\/(ping|query|v3\/management\/.*)$/;

/** Paths that lead to a receiver which has another one. */
const OTHER_NAME = /^\/(api\/v1\/(otel|prom|push)|v1\/(\w+)\/v1\/)/;

let server: ServerProcess;
let paths: string[] = [];

beforeAll(async () => {
  server = await startServerProcess();
  // The answer to a path of nobody names every path that there is.
  const { text } = await rawPost(`${server.otlpHttpUrl}/`, new Uint8Array());
  paths = [...text.matchAll(/[ "](\/[\w./-]+)/g)].map(([, path = '']) => path);
});
afterAll(() => server.close());

const isOfSender = (status: number): boolean => status >= 400 && status < 500;

test('every path of the documentation is tried', () => {
  expect(paths.length).toBeGreaterThan(30);
});

test.each(badBodies())('$name is refused on every path', async ({ bytes, headers, isLarge }) => {
  server.forgetPeak();
  const wrong: string[] = [];
  for (const path of isLarge ? paths.filter((one) => !OTHER_NAME.test(one)) : paths) {
    const { status, retryAfter } = await rawPost(`${server.url}${path}`, bytes, headers);
    const isFine = isOfSender(status) || (status < 300 && BODY_IS_IGNORED.test(path));
    if (!isFine) wrong.push(`${path}: ${status} ${retryAfter ?? ''}`);
  }
  expect(wrong).toEqual([]);
  expect(server.peakBytes()).toBeLessThan(PEAK_BYTES_MAX);
});
