import { gzipSync } from 'node:zlib';
import { createProtoWriter } from '@thalweg/wire';
import { expect, onTestFinished, test } from 'vitest';
import { openIntegration, type Row } from '../testing/open-integration.ts';

const NOW = 1_700_000_100_000;

async function open(now: () => number = () => NOW) {
  const opened = await openIntegration({ now });
  onTestFinished(opened.close);
  return opened;
}

/** A pprof of one frame a sample, `cpu` in nanoseconds and `alloc` in bytes. */
function pprof(samples: readonly (readonly [stack: string, cpu: number, alloc: number])[]): Buffer {
  const strings = ['', 'cpu', 'nanoseconds', 'alloc', 'bytes', ...samples.map(([stack]) => stack)];
  const writer = createProtoWriter();
  for (const at of [1, 3]) {
    writer.messageField(1, () => {
      writer.varintField(1, at);
      writer.varintField(2, at + 1);
    });
  }
  for (const [at, [, cpu, alloc]] of samples.entries()) {
    writer.messageField(2, () => {
      writer.bytesField(1, Uint8Array.of(at + 1));
      writer.bytesField(2, Uint8Array.of(cpu, alloc));
    });
    writer.messageField(4, () => {
      writer.varintField(1, at + 1);
      writer.messageField(4, () => writer.varintField(1, at + 1));
    });
    writer.messageField(5, () => {
      writer.varintField(1, at + 1);
      writer.varintField(2, at + 5);
    });
  }
  writer.messageField(6, () => undefined);
  for (const text of strings.slice(1)) writer.textField(6, text);
  return Buffer.from(writer.finish());
}

// Node's fetch takes bytes; its type of the web does not name them.
const post = (body: Uint8Array | FormData | string, type?: string): RequestInit => ({
  method: 'POST',
  body: body as string,
  ...(type === undefined ? {} : { headers: { 'content-type': type } }),
});
const OCTETS = 'application/octet-stream';
const FROM_UNTIL = 'from=1700000090&until=1700000100000';

const seen = (rows: readonly Row[]): unknown[] =>
  rows.map((row) => [row['profile_event_type'], row['profile_value_unit'], row['profile_value']]);

test.each([
  { name: 'raw', body: pprof([['main', 5, 0]]) },
  { name: 'gzipped', body: gzipSync(pprof([['main', 5, 0]])) },
])('a $name pprof is rows, its stack stored once', async ({ body }) => {
  const { url, rows } = await open();
  const name = encodeURIComponent('shop{env="prod",hostname="h1",__session_id__="x"}');
  const path = `${url}/ingest?name=${name}&${FROM_UNTIL}&spyName=nodespy&format=pprof&sampleRate=100`;
  const answer = await fetch(path, post(body, OCTETS));
  expect([answer.status, await answer.json()]).toEqual([200, { kept: 1 }]);
  await fetch(path, post(body, OCTETS));
  expect(rows('in_process')).toMatchObject([
    {
      time: 1_700_000_100,
      profile_create_timestamp: 1_700_000_090_000_000,
      profile_duration: 10_000_000n,
      profile_event_type: 'cpu',
      profile_value: 5n,
      profile_value_unit: 'nanoseconds',
      profile_language_type: 'Node',
      app_service: 'shop',
      app_instance: 'h1',
      tag_names: ['env', 'hostname'],
      tag_values: ['prod', 'h1'],
    },
    { profile_value: 5n },
  ]);
  const [stack, ...others] = rows('in_process_stack');
  expect([stack?.['profile_location_str'], others]).toEqual(['main', []]);
  expect(rows('in_process').map((row) => row['stack_id'])).toEqual([
    stack?.['stack_id'],
    stack?.['stack_id'],
  ]);
});

test("a form's sample_type_config chooses and names; a cumulative type is what it gained", async () => {
  const { url, rows } = await open();
  const form = new FormData();
  const config = {
    alloc: { units: 'B', 'display-name': 'alloc_space', cumulative: true, aggregation: 'sum' },
  };
  const part = (bytes: Uint8Array | string) => new Blob([bytes as string]);
  form.append(
    'profile',
    part(
      pprof([
        ['a', 1, 9],
        ['b', 1, 4],
      ]),
    ),
    'profile.pprof',
  );
  form.append('prev_profile', part(pprof([['a', 1, 2]])), 'profile.pprof');
  form.append('sample_type_config', part(JSON.stringify(config)), 'sample_type_config.json');
  const path = '/api/v1/profile/ingest?name=shop&aggregrationType=sum';
  const answer = await fetch(`${url}${path}&${FROM_UNTIL}`, post(form));
  expect(answer.status).toBe(200);
  expect(seen(rows('in_process'))).toEqual([
    ['alloc_space', 'B', 7n],
    ['alloc_space', 'B', 4n],
  ]);
});

