import { expect, test } from 'vitest';
import {
  attributesOf,
  END_NS,
  JSON_HEADERS,
  NOW_MS,
  openOtlp,
  START_NS,
  spans,
} from '../testing/otlp-door.ts';

test('a span becomes one row that says all of it', async () => {
  const { sink, post } = await openOtlp();
  const body = spans({
    name: 'GET /orders/{id}',
    kind: 2,
    parentSpanId: '53995c3f42cd8ad8',
    traceState: 'a=b',
    attributes: attributesOf({
      'http.request.method': 'GET',
      'url.path': '/orders/7',
      'url.query': 'x=1',
      'url.scheme': 'https',
      'http.response.status_code': 503,
      'server.address': 'shop.test',
      'server.port': 8443,
      'client.address': '10.1.1.9',
      'network.peer.address': '10.0.0.2',
      'network.peer.port': 51_000,
      'http.request.header.x-request-id': ['r-1'],
      'cart.items': 3,
      'cart.total': 9.5,
      'cart.paid': true,
    }),
    events: [
      {
        timeUnixNano: START_NS,
        name: 'exception',
        attributes: attributesOf({ 'exception.message': 'no stock', 'exception.type': 'Error' }),
      },
    ],
    links: [
      { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), attributes: attributesOf({ n: 1 }) },
    ],
    status: { code: 2, message: 'failed' },
  });
  const response = await post('/v1/traces', JSON.stringify(body), JSON_HEADERS);
  expect([response.status, await response.json()]).toEqual([200, {}]);
  expect(sink.rows('l7_flow_log')).toMatchObject([
    {
      time: Math.floor((NOW_MS - 900) / 1e3),
      start_time: (NOW_MS - 1_000) * 1e3,
      end_time: (NOW_MS - 900) * 1e3 + 123,
      response_duration: 100_123n,
      signal_source: 4,
      observation_point: 's-app',
      app_service: 'cart',
      app_instance: 'cart-1',
      host: 'node-3',
      process_id_1: 41,
      ip_0: '10.0.0.2',
      client_port: 51_000,
      server_port: 8_443,
      l7_protocol: 20,
      is_tls: 1,
      request_type: 'GET',
      request_domain: 'shop.test',
      request_resource: '/orders/7?x=1',
      endpoint: 'GET /orders/{id}',
      response_code: 503,
      response_status: 3,
      response_exception: 'no stock',
      http_proxy_client: '10.1.1.9',
      x_request_id_0: 'r-1',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      span_id: '00f067aa0ba902b7',
      parent_span_id: '53995c3f42cd8ad8',
      trace_state: 'a=b',
      span_kind: 2,
      span_status: 2,
      attribute_names: [
        'http.request.header.x-request-id',
        'cart.items',
        'cart.total',
        'cart.paid',
        'otel.status_description',
      ],
      attribute_values: ['["r-1"]', '3', '9.5', 'true', 'failed'],
      attribute_types: 'jidbs',
      resource_attributes:
        '{"service.name":"cart","service.instance.id":"cart-1","host.name":"node-3","process.pid":41}',
      scope: '{"name":"http","version":"1.2"}',
      events: `[{"time_unix_nano":"${START_NS}","name":"exception","attributes":{"exception.message":"no stock","exception.type":"Error"}}]`,
      links: `[{"trace_id":"${'ab'.repeat(16)}","span_id":"${'cd'.repeat(8)}","attributes":{"n":1}}]`,
    },
  ]);
});

