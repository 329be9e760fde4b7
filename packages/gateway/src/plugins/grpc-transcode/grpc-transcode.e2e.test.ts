import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { Metadata, Server, ServerCredentials, type sendUnaryData, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../../testing/running-gateway.ts';

const PROTO = `
syntax = "proto3";
package shop.v1;
enum Size { UNKNOWN = 0; LARGE = 2; }
message Line { string sku = 1; int64 units = 2; }
message Order {
  string order_id = 1;
  repeated Line lines = 2;
  Size size = 3;
  bool is_gift = 4;
  map<string, int32> marks = 5;
  double price = 6;
}
message Why { string reason = 1; }
service Shop {
  rpc Place (Order) returns (Order);
  rpc Watch (Order) returns (stream Line);
}`;

let gateway: RunningGateway;
let server: Server;
let url = '';
let port = 0;

function toBytes(name: string, value: object): Buffer {
  const type = protobuf.parse(PROTO, { keepCase: true }).root.lookupType(name);
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}

/** Answers an order as it came; by its id it fails, early or after its head. */
function place(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
  const type = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('shop.v1.Order');
  const { order_id: id } = type.toObject(type.decode(call.request)) as { order_id?: string };
  if (id === 'deadline') {
    done(null, toBytes('shop.v1.Order', { order_id: call.metadata.get('grpc-timeout').join() }));
    return;
  }
  if (id !== 'early' && id !== 'late') {
    done(null, call.request);
    return;
  }
  const any = {
    type_url: 'type.googleapis.com/shop.v1.Why',
    value: toBytes('shop.v1.Why', { reason: 'sold out' }),
  };
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', statusBytes(14, 'out of service', any));
  if (id === 'late') call.sendMetadata(new Metadata());
  done({ code: status.UNAVAILABLE, details: 'out of service', metadata });
}

function statusBytes(code: number, message: string, detail: object): Buffer {
  const text = `syntax = "proto3"; import "google/protobuf/any.proto"; package google.rpc;
    message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }`;
  const { root } = protobuf.parse(text, { keepCase: true });
  root.addJSON(protobuf.common.get('google/protobuf/any.proto')?.nested ?? {});
  const type = root.lookupType('google.rpc.Status');
  return Buffer.from(type.encode(type.fromObject({ code, message, details: [detail] })).finish());
}

beforeAll(async () => {
  const raw = {
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
    requestStream: false,
  };
  server = new Server();
  server.addService(
    {
      place: { ...raw, path: '/shop.v1.Shop/Place', responseStream: false },
      watch: { ...raw, path: '/shop.v1.Shop/Watch', responseStream: true },
    },
    {
      place,
      watch(call: ServerWritableStream<Buffer, Buffer>) {
        for (const sku of ['a', 'b']) call.write(toBytes('shop.v1.Line', { sku, units: 1 }));
        call.end();
      },
    },
  );
  port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  gateway = await runGateway();
  url = `http://127.0.0.1:${gateway.ports[0]}`;
  await gateway.put('protos/shop', { content: PROTO });
  await route('place', { method: 'Place', show_status_in_body: true });
  await route('plain', { method: 'Place', deadline: 700, pb_option: ['int64_as_string'] });
  await route('watch', { method: 'Watch' });
});

afterAll(async () => {
  await gateway.close();
  server.forceShutdown();
});

async function route(id: string, conf: object, proto = 'shop'): Promise<void> {
  await gateway.put(`routes/${id}`, {
    uri: `/${id}`,
    plugins: { 'grpc-transcode': { proto_id: proto, service: 'shop.v1.Shop', ...conf } },
    upstream: { scheme: 'grpc', nodes: { [`127.0.0.1:${port}`]: 1 } },
  });
}

async function ask(path: string, body?: object): Promise<{ status: number; text: string }> {
  const given = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url + path, given);
  return { status: response.status, text: await response.text() };
}

