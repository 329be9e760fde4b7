import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applicationLog, createBatch, inProcessProfile, inProcessStack } from '@thalweg/model';
import { createProtoWriter, protoCursor, readBytes, readTag, skipField } from '@thalweg/wire';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Server, ServerSettings, startServer } from './index.ts';
import { decodeRequest, type MessageShape } from './profiles/connect-codec.ts';

// Profiles and logs, read back from a real server: Pyroscope's API, DeepFlow's, and ours.

const folder = mkdtempSync(join(tmpdir(), 'thalweg-profiles-'));
const nowS = Math.floor(Date.now() / 1e3) - 60;
const range = { start: (nowS - 60) * 1e3, end: (nowS + 60) * 1e3 };
const CPU = 'cpu:cpu:nanoseconds:cpu:nanoseconds';
let server: Server;

const STACKS = [
  [1n, 'main;read;[k] sys_read', 40],
  [2n, 'main;write', 10],
] as const;

function profileRows(): [string, Uint8Array<ArrayBuffer>][] {
  const samples = createBatch(inProcessProfile);
  const stacks = createBatch(inProcessStack);
  for (const [id, text] of STACKS) {
    // Twice: a second receiver names it too.
    for (let i = 0; i < 2; i += 1) {
      stacks.push({ time: nowS, stack_id: id, profile_location_str: text });
    }
  }
  let row = 0n;
  for (const pod of ['p1', 'p2']) {
    for (const [id, , value] of STACKS) {
      row += 1n;
      samples.push({
        _id: row,
        time: nowS,
        profile_create_timestamp: (nowS - 10) * 1e6,
        profile_in_timestamp: nowS * 1e6,
        profile_duration: 10_000_000n,
        agent: '',
        profile_event_type: 'cpu',
        profile_value: BigInt(value),
        profile_value_unit: 'nanoseconds',
        profile_language_type: 'Node',
        stack_id: id,
        app_service: 'shop',
        app_instance: pod,
        process_id: 7,
        trace_id: '',
        profile_id: pod === 'p1' ? 'aa'.repeat(8) : '',
        span_name: '',
        tag_names: ['pod'],
        tag_values: [pod],
      });
    }
  }
  return [
    ['in_process_stack', stacks.encode()],
    ['in_process', samples.encode()],
  ];
}

function logRows(): [string, Uint8Array<ArrayBuffer>] {
  const batch = createBatch(applicationLog);
  for (let at = 0; at < 25; at += 1) {
    batch.push({
      _id: BigInt(at + 1),
      time: nowS,
      // Pairs share a time: a page must not end between equals and lose one.
      timestamp: nowS * 1e6 + Math.floor(at / 2),
      timestamp_nanos: 0,
      observed_timestamp: nowS * 1e6,
      _type: at % 5 === 0 ? 'access' : 'user',
      receiver: 'http-json',
      agent: '',
      severity_number: at % 2 === 0 ? 17 : 9,
      severity_text: '',
      event_name: '',
      body: `Order ${at} of ÄRA`,
      body_type: 's',
      app_service: at < 20 ? 'shop' : 'stock',
      app_instance: '',
      host: '',
      container_id: '',
      trace_id: at === 3 ? 'ab'.repeat(16) : '',
      span_id: '',
      trace_flags: 0,
      x_request_id: at === 4 ? 'r-4' : '',
      attribute_names: ['n'],
      attribute_values: [String(at)],
      attribute_types: 'i',
      resource_attributes: '',
      scope: '',
    });
  }
  return ['log', batch.encode()];
}