test.each([
  { query: 'format=folded&units=samples', body: 'a;b 3\nc 1\n', values: [3n, 1n] },
  { query: 'format=lines', body: 'a;b\nc\n', values: [1n, 1n] },
  { query: '', body: 'a;b 3\n', values: [3n] },
])('stacks as text with "$query"', async ({ query, body, values }) => {
  const { url, rows } = await open();
  const answer = await fetch(
    `${url}/ingest?name=shop.wall&${FROM_UNTIL}&${query}`,
    post(body, 'text/plain'),
  );
  expect(answer.status).toBe(200);
  const kept = rows('in_process');
  expect(kept.map((row) => row['profile_value'])).toEqual(values);
  expect(kept[0]).toMatchObject({ app_service: 'shop', profile_event_type: 'wall' });
});

test("Grafana's agents push pprof with labels", async () => {
  const { url, rows } = await open();
  const writer = createProtoWriter();
  writer.messageField(1, () => {
    for (const [name, value] of [
      ['service_name', 'shop'],
      ['pod', 'p1'],
    ]) {
      writer.messageField(1, () => {
        writer.textField(1, name ?? '');
        writer.textField(2, value ?? '');
      });
    }
    writer.messageField(2, () => writer.bytesField(1, gzipSync(pprof([['main', 5, 6]]))));
  });
  const path = `${url}/push.v1.PusherService/Push`;
  const answer = await fetch(path, post(writer.finish(), 'application/proto'));
  expect([answer.status, await answer.text()]).toEqual([200, '']);
  expect(seen(rows('in_process'))).toEqual([
    ['cpu', 'nanoseconds', 5n],
    ['alloc', 'bytes', 6n],
  ]);
  expect(rows('in_process')).toMatchObject([{ app_instance: 'p1' }, {}]);
});

test.each([
  { name: 'no name', path: '/ingest?from=1', body: pprof([['a', 1, 1]]) },
  { name: 'another format', path: '/ingest?name=a&format=jfr', body: Buffer.from('x') },
  {
    name: 'a pprof that is cut off',
    path: '/ingest?name=a',
    body: pprof([['a', 1, 1]]).subarray(0, 20),
  },
  { name: 'gzip that is cut off', path: '/ingest?name=a', body: gzipSync('x').subarray(0, 12) },
  { name: 'a gzip bomb', path: '/ingest?name=a', body: gzipSync(Buffer.alloc(40 * 2 ** 20)) },
  {
    name: 'a profile of last year',
    path: '/ingest?name=a&until=1600000000',
    body: pprof([['a', 1, 1]]),
  },
])('$name is 400 and nothing is kept', async ({ path, body }) => {
  const { url, rows } = await open();
  const answer = await fetch(`${url}${path}`, post(body, OCTETS));
  expect([answer.status, rows('in_process')]).toEqual([400, []]);
});

test("@pyroscope/nodejs's own uploads are kept", async () => {
  const { url, rows } = await open(Date.now);
  const { default: pyroscope } = await import('@pyroscope/nodejs');
  pyroscope.init({
    serverAddress: url,
    appName: 'real-shop',
    tags: { region: 'eu' },
    flushIntervalMs: 60_000,
    wall: { samplingDurationMs: 60_000, collectCpuTime: true },
  });
  pyroscope.startWallProfiling();
  spin(150);
  await pyroscope.stopWallProfiling();
  await expect.poll(() => rows('in_process').length, { timeout: 20_000 }).toBeGreaterThan(0);
  const wall = rows('in_process').find((row) => row['profile_event_type'] === 'wall');
  expect(wall).toMatchObject({
    app_service: 'real-shop',
    profile_language_type: 'Node',
    profile_value_unit: 'nanoseconds',
    tag_names: expect.arrayContaining(['region']),
  });
  const stacks = rows('in_process_stack').map((row) => String(row['profile_location_str']));
  expect(stacks.some((stack) => stack.includes('spin'))).toBe(true);
});

/** Work that a profiler sees. */
function spin(ms: number): number {
  let sum = 0;
  for (const end = performance.now() + ms; performance.now() < end; ) sum += Math.sqrt(sum + 1);
  return sum;
}
