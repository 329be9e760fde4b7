import type { Connection, Exchange, RequestPart } from './exchange.ts';
import { createFlow, type FlowOptions } from './flow.ts';
import {
  blankTransfer,
  DIRECTION_IN,
  DIRECTION_OUT,
  TRANSFER_CLOSE,
  TRANSFER_DATA,
  TRANSFER_END,
  type Transfer,
} from './transfer.ts';

export const get = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
export const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

export function transferOf(some: Partial<Transfer>): Transfer {
  const bytes = new Uint8Array(64);
  bytes.set([127, 0, 0, 1], 0);
  bytes.set([10, 0, 0, 2], 16);
  bytes.set(new TextEncoder().encode('nginx'), 32);
  return {
    ...blankTransfer(bytes),
    kind: TRANSFER_DATA,
    connection: 1,
    pid: 10,
    tid: 11,
    netns: 1,
    localPort: 80,
    remotePort: 4000,
    remoteAddressAt: 16,
    commAt: 32,
    bytesAt: 64,
    ...some,
  };
}

/** A flow whose clock ticks 1 µs a transfer, and whose sequence numbers follow the bytes. */
export function observe(options: Partial<FlowOptions> = {}) {
  const exchanges: Exchange[] = [];
  const requests: [Connection, RequestPart][] = [];
  const flow = createFlow({
    onExchange: (exchange) => exchanges.push(exchange),
    onRequest: (connection, request) => requests.push([connection, request]),
    ...options,
  });
  const sequences = new Map<string, number>();
  let atNs = 0;

  function data(direction: number, text: string, some: Partial<Transfer> = {}): void {
    const blank = transferOf(some);
    const payload = new TextEncoder().encode(text);
    const bytes = new Uint8Array(64 + payload.length);
    bytes.set(blank.bytes);
    bytes.set(payload, 64);
    const key = `${blank.connection} ${direction}`;
    const nextOf = (way: number): number =>
      sequences.get(`${blank.connection} ${way}`) ?? 1000 * (way + 1);
    const sequence = some.sequence ?? nextOf(direction);
    const length = some.length ?? payload.length;
    sequences.set(key, (sequence + length) >>> 0);
    atNs += 1000;
    flow.transfer({
      ...blank,
      direction,
      bytes,
      sequence,
      answerSequence: nextOf(1 - direction),
      length,
      captured: some.captured ?? payload.length,
      atNs: some.atNs ?? atNs,
    });
  }
  return {
    flow,
    exchanges,
    requests,
    data,
    receive: (text: string, some?: Partial<Transfer>) => data(DIRECTION_IN, text, some),
    send: (text: string, some?: Partial<Transfer>) => data(DIRECTION_OUT, text, some),
    skip: (direction: number, count: number, connection = 1) => {
      const key = `${connection} ${direction}`;
      sequences.set(key, (sequences.get(key) ?? 1000 * (direction + 1)) + count);
    },
    close: () => flow.transfer(transferOf({ kind: TRANSFER_CLOSE })),
    end: (direction: number) => flow.transfer(transferOf({ kind: TRANSFER_END, direction })),
    said: () => exchanges.map(summary),
  };
}

export function summary({ kind, request, response, isLossy }: Exchange): string {
  const asked = request === undefined ? '-' : `${request.method} ${request.path}`;
  return `${kind} ${asked} ${response?.status ?? '-'}${isLossy ? ' lossy' : ''}`;
}
