import { createProtoWriter } from '@thalweg/wire';
import { expect, onTestFinished, test } from 'vitest';
import { openIntegration, recordedPayload } from '../testing/open-integration.ts';

/** Soon after the recordings were made. */
const NOW = Date.UTC(2026, 10, 22, 12);

async function open() {
  const opened = await openIntegration({ now: () => NOW });
  onTestFinished(opened.close);
  return opened;
}

const post = (body: string | Uint8Array): RequestInit => ({
  method: 'POST',
  // Node's fetch takes bytes; its type of the web does not name them.
  body: body as string,
  headers: { 'content-type': 'application/json' },
});

test("a real APISIX's segments are rows, the exit under the entry", async () => {
  const { url, rows } = await open();
  const answer = await fetch(
    `${url}/v3/segments`,
    post(recordedPayload('skywalking/skywalking-01-first.2.json')),
  );
  expect([answer.status, await answer.json()]).toEqual([200, { kept: 4 }]);
  const [exit, entry] = rows('l7_flow_log');
  expect(entry).toMatchObject({
    trace_id: '0942abfc-9a47-4fa3-8ad9-ae05f86e3afc',
    span_id: '0942abfc-9a47-4fa3-8ad9-ae05f86e3afc-0',
    parent_span_id: '',
    observation_point: 's-app',
    app_service: 'APISIX',
    app_instance: 'apisix-gw-1',
    request_type: 'GET',
    request_resource: '/orders/1001?page=2&tag=a&tag=b',
    response_code: 200,
    start_time: 1_795_345_120_315_000,
    response_duration: 22_000n,
  });
  expect(exit).toMatchObject({
    span_id: '0942abfc-9a47-4fa3-8ad9-ae05f86e3afc-1',
    parent_span_id: '0942abfc-9a47-4fa3-8ad9-ae05f86e3afc-0',
    observation_point: 'c-app',
    request_domain: 'upstream service',
  });
});

test('a segment hangs under the span that its reference names, as sw8 spells it', async () => {
  const { url, rows } = await open();
  await fetch(
    `${url}/v3/segments`,
    post(recordedPayload('skywalking/skywalking-03-sw8-in.2.json')),
  );
  const parents = rows('l7_flow_log').map((row) => row['parent_span_id']);
  expect(parents).toContain('seg-123.1.1-3');
  expect(rows('l7_flow_log')[0]).toMatchObject({ trace_id: 'abc123.1.1' });
});

test('errors keep their status', async () => {
  const { url, rows } = await open();
  await fetch(
    `${url}/v3/segments`,
    post(recordedPayload('skywalking/skywalking-02-errors.2.json')),
  );
  const entries = rows('l7_flow_log').filter((row) => row['span_kind'] === 2);
  expect(entries.map((row) => [row['response_code'], row['response_status']])).toEqual([
    [404, 4],
    [401, 4],
    [502, 3],
    [200, 0],
  ]);
});

test.each(['/v3/management/reportProperties', '/v3/management/keepAlive'])(
  'an agent that asks %s stays up',
  async (path) => {
    const { url } = await open();
    const answer = await fetch(`${url}${path}`, post('{"service":"a","serviceInstance":"b"}'));
    expect([answer.status, await answer.json()]).toEqual([200, {}]);
  },
);

test('a bad segment costs itself only', async () => {
  const { url, rows } = await open();
  const span = { spanId: 0, parentSpanId: -1, startTime: NOW - 5, endTime: NOW };
  const body = JSON.stringify([
    { spans: [span] },
    { traceId: 't', traceSegmentId: 's', spans: [span] },
  ]);
  const answer = await fetch(`${url}/v3/segments`, post(body));
  expect([answer.status, await answer.json()]).toEqual([
    200,
    { kept: 1, refused: 1, first_refusal: 'segment 0: traceId is missing' },
  ]);
  expect(rows('l7_flow_log').length).toBe(1);
});

async function call(path: string, message: Uint8Array) {
  const { integration, rows } = await open();
  const method = integration.methods.find((one) => one.path === `/skywalking.v3.${path}`);
  return { answer: await method?.handle(Buffer.from(message)), rows };
}

test.each([
  { path: 'ManagementService/keepAlive', rejected: 0 },
  { path: 'ManagementService/reportInstanceProperties', rejected: 0 },
  { path: 'ConfigurationDiscoveryService/fetchConfigurations', rejected: 0 },
  { path: 'JVMMetricReportService/collect', rejected: 1 },
  { path: 'MeterReportService/collect', rejected: 1 },
])('an agent that calls $path goes on; $rejected of its messages is not kept', async (one) => {
  const { answer } = await call(one.path, Uint8Array.of(0x0a, 0x01, 0x61));
  const message = new Uint8Array();
  expect(answer).toEqual({ code: 0, message, rows: 0, rejected: one.rejected });
});

test("segments and logs by gRPC are rows; what is malformed is the caller's fault", async () => {
  const segment = createProtoWriter();
  segment.textField(1, 'trace.1');
  segment.textField(2, 'segment.1');
  segment.messageField(3, () => {
    segment.signedField(2, -1);
    segment.varintField(3, NOW);
    segment.varintField(4, NOW + 5);
  });
  const one = await call('TraceSegmentReportService/collect', segment.finish());
  expect(one.answer).toMatchObject({ code: 0, rows: 1, rejected: 0 });
  expect(one.rows('l7_flow_log')).toMatchObject([{ span_id: 'segment.1-0', span_kind: 2 }]);
  const log = createProtoWriter();
  log.messageField(5, () => log.messageField(2, () => log.textField(1, 'hello')));
  const two = await call('LogReportService/collect', log.finish());
  expect(two.answer).toMatchObject({ code: 0, rows: 1 });
  expect(two.rows('log')).toMatchObject([{ body: 'hello', receiver: 'skywalking' }]);
  const cut = segment.finish().subarray(0, -1);
  const bad = await call('TraceSegmentReportService/collect', cut);
  expect(bad.answer).toMatchObject({ code: 3, reason: 'body_invalid' });
});