beforeAll(async () => {
  const settings = ServerSettings.parse({ port: 0, data_dir: folder });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
  for (const [table, body] of [...profileRows(), logRows()]) {
    const answer = await fetch(`${server.url}/api/ingest/${table}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/octet-stream', 'x-thalweg-token': `t-${table}` },
    });
    expect(answer.status).toBe(200);
  }
  await vi.waitFor(async () => {
    expect((await querier('ProfileTypes', range)).profileTypes.length).toBe(1);
    const { total } = (await querier('SelectMergeStacktraces', merge)).flamegraph;
    expect(total).toBe('100');
    expect((await logs('')).logs.length).toBe(25);
  }, 20_000);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const merge = { profileTypeID: CPU, labelSelector: '{service_name="shop"}', ...range };

// biome-ignore lint/suspicious/noExplicitAny: answers of APIs whose shape is what is tested.
async function querier(method: string, body: object): Promise<any> {
  const answer = await fetch(`${server.url}/pyroscope/querier.v1.QuerierService/${method}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return answer.json();
}

// biome-ignore lint/suspicious/noExplicitAny: answers of APIs whose shape is what is tested.
async function getJson(path: string): Promise<any> {
  const answer = await fetch(`${server.url}${path}`);
  expect(`${path} ${answer.status}`).toBe(`${path} 200`);
  return answer.json();
}

const logs = (query: string) =>
  getJson(`/api/logs?start=${(nowS - 10) * 1e6}&end=${(nowS + 10) * 1e6}&limit=100${query}`);

test("Connect's JSON names types, labels, values and series", async () => {
  expect(await querier('ProfileTypes', range)).toEqual({
    profileTypes: [
      {
        ID: CPU,
        name: 'cpu',
        sampleType: 'cpu',
        sampleUnit: 'nanoseconds',
        periodType: 'cpu',
        periodUnit: 'nanoseconds',
      },
    ],
  });
  const { names } = await querier('LabelNames', { matchers: ['{service_name="shop"}'], ...range });
  expect(names).toEqual(['language', 'pod', 'service_instance_id', 'service_name', 'span_name']);
  expect(await querier('LabelValues', { name: 'pod', ...range })).toEqual({ names: ['p1', 'p2'] });
  expect(
    await querier('LabelValues', { name: 'service_name', matchers: ['{pod="no"}'], ...range }),
  ).toEqual({
    names: [],
  });
  const { labelsSet } = await querier('Series', { labelNames: ['service_name', 'pod'], ...range });
  expect(labelsSet.length).toBe(2);
  const asked = { profileTypeID: CPU, labelSelector: '{}', groupBy: ['pod'], step: 15, ...range };
  const { series } = await querier('SelectSeries', asked);
  expect(series.map((one: { points: { value: number }[] }) => one.points[0]?.value)).toEqual([
    50, 50,
  ]);
  expect(series[0].labels).toEqual([{ name: 'pod', value: 'p1' }]);
});

test('stack traces merge, by selector and by span', async () => {
  const { flamegraph } = await querier('SelectMergeStacktraces', merge);
  expect(flamegraph).toMatchObject({ total: '100', maxSelf: '80' });
  expect(flamegraph.names).toEqual(['total', 'main', 'read', 'write', '[k] sys_read']);
  const one = { ...merge, labelSelector: '{pod=~"p[13]"}' };
  expect((await querier('SelectMergeStacktraces', one)).flamegraph.total).toBe('50');
  const span = { ...merge, spanSelector: ['aa'.repeat(8)] };
  expect((await querier('SelectMergeSpanProfile', span)).flamegraph.total).toBe('50');
});

test('two selections are compared, and one is answered as a profile', async () => {
  const [left, right] = ['p1', 'p2'].map((pod) => ({
    ...merge,
    labelSelector: `{pod="${pod}"}`,
  }));
  const { flamegraph } = await querier('Diff', { left, right });
  expect(flamegraph).toMatchObject({ total: '100', leftTicks: '50', rightTicks: '50' });
  expect(flamegraph.levels[2].values).toEqual([
    '0',
    '40',
    '0',
    '0',
    '40',
    '0',
    '2',
    '0',
    '10',
    '10',
    '0',
    '10',
    '10',
    '3',
  ]);
  expect(await querier('Diff', { left })).toMatchObject({ code: 'invalid_argument' });
  const profile = await querier('SelectMergeProfile', merge);
  expect(profile.sample).toEqual([
    { locationId: ['1', '2', '3'], value: ['80'] },
    { locationId: ['4', '3'], value: ['20'] },
  ]);
  expect(profile.stringTable.slice(0, 3)).toEqual(['', 'cpu', 'nanoseconds']);
  const few = await querier('SelectMergeProfile', { ...merge, maxNodes: 3 });
  expect(few.sample.map(({ value }: { value: string[] }) => value)).toEqual([['80'], ['20']]);
  expect(few.stringTable).toContain('other');
  const untyped = { ...merge, profileTypeID: '' };
  expect(await querier('SelectMergeProfile', untyped)).toMatchObject({ code: 'invalid_argument' });
});

test('a nested request in protobuf is read as in JSON', async () => {
  const writer = createProtoWriter();
  for (const field of [1, 2]) {
    writer.messageField(field, () => {
      writer.textField(1, CPU);
      writer.varintField(3, range.start);
      writer.varintField(4, range.end);
    });
  }
  const answer = await fetch(`${server.url}/querier.v1.QuerierService/Diff`, {
    method: 'POST',
    body: writer.finish(),
    headers: { 'content-type': 'application/proto' },
  });
  expect(answer.status).toBe(200);
  const cursor = protoCursor(new Uint8Array(await answer.arrayBuffer()));
  expect(readTag(cursor)).toBe(10);
  const shape: MessageShape = {
    leftTicks: { number: 5, kind: 'int64' },
    rightTicks: { number: 6, kind: 'int64' },
  };
  expect(decodeRequest(readBytes(cursor), shape)).toEqual({
    leftTicks: 100,
    rightTicks: 100,
  });
});

test('the same in protobuf, as Grafana asks', async () => {
  const writer = createProtoWriter();
  writer.textField(1, CPU);
  writer.textField(2, '{service_name="shop"}');
  writer.varintField(3, range.start);
  writer.varintField(4, range.end);
  const answer = await fetch(
    `${server.url}/pyroscope/querier.v1.QuerierService/SelectMergeStacktraces`,
    {
      method: 'POST',
      body: writer.finish(),
      headers: { 'content-type': 'application/proto', 'connect-protocol-version': '1' },
    },
  );
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/proto']);
  const outer = protoCursor(new Uint8Array(await answer.arrayBuffer()));
  expect(readTag(outer)).toBe(0x0a);
  const graph = protoCursor(readBytes(outer));
  const names: string[] = [];
  for (let tag = readTag(graph); tag !== 0; tag = readTag(graph)) {
    if (tag === 0x0a) names.push(new TextDecoder().decode(readBytes(graph)));
    else skipField(graph, tag & 7);
  }
  expect([graph.fault, names]).toEqual(['', ['total', 'main', 'read', 'write', '[k] sys_read']]);
});

test("a mistake is Connect's error", async () => {
  const asked = { ...merge, labelSelector: '{pod=~"("}' };
  expect(await querier('SelectMergeStacktraces', asked)).toEqual({
    code: 'invalid_argument',
    message: 'not a regular expression: (',
  });
});

test('render, labels and label values of the older API', async () => {
  const query = encodeURIComponent(`${CPU}{service_name="shop"}`);
  const times = `from=${nowS - 60}&until=${nowS + 60}`;
  const rendered = await getJson(`/pyroscope/render?query=${query}&${times}&format=json`);
  expect(rendered).toMatchObject({
    version: 1,
    flamebearer: { names: ['total', 'main', 'read', 'write', '[k] sys_read'], numTicks: 100 },
    metadata: { format: 'single', sampleRate: 1e9 },
    timeline: { durationDelta: 10 },
  });
  const { samples } = rendered.timeline;
  expect(samples.reduce((sum: number, value: number) => sum + value, 0)).toBe(100);
  expect(await getJson(`/pyroscope/labels?query=${query}`)).toContain('pod');
  expect(await getJson('/pyroscope/label-values?label=pod')).toEqual(['p1', 'p2']);
});

test("DeepFlow's ProfileTracing", async () => {
  // biome-ignore lint/suspicious/noExplicitAny: answers of APIs whose shape is what is tested.
  const ask = async (rest: object): Promise<{ status: number; body: any }> => {
    const answer = await fetch(`${server.url}/v1/profile/ProfileTracing`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        app_service: 'shop',
        profile_event_type: 'cpu',
        profile_language_type: 'Node',
        time_start: nowS - 10,
        time_end: nowS + 10,
        ...rest,
      }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const { OPT_STATUS, result } = (await ask({ tag_filter: "pod = 'p1'" })).body;
  expect(OPT_STATUS).toBe('SUCCESS');
  expect(result.functions).toEqual(['total', 'main', 'read', '[k] sys_read', 'write']);
  expect(result.node_values.values[0]).toEqual([0, -1, 0, 50]);
  const complex = "(pod IN ('p1', 'p2') AND NOT tag.pod LIKE 'p2*') OR app_service = 'nobody'";
  expect((await ask({ tag_filter: complex })).body.result).toEqual(result);
  expect((await ask({ tag_filter: "pod REGEXP 'p[3-9]'" })).body.result.functions).toEqual([
    'total',
  ]);
  expect(
    (await ask({ tag_filter: 'process_id >= 7 AND process_id < 8' })).body.result,
  ).toMatchObject({
    function_values: {
      values: [
        [0, 100],
        [0, 100],
        [0, 80],
        [80, 80],
        [20, 20],
      ],
    },
  });
  const grouped = (await ask({ group_by: ['pod', 'app_service'] })).body.result;
  expect(grouped.functions.slice(0, 4)).toEqual(['total', 'pod=p1', 'app_service=shop', 'main']);
  expect(grouped.node_values.values.slice(0, 2)).toEqual([
    [0, -1, 0, 100],
    [1, 0, 0, 50],
  ]);
  for (const filter of [
    'pod IN (SELECT 1)',
    "pod = 'x' OR 1 = 1",
    "sleep(3) = '1'",
    "pod = 'x' GROUP BY pod",
  ]) {
    const { status, body } = await ask({ tag_filter: filter });
    expect([status, body.error?.message]).toEqual([
      400,
      expect.stringMatching(/^tag_filter: .*, at \d+: /),
    ]);
  }
});

test('logs are found by service, level, text, trace, request and type', async () => {
  const count = async (query: string): Promise<number> => (await logs(query)).logs.length;
  expect(await count('&service=stock')).toBe(5);
  expect(await count('&level=error')).toBe(13);
  expect(await count('&level=info,error')).toBe(25);
  expect(await count(`&text=${encodeURIComponent('order 7 OF ära')}`)).toBe(1);
  expect(await count(`&trace_id=${'ab'.repeat(16)}`)).toBe(1);
  expect(await count('&request_id=r-4&service=shop')).toBe(1);
  expect(await count('&type=access')).toBe(5);
  const bad = await fetch(`${server.url}/api/logs?start=1&end=2&level=loud`);
  expect(bad.status).toBe(400);
});

test('pages of logs neither repeat nor lose a record', async () => {
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 20; page += 1) {
    const query = cursor === '' ? '' : `&cursor=${cursor}`;
    const answer = await getJson(
      `/api/logs?start=${(nowS - 10) * 1e6}&end=${(nowS + 10) * 1e6}&limit=3${query}`,
    );
    seen.push(...answer.logs.map(({ id }: { id: string }) => id));
    if (answer.cursor === undefined) break;
    cursor = answer.cursor;
  }
  expect(seen).toEqual(Array.from({ length: 25 }, (_, at) => String(25 - at)));
});
