import { expect, test } from 'vitest';
import type { Exchange } from './exchange.ts';
import { createFlow } from './flow.ts';
import {
  blankTransfer,
  DIRECTION_IN,
  DIRECTION_OUT,
  IP_VERSION_UNIX,
  ROLE_SERVER,
  TRANSFER_DATA,
  type Transfer,
} from './transfer.ts';

const PATH = '/run/php/fpm.sock';
const PATH_AT = 0;
const BYTES_AT = 48;

/** A server's end of a unix-domain stream, to which each of `parts` is one transfer. */
function serve() {
  const exchanges: Exchange[] = [];
  const flow = createFlow({ onExchange: (exchange) => exchanges.push(exchange) });
  const sequences = [1000, 2000];
  function transfer(direction: number, content: Uint8Array, some: Partial<Transfer> = {}): void {
    const bytes = new Uint8Array(BYTES_AT + content.length);
    bytes.set(Buffer.from(PATH), PATH_AT);
    bytes.set(content, BYTES_AT);
    const sequence = sequences[direction] ?? 0;
    sequences[direction] = sequence + content.length;
    flow.transfer({
      ...blankTransfer(bytes),
      kind: TRANSFER_DATA,
      direction,
      atNs: 1,
      connection: 1,
      role: ROLE_SERVER,
      pid: 1,
      tid: 1,
      netns: 1,
      ipVersion: IP_VERSION_UNIX,
      localAddressAt: PATH_AT,
      remoteAddressAt: PATH_AT + 16,
      commAt: 32,
      sequence,
      length: content.length,
      captured: content.length,
      bytesAt: BYTES_AT,
      turnId: 7,
      ...some,
    });
  }
  return { flow, exchanges, transfer };
}

const record = (type: number, content: string): Buffer =>
  Buffer.concat([Buffer.from([1, type, 0, 1, 0, content.length, 0, 0]), Buffer.from(content)]);
const pair = (name: string, value: string): string =>
  String.fromCharCode(name.length, value.length) + name + value;

const ASKED = Buffer.concat([
  record(1, '\0\x01\0\0\0\0\0\0'),
  record(
    4,
    pair('REQUEST_METHOD', 'GET') +
      pair('REQUEST_URI', '/orders?id=1') +
      pair('HTTP_HOST', 'shop') +
      pair('HTTP_X_REQUEST_ID', 'abc'),
  ),
  record(4, ''),
  record(5, ''),
]);
const ANSWERED = Buffer.concat([
  record(6, 'Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno'),
  record(3, '\0\0\0\0\0\0\0\0'),
]);

test('what PHP reads piece by piece is one request of HTTP, on the path of its socket', () => {
  const { exchanges, transfer } = serve();
  for (let at = 0; at < ASKED.length; at += 8) transfer(DIRECTION_IN, ASKED.subarray(at, at + 8));
  transfer(DIRECTION_OUT, ANSWERED);
  const [{ connection, kind, request, response } = {} as Exchange] = exchanges;
  expect(exchanges).toHaveLength(1);
  expect({ kind, protocol: connection.protocol, isUnix: connection.isUnix }).toEqual({
    kind: 'session',
    protocol: 'fastcgi',
    isUnix: true,
  });
  expect(connection.localIp).toBe(PATH);
  expect(request).toMatchObject({
    method: 'GET',
    path: '/orders?id=1',
    host: 'shop',
    requestId: 'abc',
    sequence: 1000,
    turnId: 7,
    size: ASKED.length,
  });
  expect(response).toMatchObject({
    status: 404,
    outcome: 'client-error',
    reason: 'Not Found',
    sequence: 2000,
    bodySize: 2,
  });
});

test('a unix-domain stream that rests is forgotten: its close is not told', () => {
  const { flow, transfer } = serve();
  transfer(DIRECTION_IN, ASKED);
  flow.flush(20e9);
  expect(flow.counters().open).toBe(1); // It waits for its answer.
  transfer(DIRECTION_OUT, ANSWERED, { atNs: 21e9 });
  flow.flush(22e9);
  expect(flow.counters().open).toBe(1);
  flow.flush(32e9);
  expect(flow.counters().open).toBe(0);
});
