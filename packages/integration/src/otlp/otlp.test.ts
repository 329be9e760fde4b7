import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { otlpJsonToProtobuf } from '@thalweg/wire';
import { expect, test } from 'vitest';
import {
  attributesOf,
  END_NS,
  JSON_HEADERS,
  NOW_MS,
  openOtlp,
  PROTO_HEADERS,
  spans,
} from '../testing/otlp-door.ts';
import { otlpPaths } from './http.ts';

const PAYLOADS = new URL(
  '../../../../../shared/conformance/apisix/payloads/otel/',
  import.meta.url,
);

test('log records become rows; one without a time has that of its arrival', async () => {
  const { sink, post } = await openOtlp();
  const logRecords = [
    {
      timeUnixNano: END_NS,
      observedTimeUnixNano: END_NS,
      severityNumber: 'SEVERITY_NUMBER_WARN2',
      severityText: 'WARN',
      body: { stringValue: 'disk nearly full' },
      attributes: attributesOf({ free: 7 }),
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      flags: 1,
    },
    { body: { kvlistValue: { values: attributesOf({ a: 1, b: 'x' }) } }, eventName: 'e' },
  ];
  const resource = { attributes: attributesOf({ 'service.name': 'cart' }) };
  const body = { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] };
  expect((await post('/v1/logs', JSON.stringify(body), JSON_HEADERS)).status).toBe(200);
  expect(sink.rows('log')).toMatchObject([
    {
      timestamp: (NOW_MS - 900) * 1e3 + 123,
      timestamp_nanos: 456,
      severity_number: 14,
      severity_text: 'WARN',
      body: 'disk nearly full',
      body_type: 's',
      app_service: 'cart',
      receiver: 'otlp',
      trace_id: 'ab'.repeat(16),
      span_id: 'cd'.repeat(8),
      trace_flags: 1,
      attribute_names: ['free'],
      attribute_values: ['7'],
      attribute_types: 'i',
    },
    { timestamp: NOW_MS * 1e3, body: '{"a":1,"b":"x"}', body_type: 'j', event_name: 'e' },
  ]);
});

test.each([
  ...otlpPaths('traces').map((path) => ({ path })),
  { path: '//v1/traces' },
  { path: '/api/v1/otel/trace/' },
])('$path takes spans, packed or not', async ({ path }) => {
  const { sink, post } = await openOtlp();
  const encoded = otlpJsonToProtobuf('traces', spans({}));
  const bytes = encoded.kind === 'bytes' ? encoded.bytes : new Uint8Array();
  const packed = { ...PROTO_HEADERS, 'content-encoding': 'gzip' };
  const plain = await post(path, bytes, PROTO_HEADERS);
  const gzipped = await post(path, gzipSync(bytes), packed);
  expect([plain.status, gzipped.status]).toEqual([200, 200]);
  expect(plain.headers.get('content-type')).toBe('application/x-protobuf');
  expect(sink.rows('l7_flow_log')).toHaveLength(2);
});

test.each([
  { name: 'bytes that are cut off', body: Uint8Array.from([10, 99]), headers: PROTO_HEADERS },
  { name: 'JSON that is none', body: '{"resourceSpans":', headers: JSON_HEADERS },
  { name: 'JSON of another shape', body: '[1]', headers: JSON_HEADERS },
])('$name: 400 with the reason, and no row', async ({ body, headers }) => {
  const { sink, post, integration } = await openOtlp();
  const response = await post('/v1/traces', body, headers);
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toBe(headers['content-type']);
  expect((await response.text()).length).toBeGreaterThan(10);
  expect(sink.rows('l7_flow_log')).toEqual([]);
  expect(integration.counters()['otlp_traces.reason.malformed']).toBe(1);
});

test('what cannot be kept is answered with 503 and Retry-After', async () => {
  const { sink, post } = await openOtlp();
  sink.answer = { status: 'busy', retryAfterS: 1 };
  const response = await post('/v1/traces', JSON.stringify(spans({})), JSON_HEADERS);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
});

test('every payload that a real APISIX sent is kept whole', async () => {
  if (!existsSync(PAYLOADS)) {
    throw new Error(`${PAYLOADS.pathname} is missing: check out ../shared beside the project`);
  }
  const { sink, post } = await openOtlp();
  const files = readdirSync(PAYLOADS).filter((name) => name.endsWith('.pb'));
  let wanted = 0;
  for (const file of files) {
    const decoded = readFileSync(new URL(file.replace('.pb', '.decoded.json'), PAYLOADS), 'utf8');
    wanted += decoded.match(/"span_?[iI]d"/g)?.length ?? 0;
    const response = await post('/v1/traces', readFileSync(new URL(file, PAYLOADS)), PROTO_HEADERS);
    expect([file, response.status]).toEqual([file, 200]);
  }
  const rows = sink.rows('l7_flow_log');
  expect(files.length).toBeGreaterThan(10);
  expect(rows).toHaveLength(wanted);
  expect(rows[0]).toMatchObject({
    observation_point: 's-app',
    l7_protocol: 20,
    request_type: 'GET',
    response_code: 200,
    span_kind: 2,
  });
});