test('JSON in a body goes to the service as a message, and its message comes back as JSON', async () => {
  const order = {
    order_id: '7',
    lines: [{ sku: 'x', units: 3 }],
    size: 'LARGE',
    is_gift: true,
    marks: { blue: 2 },
    price: 1.5,
  };
  const response = await fetch(`${url}/place`, { method: 'POST', body: JSON.stringify(order) });
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toEqual(order);
});

test('arguments of the query fill fields, and fields that nobody sent have their defaults', async () => {
  expect(await ask('/place?order_id=7&is_gift=true&size=2')).toEqual({
    status: 200,
    text: '{"order_id":"7","lines":[],"size":"LARGE","is_gift":true,"marks":{},"price":0}',
  });
});

test('64-bit numbers keep their digits, as numbers or as text', async () => {
  const lines = [{ sku: '', units: '#9007199254740993' }];
  expect((await ask('/place', { lines })).text).toContain('"units":9007199254740993}');
  expect((await ask('/plain', { lines })).text).toContain('"units":"#9007199254740993"}');
});

test.each([
  {
    name: 'a number that is none',
    body: { price: 'dear' },
    why: 'price: expected double, got "dear"',
  },
  {
    name: 'an unknown member of an enum',
    body: { size: 'HUGE' },
    why: 'size: expected an enum, got "HUGE"',
  },
  {
    name: 'a message that is none',
    body: { lines: [1] },
    why: 'lines[0]: expected an object, got 1',
  },
  { name: 'a list for the whole', body: [], why: 'the body is not a JSON object' },
])('$name is refused with the field', async ({ body, why }) => {
  expect(await ask('/place', body)).toEqual({
    status: 400,
    text: `${JSON.stringify({ error_msg: why })}\n`,
  });
});

test.each(['early', 'late'])(
  'an error that comes %s has its status of HTTP and is shown',
  async (id) => {
    const { status: shown, text } = await ask('/place', { order_id: id });
    expect(shown).toBe(503);
    const [detail] = JSON.parse(text).error.details;
    expect(JSON.parse(text).error).toMatchObject({ code: 14, message: 'out of service' });
    expect(detail.type_url).toBe('type.googleapis.com/shop.v1.Why');
    await route('typed', {
      method: 'Place',
      show_status_in_body: true,
      status_detail_type: 'shop.v1.Why',
    });
    const typed = await ask('/typed', { order_id: id });
    expect(JSON.parse(typed.text).error.details).toEqual([{ reason: 'sold out' }]);
  },
);

test('an error is not shown unless it was asked for', async () => {
  expect(await ask('/plain', { order_id: 'early' })).toEqual({ status: 503, text: '' });
});

test('messages of a stream are shown a line each', async () => {
  expect((await ask('/watch')).text).toBe('{"sku":"a","units":1}\n{"sku":"b","units":1}');
});

test('a descriptor set in base64 serves as the text does', async () => {
  const { root } = protobuf.parse(PROTO, { keepCase: true });
  root.resolveAll();
  const set = root.toDescriptor('proto3');
  const bytes = set.$type.encode(set).finish();
  await gateway.put('protos/set', { content: Buffer.from(bytes).toString('base64') });
  await route('set', { method: 'Place' }, 'set');
  expect((await ask('/set', { order_id: '7' })).text).toContain('"order_id":"7"');
});

test('a proto that cannot be read is refused, and a missing method is told to the caller', async () => {
  expect(await gateway.admin('PUT protos/bad', { content: 'message {' })).toBe(400);
  await route('nowhere', { method: 'Nothing' });
  expect(await ask('/nowhere')).toEqual({
    status: 503,
    text: '{"error_msg":"service shop.v1.Shop has no method Nothing"}\n',
  });
});

test('a proto in use is not deleted', async () => {
  expect(await gateway.admin('DELETE protos/shop')).toBe(400);
});