test.each([
  {
    name: 'the old names of HTTP',
    kind: 2,
    attributes: {
      'http.method': 'POST',
      'http.target': '/pay?a=1',
      'http.status_code': 404,
      'http.host': 'shop.test',
      'http.scheme': 'http',
      'http.flavor': '2.0',
      'net.peer.ip': '10.0.0.9',
    },
    want: {
      request_type: 'POST',
      request_resource: '/pay?a=1',
      response_code: 404,
      response_status: 4,
      request_domain: 'shop.test',
      l7_protocol: 21,
      version: '2.0',
      ip_0: '10.0.0.9',
      attribute_names: [],
    },
  },
  {
    name: 'old and new names that agree',
    kind: 2,
    attributes: {
      'http.method': 'GET',
      'http.request.method': 'GET',
      'http.status_code': 200,
      'http.response.status_code': 200,
    },
    want: { request_type: 'GET', response_code: 200, response_status: 0, attribute_names: [] },
  },
  {
    name: 'old and new names that differ: the new one counts, the old one stays',
    kind: 2,
    attributes: { 'http.method': 'get', 'http.request.method': 'GET' },
    want: { request_type: 'GET', attribute_names: ['http.method'], attribute_values: ['get'] },
  },
  {
    name: 'a client with a whole address',
    kind: 3,
    attributes: {
      'http.request.method': 'GET',
      'url.full': 'https://pay.test:8443/charge?id=1#top',
      'server.address': 'pay.test',
      'server.port': 8_443,
    },
    want: {
      observation_point: 'c-app',
      request_resource: '/charge?id=1',
      request_domain: 'pay.test',
      server_port: 8_443,
      attribute_names: ['url.full'],
    },
  },
  {
    name: 'a database call',
    kind: 3,
    attributes: {
      'db.system': 'postgresql',
      'db.operation': 'SELECT',
      'db.statement': 'SELECT 1',
      'db.name': 'shop',
    },
    want: {
      l7_protocol: 61,
      request_type: 'SELECT',
      request_resource: 'SELECT 1',
      request_domain: 'shop',
      response_status: 5,
      attribute_names: ['db.system'],
    },
  },
  {
    name: 'a gRPC call',
    kind: 3,
    attributes: {
      'rpc.system': 'grpc',
      'rpc.service': 'shop.Cart',
      'rpc.method': 'Add',
      'rpc.grpc.status_code': 14,
    },
    want: {
      l7_protocol: 41,
      request_type: 'Add',
      request_resource: 'shop.Cart',
      response_code: 14,
    },
  },
  {
    name: 'a message that is sent',
    kind: 4,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.name': 'orders',
      'messaging.operation.type': 'send',
    },
    want: {
      l7_protocol: 100,
      is_async: 1,
      request_type: 'send',
      request_resource: 'orders',
      observation_point: 'c-app',
    },
  },
])('$name', async ({ kind, attributes, want }) => {
  const { sink, post } = await openOtlp();
  const body = spans({ kind, attributes: attributesOf(attributes) });
  await post('/v1/traces', JSON.stringify(body), JSON_HEADERS);
  expect(sink.rows('l7_flow_log')).toMatchObject([want]);
});

test('spans of a wrong time are left out, and the sender is told how many and why', async () => {
  const { sink, post } = await openOtlp();
  const late = { startTimeUnixNano: '5', endTimeUnixNano: '6' };
  const response = await post('/v1/traces', JSON.stringify(spans(late, {})), JSON_HEADERS);
  const errorMessage = 'their time is out of the retention, or more than ten minutes ahead';
  expect([response.status, await response.json()]).toEqual([
    200,
    { partialSuccess: { rejectedSpans: '1', errorMessage } },
  ]);
  expect(sink.rows('l7_flow_log')).toHaveLength(1);
});

test('each span has its own resource, scope and kind, also where requests share a block', async () => {
  const { sink, post } = await openOtlp();
  const times = { startTimeUnixNano: START_NS, endTimeUnixNano: END_NS };
  const scopeOf = (name: string, ...kinds: number[]): object => ({
    scope: { name },
    spans: kinds.map((kind) => ({
      ...times,
      name,
      kind,
      traceId: 'ab'.repeat(16),
      spanId: '12'.repeat(8),
    })),
  });
  const resourceOf = (service: string, ...scopeSpans: object[]): object => ({
    resource: { attributes: attributesOf({ 'service.name': service, 'process.pid': 41 }) },
    scopeSpans,
  });
  const bodies = ['a', 'b'].map((body) => ({
    resourceSpans: [
      resourceOf(`${body}1`, scopeOf('http', 2, 3, 2), scopeOf('sql', 3)),
      resourceOf(`${body}2`, scopeOf('http', 2)),
    ],
  }));
  await Promise.all(bodies.map((body) => post('/v1/traces', JSON.stringify(body), JSON_HEADERS)));
  const ofBody = (body: string): unknown[][] => [
    [`${body}1`, '{"name":"http"}', 2, 's-app', 41],
    [`${body}1`, '{"name":"http"}', 3, 'c-app', 0],
    [`${body}1`, '{"name":"http"}', 2, 's-app', 41],
    [`${body}1`, '{"name":"sql"}', 3, 'c-app', 0],
    [`${body}2`, '{"name":"http"}', 2, 's-app', 41],
  ];
  const stored = sink
    .rows('l7_flow_log')
    .map((row) => [
      row['app_service'],
      row['scope'],
      row['span_kind'],
      row['observation_point'],
      row['process_id_1'],
    ]);
  expect(stored.sort()).toEqual([...ofBody('a'), ...ofBody('b')].sort());
});
