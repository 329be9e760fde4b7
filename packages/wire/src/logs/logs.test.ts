import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProtoWriter } from '../protobuf/writer.ts';
import { decodeLogJson } from './json.ts';
import { decodeLokiJson, decodeLokiProto } from './loki.ts';
import { parseLabels } from './loki-labels.ts';
import { readLevel } from './record.ts';
import { decodeSkywalkingLog, decodeSkywalkingLogs } from './skywalking-log.ts';
import { readTimestampUs } from './timestamp.ts';

const encoder = new TextEncoder();
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const logs = (value: unknown) => decodeLogJson(encoder.encode(JSON.stringify(value)));

test('an event of Vector keeps its level, service, ids, attributes and metrics', () => {
  const event = {
    message: 'order 7 failed',
    timestamp: '2026-11-22T10:55:25.123456789Z',
    level: 'WARNING',
    _df_log_type: 'audit',
    app_service: 'orders',
    trace_id: TRACE,
    span_id: SPAN,
    kubernetes: { pod_name: 'orders-1', pod_ip: '10.0.0.7', other: 1 },
    json: { order: 7, nested: { a: [1] } },
    metrics: { took: 1.5, n: '3', state: 'bad' },
    host: 'h1',
  };
  expect(logs([event])).toEqual({
    kind: 'decoded',
    value: {
      items: [
        {
          timeUs: Date.UTC(2026, 10, 22, 10, 55, 25) * 1e3 + 123_456,
          type: 'audit',
          level: 'WARN',
          body: 'order 7 failed',
          service: 'orders',
          instance: 'orders-1',
          traceId: TRACE,
          spanId: SPAN,
          requestId: '',
          attributes: [
            ['state', 'bad'],
            ['order', '7'],
            ['nested', '{"a":[1]}'],
            ['k8s.pod.name', 'orders-1'],
            ['k8s.pod.ip', '10.0.0.7'],
            ['host', 'h1'],
          ],
          metrics: [
            ['took', 1.5],
            ['n', 3],
          ],
        },
      ],
      refused: 0,
      firstRefusal: undefined,
    },
  });
});

const ENTRY = {
  request: {
    method: 'GET',
    uri: '/a/b?c=d',
    url: 'http://x.test/a/b?c=d',
    size: 10,
    headers: { host: 'x.test', 'user-agent': 'ua', 'x-many': ['1', '2'] },
  },
  response: { status: 503, size: 20, headers: { 'x-request-id': 'r-1' } },
  route_id: 'r',
  service_id: '',
  client_ip: '10.0.0.1',
  upstream: '10.0.0.2:80',
  start_time: 1_700_000_000_123,
  latency: 12.5,
  server: { hostname: 'gw-1', version: '3.18.0' },
};

test("a gateway's entry in its default format is an access log, its JSON the body", () => {
  const text = JSON.stringify(ENTRY, null, 1);
  const answer = decodeLogJson(encoder.encode(`[ ${text} ]`));
  expect(answer).toMatchObject({
    value: {
      items: [
        {
          timeUs: 1_700_000_000_123_000,
          type: 'access',
          level: 'ERROR',
          body: text,
          service: 'apisix',
          instance: 'gw-1',
          requestId: 'r-1',
          metrics: [['latency', 12.5]],
        },
      ],
    },
  });
  const attributes = answer.kind === 'decoded' ? answer.value.items[0]?.attributes : [];
  expect(Object.fromEntries(attributes ?? [])).toEqual({
    'http.request.method': 'GET',
    'url.full': 'http://x.test/a/b?c=d',
    'url.path': '/a/b',
    'http.request.size': '10',
    'http.response.status_code': '503',
    'http.response.size': '20',
    'server.address': 'x.test',
    'user_agent.original': 'ua',
    'client.address': '10.0.0.1',
    'apisix.upstream': '10.0.0.2:80',
    'apisix.route_id': 'r',
  });
});

const traceparent = `00-${TRACE}-${SPAN}-01`;

