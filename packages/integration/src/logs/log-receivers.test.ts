import { gzipSync } from 'node:zlib';
import { createProtoWriter, snappyEncode } from '@thalweg/wire';
import { expect, onTestFinished, test } from 'vitest';
import { openIntegration, recordedPayload } from '../testing/open-integration.ts';

/** Soon after the recordings were made. */
const NOW = Date.UTC(2026, 10, 22, 12);
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

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

test('an event of Vector is a row, gzipped too', async () => {
  const { url, rows } = await open();
  const event = {
    message: 'slow',
    timestamp: '2026-11-22T11:59:59.5Z',
    level: 'warn',
    app_service: 'orders',
    trace_id: TRACE,
    json: { a: 1 },
    metrics: { took: 2.5 },
  };
  const body = gzipSync(JSON.stringify([event]));
  const answer = await fetch(`${url}/api/v1/log`, post(body, { 'content-encoding': 'gzip' }));
  expect([answer.status, await answer.json()]).toEqual([200, { kept: 1 }]);
  expect(rows('log')).toMatchObject([
    {
      time: NOW / 1e3 - 1,
      timestamp: NOW * 1e3 - 500_000,
      observed_timestamp: NOW * 1e3,
      _type: 'user',
      receiver: 'http-json',
      severity_number: 13,
      severity_text: 'WARN',
      body: 'slow',
      app_service: 'orders',
      trace_id: TRACE,
      attribute_names: ['a', 'took'],
      attribute_values: ['1', '2.5'],
      attribute_types: 'sd',
    },
  ]);
});

test.each([
  { file: 'loggers/http-logger-01-default-single.body', count: 1 },
  { file: 'loggers/http-logger-02-default-mixed.1.body', count: 5 },
  { file: 'loggers/http-logger-03-batch-max-1.1.body', count: 1 },
  { file: 'loggers/http-logger-05-new-line.body', count: 3 },
  { file: 'loggers/http-logger-06-log-format.1.body', count: 3 },
  { file: 'loggers/http-logger-08-global-rule-no-route.body', count: 2 },
])('what a real http-logger posted ($file) is $count access-log rows', async ({ file, count }) => {
  const { url, rows } = await open();
  const body = recordedPayload(file);
  const answer = await fetch(`${url}/http-logger?`, post(body));
  expect([answer.status, await answer.json()]).toEqual([200, { kept: count }]);
  const kept = rows('log');
  expect(kept.map(({ _type, app_service }) => [_type, app_service])).toEqual(
    Array.from({ length: count }, () => ['access', 'apisix']),
  );
  for (const { body: text, attribute_names } of kept) {
    // The sender's own bytes, not a new spelling of them.
    expect(body.toString()).toContain(String(text));
    expect(attribute_names).toContain('http.response.status_code');
    expect(attribute_names).toContain('apisix.route_id');
  }
});

test('an access log of a real gateway is joined to its trace and request', async () => {
  const { url, rows } = await open();
  const body = recordedPayload('loggers/http-logger-07-log-format-extra.body');
  await fetch(`${url}/http-logger`, post(body));
  expect(rows('log')).toMatchObject([
    {
      trace_id: TRACE,
      span_id: '00f067aa0ba902b7',
      x_request_id: '55706778ded0b75c25fb1cf3a7fe43a3',
      app_instance: 'apisix-gw-1',
      timestamp: 1_795_344_961_903_000,
    },
  ]);
});

test.each([
  { file: 'loggers/loki-logger-01-default.1.body', service: 'apisix' },
  { file: 'loggers/loki-logger-02-labels-tenant.body', service: 'apisix' },
])('what a real loki-logger pushed ($file) is access-log rows', async ({ file, service }) => {
  const { url, rows } = await open();
  const answer = await fetch(`${url}/loki/api/v1/push`, post(recordedPayload(file)));
  expect(answer.status).toBe(204);
  expect(new Set(rows('log').map((row) => `${row['_type']} ${row['app_service']}`))).toEqual(
    new Set([`access ${service}`]),
  );
});

test('what a real skywalking-logger posted is access-log rows with its trace', async () => {
  const { url, rows } = await open();
  const body = recordedPayload('loggers/skywalking-logger-01-default.body');
  const answer = await fetch(`${url}/v3/logs`, post(body));
  expect([answer.status, await answer.json()]).toEqual([200, { kept: 2 }]);
  expect(rows('log')).toMatchObject([
    { _type: 'access', app_service: 'APISIX', trace_id: '', span_id: '' },
    { _type: 'access', trace_id: 'abc123.1.1', span_id: 'seg-123.1.1-3', receiver: 'skywalking' },
  ]);
});

test('Loki in snappy protobuf', async () => {
  const { url, rows } = await open();
  const writer = createProtoWriter();
  writer.messageField(1, () => {
    writer.textField(1, '{app="shop", level="error"}');
    writer.messageField(2, () => {
      writer.messageField(1, () => writer.varintField(1, NOW / 1e3));
      writer.textField(2, 'out of stock');
    });
  });
  const body = snappyEncode(writer.finish());
  const type = { 'content-type': 'application/x-protobuf' };
  const answer = await fetch(`${url}/loki/api/v1/push`, post(body, type));
  expect(answer.status).toBe(204);
  expect(rows('log')).toMatchObject([
    { app_service: 'shop', body: 'out of stock', severity_number: 17, receiver: 'loki' },
  ]);
  const bad = await fetch(`${url}/loki/api/v1/push`, post(body.subarray(0, -3), type));
  expect(bad.status).toBe(400);
});

test('what is not kept is said, counted, and does not cost the rest', async () => {
  const { url, rows, integration } = await open();
  const events = [
    { message: 'a' },
    { no: 1 },
    { message: 'old', timestamp: '2020-01-01T00:00:00Z' },
  ];
  const answer = await fetch(`${url}/api/v1/log`, post(JSON.stringify(events)));
  expect([answer.status, await answer.json()]).toEqual([
    200,
    {
      kept: 1,
      refused: 2,
      first_refusal: 'log 1: no message, and neither request, uri nor status',
    },
  ]);
  expect(rows('log').map(({ body }) => body)).toEqual(['a']);
  expect(integration.door.counters()).toMatchObject({
    'logs_json.rows': 1,
    'logs_json.rejected': 2,
    'logs_json.reason.out_of_time': 1,
  });
});

test.each([
  { name: 'no JSON', body: 'hello', status: 400 },
  { name: 'an array that is cut off', body: '[{"message":"a"}', status: 400 },
  { name: 'nothing understood', body: '[{"a":1}]', status: 400 },
  { name: 'deep JSON', body: `[${'['.repeat(100_000)}`, status: 400 },
])('$name is $status', async ({ body, status }) => {
  const { url, rows } = await open();
  const answer = await fetch(`${url}/api/v1/log`, post(body));
  expect([answer.status, rows('log')]).toEqual([status, []]);
});

test('a store that is behind is 503 with the time to come back', async () => {
  const { url } = await open(() => ({ status: 'busy', retryAfterS: 3 }));
  const answer = await fetch(`${url}/api/v1/log`, post('[{"message":"a"}]'));
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '3']);
});
