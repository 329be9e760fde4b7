import { describe, expect, test } from 'vitest';
import { get, observe, ok, summary } from './flow-testing.ts';
import { DIRECTION_IN, DIRECTION_OUT } from './transfer.ts';

describe('loss', () => {
  test('an interruption ends what is open as lossy, and what follows is whole again', () => {
    const { flow, said, receive, send } = observe();
    receive(get);
    flow.interrupt();
    expect(said()).toEqual(['request GET /a - lossy']);
    send(ok, { sequence: 9_000 });
    receive(get.replace('/a', '/b'), { sequence: 9_000 });
    send(ok);
    expect(said()).toEqual(['request GET /a - lossy', 'response - 200', 'session GET /b 200']);
  });

  test('lost answers leave their requests alone and the next pair is right', () => {
    const { said, skip, send, receive } = observe();
    receive(get);
    skip(DIRECTION_OUT, ok.length);
    receive(get.replace('/a', '/b'), { lostBefore: 1 });
    send(ok);
    receive(get.replace('/a', '/c'));
    send(ok);
    expect(said()).toEqual([
      'request GET /a - lossy',
      'session GET /b 200 lossy',
      'session GET /c 200',
    ]);
  });

  test('a lost request leaves its answer alone', () => {
    const { said, skip, send, receive } = observe();
    receive(get);
    send(ok);
    skip(DIRECTION_IN, get.length);
    send(ok, { lostBefore: 1 });
    receive(get);
    send(ok);
    expect(said()).toEqual([
      'session GET /a 200',
      'response - 200 lossy',
      'session GET /a 200 lossy',
    ]);
  });

  test('bytes lost inside a body do not lose the place', () => {
    const { exchanges, skip, send, receive } = observe();
    send('POST /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\n');
    skip(DIRECTION_OUT, 900);
    send('x'.repeat(100), { lostBefore: 2 });
    receive(ok);
    send(get);
    receive(ok);
    expect(exchanges.map((one) => [summary(one), one.request?.bodySize])).toEqual([
      ['session POST /a 200 lossy', 1000],
      ['session GET /a 200 lossy', 0],
    ]);
  });

  test('a prefix of each transfer is enough', () => {
    const { exchanges, send, receive } = observe();
    for (let i = 0; i < 2; i += 1) {
      receive('GET /long HTTP/1.1\r\nHost: h\r\nX-More: aaaa', { length: 900 });
      send('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nbeg', { length: 3000 });
      send('', { length: 2041, captured: 0 });
    }
    expect(
      exchanges.map((one) => [summary(one), one.request?.size, one.response?.bodySize]),
    ).toEqual([
      ['session GET /long 200', 900, 5000],
      ['session GET /long 200', 900, 5000],
    ]);
  });
});