test.each([
  { name: 'a traceparent header', entry: { ...ENTRY, request: { headers: { traceparent } } } },
  { name: 'a field with a traceparent', entry: { uri: '/', anything: traceparent } },
  {
    name: "the gateway's own ids before the header",
    entry: {
      ...ENTRY,
      request: { headers: { traceparent: `00-${'1'.repeat(32)}-${SPAN}-01` } },
      opentelemetry_trace_id: TRACE,
      opentelemetry_span_id: SPAN,
    },
  },
  {
    name: 'b3 headers',
    entry: { request: { headers: { 'X-B3-TraceId': TRACE, 'x-b3-spanid': SPAN } } },
  },
])('an access log is joined to its trace by $name', ({ entry }) => {
  expect(logs(entry)).toMatchObject({ value: { items: [{ traceId: TRACE, spanId: SPAN }] } });
});

test('a chosen log_format keeps its fields, known ones under conventional names', () => {
  const entry = {
    request: 'GET /orders/1?x=1 HTTP/1.1',
    status: 401,
    '@timestamp': '2026-11-22T10:55:55+00:00',
    request_id: 'abc',
    request_time: 0.022,
    route_name: 'orders-api',
    http_authorization: 'secret',
    nested: { ua: 'x' },
  };
  expect(logs([entry])).toMatchObject({
    value: {
      items: [
        {
          level: 'WARN',
          requestId: 'abc',
          timeUs: Date.UTC(2026, 10, 22, 10, 55, 55) * 1e3,
          metrics: [['request_time', 0.022]],
          attributes: expect.arrayContaining([
            ['http.request.method', 'GET'],
            ['url.path', '/orders/1'],
            ['http.response.status_code', '401'],
            ['apisix.route_name', 'orders-api'],
            ['nested', '{"ua":"x"}'],
          ]),
        },
      ],
    },
  });
});

test('secret headers are in neither body nor attributes', () => {
  const headers = { Authorization: 'Bearer hunter2', cookie: 'hunter2', accept: '*/*' };
  const chosen = { uri: '/', http_authorization: 'hunter2', http_x_api_key: 'hunter2' };
  const answer = logs([{ ...ENTRY, request: { ...ENTRY.request, headers } }, chosen]);
  expect(JSON.stringify(answer)).not.toContain('hunter2');
  expect(JSON.stringify(answer)).toContain('accept');
});

test('arrays, lines and single objects are the same; a bad one is refused by itself', () => {
  const text = JSON.stringify({ message: 'x' });
  for (const body of [`[${text},{"no":1},${text}]`, `${text}\n{"no":1}\n${text}\n`]) {
    const answer = decodeLogJson(encoder.encode(body));
    expect(answer).toMatchObject({ value: { refused: 1, firstRefusal: { at: 1 } } });
    expect(answer.kind === 'decoded' && answer.value.items.length).toBe(2);
  }
  expect(logs({ message: '' })).toMatchObject({
    value: { items: [], firstRefusal: { reason: 'message is empty or no text' } },
  });
  expect(logs({ message: 'x', timestamp: 'yesterday' })).toMatchObject({ value: { refused: 1 } });
});

test('Loki pushes in JSON and in protobuf are the same records', () => {
  const labels = { job: 'apisix', level: 'error' };
  const json = {
    streams: [
      {
        stream: labels,
        values: [
          ['1700000000123456789', 'a line', { trace_id: TRACE, span_id: SPAN }],
          ['1700000000000000000', JSON.stringify({ route_id: 'r', status: 200, uri: '/' })],
        ],
      },
    ],
  };
  const writer = createProtoWriter();
  writer.messageField(1, () => {
    writer.textField(1, '{job="apisix", level="error"}');
    for (const [stamp = '', line = '', metadata = {}] of json.streams[0]?.values ?? []) {
      writer.messageField(2, () => {
        writer.messageField(1, () => {
          writer.varintField(1, BigInt(String(stamp)) / 1_000_000_000n);
          writer.varintField(2, BigInt(String(stamp)) % 1_000_000_000n);
        });
        writer.textField(2, String(line));
        for (const [name, value] of Object.entries(metadata)) {
          writer.messageField(3, () => {
            writer.textField(1, name);
            writer.textField(2, String(value));
          });
        }
      });
    }
  });
  const fromJson = decodeLokiJson(encoder.encode(JSON.stringify(json)));
  expect(decodeLokiProto(writer.finish())).toEqual(fromJson);
  expect(fromJson).toMatchObject({
    value: {
      items: [
        {
          timeUs: 1_700_000_000_123_456,
          type: 'user',
          level: 'ERROR',
          service: 'apisix',
          traceId: TRACE,
          spanId: SPAN,
          body: 'a line',
        },
        { type: 'access', body: '{"route_id":"r","status":200,"uri":"/"}' },
      ],
      refused: 0,
    },
  });
});

