import { describe, expect, test } from 'vitest';
import type { Exchange } from './exchange.ts';
import { createFlow } from './flow.ts';
import {
  blankTransfer,
  DIRECTION_IN,
  DIRECTION_OUT,
  ROLE_CLIENT,
  ROLE_SERVER,
  ROLE_UNKNOWN,
  TRANSFER_CLOSE,
  TRANSFER_DATA,
  type Transfer,
} from './transfer.ts';

function observe(role: number = ROLE_UNKNOWN) {
  const exchanges: Exchange[] = [];
  const steps: string[] = [];
  const flow = createFlow({
    onExchange: (exchange) => exchanges.push(exchange),
    onRequest: (_, { path }) => steps.push(path),
    onHidden: (_, { direction }) =>
      steps.push(direction === DIRECTION_OUT ? 'hidden' : 'hidden answers'),
  });
  const sequences = [1000, 2000];

  function transfer(direction: number, text: string, some: Partial<Transfer> = {}): void {
    const bytes = new Uint8Array([...new Uint8Array(48), ...new TextEncoder().encode(text)]);
    const length = some.length ?? bytes.length - 48;
    const sequence = sequences[direction] ?? 0;
    sequences[direction] = sequence + length;
    flow.transfer({
      ...blankTransfer(bytes),
      kind: TRANSFER_DATA,
      direction,
      atNs: 1,
      connection: 1,
      role,
      pid: 1,
      tid: 1,
      netns: 1,
      // No port that Redis is known by: none is looked at.
      localPort: 80,
      remotePort: 443,
      remoteAddressAt: 16,
      commAt: 32,
      sequence,
      length,
      captured: bytes.length - 48,
      bytesAt: 48,
      ...some,
    });
  }
  return {
    flow,
    steps,
    send: (text: string, some?: Partial<Transfer>) => transfer(DIRECTION_OUT, text, some),
    receive: (text: string, some?: Partial<Transfer>) => transfer(DIRECTION_IN, text, some),
    close: () => transfer(DIRECTION_OUT, '', { kind: TRANSFER_CLOSE }),
    said: () =>
      exchanges.map(({ connection, kind, request, response }) => {
        const answer = response === undefined ? '-' : `${response.result} ${response.outcome}`;
        return `${connection.protocol} ${connection.role} ${kind} ${request?.path ?? '-'}: ${answer}`;
      }),
  };
}

const get = '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n';
const ping = '*1\r\n$4\r\nPING\r\n';

describe('Redis on any port', () => {
  test('pipelined commands are answered in order', () => {
    const { send, receive, said } = observe();
    send(`${get}${ping}`);
    receive('$1\r\nv\r\n-LOADING x\r\n');
    expect(said()).toEqual([
      'redis client session GET k: String success',
      'redis client session PING: Error server-error',
    ]);
  });

  test('a connection that is joined in the middle is understood from its next command', () => {
    const { flow, send, receive, said } = observe();
    receive('+OK\r\n');
    expect(flow.counters().opaque.other).toBe(1);
    send(get);
    receive('$-1\r\n');
    expect(said()).toEqual(['redis client session GET k: String success']);
    expect(flow.counters().opaque.other).toBe(0);
  });

  test('an array that a client reads is an answer, though it looks like a command', () => {
    const { send, receive, said } = observe(ROLE_CLIENT);
    receive('*1\r\n$4\r\nPING\r\n');
    send(get);
    receive('$-1\r\n');
    expect(said()).toEqual([
      'redis client response -: Array success',
      'redis client session GET k: String success',
    ]);
  });

  test('messages to a subscriber answer nothing', () => {
    const { send, receive, said, close } = observe(ROLE_SERVER);
    receive('*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n');
    send('*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n');
    send('*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n');
    close();
    expect(said()).toEqual(['redis server session SUBSCRIBE c: Array success']);
  });

  test('HTTP/1 that talks of Redis stays HTTP/1', () => {
    const { send, receive, said } = observe();
    send('POST /a HTTP/1.1\r\nContent-Length: 21\r\n\r\n');
    send(get);
    receive('HTTP/1.1 204 No Content\r\n\r\n');
    expect(said()).toEqual(['http1 client session /a:  success']);
  });

  test('a value whose end was not captured does not shift the answers', () => {
    const { send, receive, said } = observe();
    send('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$900\r\nab', { length: 929 });
    receive('+OK\r\n');
    send(get);
    receive('$900\r\nab', { length: 908 });
    send(ping);
    receive('+PONG\r\n');
    expect(said()).toEqual([
      'redis client session SET k ?: Status success',
      'redis client session GET k: String success',
      'redis client session PING: Status success',
    ]);
  });
});

test('commands whose bytes were not captured are told of as hidden, where they left', () => {
  const { send, receive, steps } = observe(ROLE_CLIENT);
  const ask = (key: string): string => `*2\r\n$3\r\nGET\r\n$1\r\n${key}\r\n`;
  send(ask('a'));
  send(`${ask('b')}*2\r\n$3\r\nGET\r\n$1`, { length: 500 });
  send(ask('c')); // Behind a place that is not known.
  receive('+1\r\n+2\r\n+3\r\n');
  send(ask('d'));
  send(ask('e'), { lostBefore: 1 });
  expect(steps).toEqual([
    'GET a',
    'GET b',
    'GET …',
    'hidden',
    'hidden',
    'GET d',
    'hidden',
    'GET e',
  ]);
});
