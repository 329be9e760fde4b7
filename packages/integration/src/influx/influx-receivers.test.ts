import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { openIntegration } from '../testing/open-integration.ts';

const NOW = 1_700_000_000_000;

async function open() {
  const opened = await openIntegration({ now: () => NOW });
  onTestFinished(opened.close);
  return opened;
}
const post = (body: string | Uint8Array, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  // Node's fetch takes bytes; its type of the web does not name them.
  body: body as string,
  headers,
});

test.each([
  { path: '/write?db=telegraf&precision=s', stamp: '1700000000' },
  { path: '/api/v2/write?org=o&bucket=telegraf&precision=ms', stamp: '1700000000000' },
  { path: '/api/v1/telegraf?db=telegraf', stamp: '1700000000000000000' },
])('numbers written to $path are metrics named measurement_field', async ({ path, stamp }) => {
  const opened = await open();
  const line = `disk\\ io,host=a,path=/ used=1.5,free=2i,total=3u,ok=t ${stamp}\n`;
  const answer = await fetch(
    `${opened.url}${path}`,
    post(gzipSync(line), { 'content-encoding': 'gzip' }),
  );
  expect([answer.status, await answer.text()]).toEqual([204, '']);
  const names = opened.rows('series').map((row) => row['metric']);
  expect(names).toEqual(['disk_io_used', 'disk_io_free', 'disk_io_total', 'disk_io_ok']);
  expect(opened.rows('samples').map((row) => row['value'])).toEqual([1.5, 2, 3, 1]);
});

test.each([
  {
    path: '/write',
    body: { error: 'partial write: line 2: missing fields dropped=1' },
  },
  {
    path: '/api/v2/write',
    body: { code: 'invalid', message: 'partial write: line 2: missing fields dropped=1' },
  },
  {
    path: '/api/v1/telegraf',
    body: {
      error: { code: 'partial_write', message: 'partial write: line 2: missing fields dropped=1' },
    },
  },
])(
  'a bad line is named by its number at $path, and the others are kept',
  async ({ path, body }) => {
    const opened = await open();
    const answer = await fetch(`${opened.url}${path}`, post('m f=1\nbroken\nm g=2\n'));
    expect([answer.status, await answer.json()]).toEqual([400, body]);
    expect(opened.rows('samples').map((row) => row['value'])).toEqual([1, 2]);
  },
);

test('texts are counted and left out; the write stands', async () => {
  const { url, rows, integration } = await open();
  const answer = await fetch(`${url}/write?db=d`, post('m s="text",f=1'));
  expect(answer.status).toBe(204);
  expect(rows('samples').length).toBe(1);
  expect(integration.door.counters()).toMatchObject({
    'influx_v1.rows': 1,
    'influx_v1.rejected': 1,
    'influx_v1.reason.string_field': 1,
  });
});

test('what clients ask for first is answered', async () => {
  const { url } = await open();
  const ping = await fetch(`${url}/ping`, { method: 'HEAD' });
  expect([ping.status, ping.headers.get('x-influxdb-version')]).toEqual([204, '1.8.10']);
  const create = await fetch(`${url}/query?q=CREATE+DATABASE+telegraf`, { method: 'POST' });
  expect([create.status, await create.json()]).toEqual([200, { results: [{ statement_id: 0 }] }]);
  const query = await fetch(`${url}/query?q=SHOW+DATABASES`);
  expect(query.status).toBe(400);
});

test.each([
  { name: 'an unknown precision', path: '/write?precision=fortnight', body: 'm f=1' },
  { name: 'nothing but bad lines', path: '/write', body: 'a\nb\nc' },
])('$name is 400 and nothing is kept', async ({ path, body }) => {
  const opened = await open();
  const answer = await fetch(`${opened.url}${path}`, post(body));
  expect([answer.status, opened.rows('samples')]).toEqual([400, []]);
});

test('a million tags on a line cost that line only', async () => {
  const opened = await open();
  const tags = Array.from({ length: 1_000_000 }, (_, i) => `t${i}=1`).join();
  const answer = await fetch(`${opened.url}/write`, post(`m,${tags} f=1\nm f=2`));
  expect(answer.status).toBe(400);
  expect(opened.rows('samples').map((row) => row['value'])).toEqual([2]);
});