test("SkyWalking's logs in JSON and in protobuf are the same records", () => {
  const log = {
    timestamp: 1_700_000_000_123,
    service: 'shop',
    serviceInstance: 'shop-1',
    endpoint: '/cart',
    layer: 'GENERAL',
    body: { type: 'TEXT', text: { text: 'out of stock' } },
    traceContext: { traceId: 't.1', traceSegmentId: 's.1', spanId: 2 },
    tags: { data: [{ key: 'LEVEL', value: 'WARN' }] },
  };
  const writer = createProtoWriter();
  writer.varintField(1, log.timestamp);
  writer.textField(2, log.service);
  writer.textField(3, log.serviceInstance);
  writer.textField(4, log.endpoint);
  writer.messageField(5, () => {
    writer.textField(1, 'TEXT');
    writer.messageField(2, () => writer.textField(1, log.body.text.text));
  });
  writer.messageField(6, () => {
    writer.textField(1, 't.1');
    writer.textField(2, 's.1');
    writer.varintField(3, 2);
  });
  writer.messageField(7, () => {
    writer.messageField(1, () => {
      writer.textField(1, 'LEVEL');
      writer.textField(2, 'WARN');
    });
  });
  writer.textField(8, log.layer);
  const fromJson = decodeSkywalkingLogs(encoder.encode(JSON.stringify([log])));
  expect(decodeSkywalkingLog(writer.finish())).toEqual(fromJson);
  expect(fromJson).toMatchObject({
    value: {
      items: [
        {
          timeUs: 1_700_000_000_123_000,
          level: 'WARN',
          body: 'out of stock',
          service: 'shop',
          instance: 'shop-1',
          traceId: 't.1',
          spanId: 's.1-2',
        },
      ],
    },
  });
});

test.each([
  { text: '{}', labels: [] },
  {
    text: '{a="b\\n\\u00e9", c.d=`x`,}',
    labels: [
      ['a', 'b\né'],
      ['c.d', 'x'],
    ],
  },
  { text: 'a="b"', labels: 'labels are not in braces' },
  { text: '{a=b}', labels: 'labels are not name="value"' },
])('labels $text', ({ text, labels }) => {
  expect(parseLabels(text)).toEqual(labels);
});

test.each([
  { value: '2026-11-22T10:55:25Z', us: Date.UTC(2026, 10, 22, 10, 55, 25) * 1e3 },
  { value: '2026-11-22 12:55:25.5+0200', us: Date.UTC(2026, 10, 22, 10, 55, 25, 500) * 1e3 },
  { value: 1_700_000_000.5, us: 1_700_000_000_500_000 },
  { value: 1_700_000_000_000, us: 1_700_000_000_000_000 },
  { value: '1700000000123456789', us: 1_700_000_000_123_456 },
  { value: 'now', us: undefined },
  { value: '2026-13-45T99:99:99Z', us: undefined },
  { value: Number.NaN, us: undefined },
])('the time $value', ({ value, us }) => {
  expect(readTimestampUs(value)).toBe(us);
});

test.each([
  ['CRIT', 'FATAL'],
  ['erro', 'ERROR'],
  ['Warning', 'WARN'],
  ['INFO3', 'INFO'],
  ['DEBU', 'DEBUG'],
  ['trace', 'TRACE'],
  ['loud', undefined],
])('the level %s is %s', (word, level) => {
  expect(readLevel(word)).toBe(level);
});

test('never throws on arbitrary bytes and values; every truncation of an array is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.jsonValue(), (bytes, value) => {
      decodeLogJson(bytes);
      decodeLokiJson(bytes);
      decodeLokiProto(bytes);
      decodeSkywalkingLog(bytes);
      decodeSkywalkingLogs(bytes);
      logs(value);
      logs([{ request: value, response: value, kubernetes: value, metrics: value, uri: value }]);
      logs([{ message: 'x', json: value, metrics: value, kubernetes: value, level: value }]);
      decodeLokiJson(encoder.encode(JSON.stringify({ streams: [{ stream: {}, values: value }] })));
    }),
    { seed: 61 },
  );
  const bytes = encoder.encode(JSON.stringify([ENTRY]));
  for (let size = 1; size < bytes.length; size += 1) {
    expect(decodeLogJson(bytes.subarray(0, size)).kind).toBe('invalid');
  }
});
