import { gzipSync } from 'node:zlib';
import { createProtoWriter } from '@thalweg/wire';
import { expect, onTestFinished, test } from 'vitest';
import { openIntegration, recordedPayload } from '../testing/open-integration.ts';

/** Soon after the recordings were made. */
const NOW = Date.UTC(2026, 10, 22, 12);
const NOW_US = NOW * 1e3;

async function open(outcome?: Parameters<typeof openIntegration>[0]['outcome']) {
  const opened = await openIntegration({ now: () => NOW, ...(outcome && { outcome }) });
  onTestFinished(opened.close);
  return opened;
}

const post = (body: string | Uint8Array, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  // Node's fetch takes bytes; its type of the web does not name them.
  body: body as string,
  headers: { 'content-type': 'application/json', ...headers },
});

test("a real APISIX's spans are rows of its requests, gzipped too", async () => {
  const { url, rows } = await open();
  const body = gzipSync(recordedPayload('zipkin/zipkin-01-v2.body'));
  const answer = await fetch(`${url}/api/v2/spans`, post(body, { 'content-encoding': 'gzip' }));
  expect([answer.status, await answer.json()]).toEqual([202, { kept: 6 }]);
  const [proxy, , request] = rows('l7_flow_log');
  expect(request).toMatchObject({
    trace_id: '26d005f55f654be96c91429e2d0cc7f8',
    span_id: 'eba57a23ed3d10c4',
    parent_span_id: '',
    app_service: 'apisix-edge',
    observation_point: 's-app',
    span_kind: 2,
    signal_source: 4,
    endpoint: 'apisix.request',
    request_type: 'GET',
    request_resource: '/orders/1001?page=2&tag=a&tag=b',
    response_code: 200,
    response_status: 0,
    l7_protocol: 20,
    start_time: 1_795_345_425_207_000,
    response_duration: 16_000n,
    ip_0: '127.0.0.1',
    client_port: 54_016,
    ip_1: '127.0.0.1',
    server_port: 9_080,
  });
  expect(proxy).toMatchObject({
    parent_span_id: 'eba57a23ed3d10c4',
    observation_point: 'app',
    endpoint: 'apisix.proxy',
  });
});

test.each([
  'zipkin/zipkin-02-v2-errors.1.body',
  'zipkin/zipkin-02-v2-errors.4.body',
  'zipkin/zipkin-03-v2-b3-in.body',
  'zipkin/zipkin-04-v1.1.body',
])('every span of the recording %s is kept', async (file) => {
  const { url, rows } = await open();
  const body = recordedPayload(file);
  const answer = await fetch(`${url}/api/v2/spans`, post(body));
  expect(answer.status).toBe(202);
  expect(rows('l7_flow_log').length).toBe(JSON.parse(body.toString()).length);
});

test('protobuf, annotations, errors and both halves of a shared span', async () => {
  const { url, rows } = await open();
  const writer = createProtoWriter();
  const half = (kind: number, service: string, shared: number): void =>
    writer.messageField(1, () => {
      writer.bytesField(1, Buffer.from('26d005f55f654be9', 'hex'));
      writer.bytesField(3, Buffer.from('eba57a23ed3d10c4', 'hex'));
      writer.varintField(4, kind);
      writer.textField(5, 'get /stock');
      writer.fixed64Field(6, BigInt(NOW_US - 5_000));
      writer.varintField(7, 4_000);
      writer.messageField(8, () => writer.textField(1, service));
      writer.messageField(10, () => {
        writer.fixed64Field(1, BigInt(NOW_US - 4_000));
        writer.textField(2, 'retry');
      });
      writer.messageField(11, () => {
        writer.textField(1, 'error');
        writer.textField(2, 'connection refused');
      });
      writer.varintField(13, shared);
    });
  half(1, 'shop', 0);
  half(2, 'stock', 1);
  const type = { 'content-type': 'application/x-protobuf' };
  const answer = await fetch(`${url}/api/v2/spans`, post(writer.finish(), type));
  expect(answer.status).toBe(202);
  const kept = rows('l7_flow_log');
  expect(kept).toMatchObject([
    { app_service: 'shop', observation_point: 'c-app', response_exception: 'connection refused' },
    { app_service: 'stock', observation_point: 's-app', span_status: 2, response_status: 3 },
  ]);
  expect(kept[0]?.['span_id']).toBe(kept[1]?.['span_id']);
  expect(JSON.parse(String(kept[0]?.['events']))).toMatchObject([{ name: 'retry' }]);
  expect(kept[1]?.['attribute_names']).toContain('zipkin.shared');
});

test('a bad span costs itself only; a body without a good one is 400', async () => {
  const { url, rows, integration } = await open();
  const good = { traceId: '1'.repeat(32), id: '2'.repeat(16), timestamp: NOW_US, duration: 1 };
  const some = await fetch(`${url}/api/v2/spans`, post(JSON.stringify([{ id: 'x' }, good])));
  expect([some.status, await some.json()]).toEqual([
    202,
    { kept: 1, refused: 1, first_refusal: 'span 0: traceId is not 1 to 32 hex digits, or is zero' },
  ]);
  const none = await fetch(`${url}/api/v2/spans`, post('[{"id":"x"}]'));
  expect(none.status).toBe(400);
  const old = await fetch(`${url}/api/v2/spans`, post(JSON.stringify([{ ...good, timestamp: 5 }])));
  expect(old.status).toBe(400);
  expect(rows('l7_flow_log').length).toBe(1);
  expect(integration.door.counters()).toMatchObject({ 'zipkin.rows': 1, 'zipkin.rejected': 3 });
});

test('a store that is behind is 503', async () => {
  const { url } = await open(() => ({ status: 'busy', retryAfterS: 2 }));
  const body = recordedPayload('zipkin/zipkin-01-v2.body');
  const answer = await fetch(`${url}/api/v2/spans`, post(body));
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
});
