import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { get, observe, ok, transferOf } from './flow-testing.ts';
import {
  CAUSE_CONNECT,
  CAUSE_THREAD,
  DIRECTION_IN,
  DIRECTION_OUT,
  TRANSFER_CONNECT,
  TRANSFER_DATA,
} from './transfer.ts';

const seed = 20_260_101;

describe('pairs', () => {
  test('a request and its answer become one exchange with the spans of both', () => {
    const { exchanges, requests, receive, send } = observe();
    receive(`\r\n${get.slice(0, 8)}`, { turnId: 3, tid: 20 });
    receive(get.slice(8), { turnId: 3, tid: 21 });
    send(ok, { turnId: 4, causeId: 3, causeKind: CAUSE_THREAD });
    expect(exchanges).toEqual([
      {
        connection: {
          id: 1,
          protocol: 'http1',
          role: 'server',
          pid: 10,
          comm: 'nginx',
          netns: 1,
          isUnix: false,
          localIp: '127.0.0.1',
          localPort: 80,
          remoteIp: '10.0.0.2',
          remotePort: 4000,
        },
        kind: 'session',
        request: {
          startNs: 1000,
          endNs: 2000,
          sequence: 1002,
          answerSequence: 2000,
          tid: 20,
          turnId: 3,
          causeId: 0,
          causeKind: 0,
          size: get.length,
          captured: get.length,
          bodySize: 0,
          method: 'GET',
          path: '/a',
          host: 'h',
          version: '1.1',
          contentLength: undefined,
          trace: undefined,
          requestId: '',
          forwardedFor: '',
          answeredBeforeNs: -Infinity,
          note: undefined,
          headers: [['host', 'h']],
        },
        response: {
          startNs: 3000,
          endNs: 3000,
          sequence: 2000,
          tid: 11,
          turnId: 4,
          causeId: 3,
          causeKind: CAUSE_THREAD,
          size: ok.length,
          captured: ok.length,
          bodySize: 2,
          outcome: 'success',
          status: 200,
          reason: 'OK',
          result: '',
          version: '1.1',
          contentLength: 2,
          trace: undefined,
          requestId: '',
          headers: [['content-length', '2']],
        },
        isLossy: false,
      },
    ]);
    expect(requests).toEqual([[exchanges[0]?.connection, exchanges[0]?.request]]);
    expect(requests[0]?.[1]).toBe(exchanges[0]?.request);
  });

  test('pipelined requests are answered in order, interim answers and HEAD do not shift them', () => {
    const { said, send, receive } = observe();
    send(`${get}${get.replace('GET /a', 'HEAD /b')}${get.replace('/a', '/c')}`);
    receive(`HTTP/1.1 100 Continue\r\n\r\n${ok}HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n`);
    receive(ok.replace('200', '404'));
    expect(said()).toEqual(['session GET /a 200', 'session HEAD /b 200', 'session GET /c 404']);
  });

  test('where an answer begins is known before it, but behind an open request', () => {
    const { requests, send, receive } = observe();
    send(`${get}${get}`);
    receive(`${ok}${ok}`);
    send(get);
    const begins = requests.map(([, { answerSequence }]) => answerSequence);
    expect(begins).toEqual([1000, 0, 1000 + 2 * ok.length]);
  });

  test.each([
    { name: 'CONNECT', ask: 'CONNECT h:1 HTTP/1.1\r\n\r\n', answer: 'HTTP/1.1 200 OK\r\n\r\n' },
    { name: 'an upgrade', ask: get, answer: 'HTTP/1.1 101 Switching Protocols\r\n\r\n' },
  ])('after $name both directions are opaque', ({ ask, answer }) => {
    const { exchanges, flow, send, receive } = observe();
    send(ask);
    receive(answer);
    send(get);
    receive(ok);
    expect(exchanges.length).toBe(1);
    expect(flow.counters()).toMatchObject({ tunnels: 1, requests: 1 });
  });

  test('a first request without a cause takes the one of connect', () => {
    const { flow, exchanges, send, receive } = observe();
    flow.transfer(transferOf({ kind: TRANSFER_CONNECT, causeId: 7 }));
    for (let i = 0; i < 2; i += 1) {
      send(get);
      receive(ok);
    }
    expect(exchanges.map(({ request }) => [request?.causeId, request?.causeKind])).toEqual([
      [7, CAUSE_CONNECT],
      [0, 0],
    ]);
  });

  test('an answer without length ends at close', () => {
    const { said, send, receive, close } = observe();
    send(get);
    receive('HTTP/1.0 200 OK\r\n\r\nhello');
    expect(said()).toEqual([]);
    close();
    expect(said()).toEqual(['session GET /a 200']);
  });
});

describe('headers', () => {
  test('secrets are redacted even when allowed, ids are read even when not kept', () => {
    const headers = ['authorization', 'cookie', 'x-api-key', 'set-cookie', 'x_custom'];
    const { exchanges, send, receive } = observe({ headers });
    const secrets = 'Authorization: a\r\nCookie: b\r\nX-API-Key: c\r\nX-Custom: d\r\n';
    const ids = `X_Request_Id: r\r\nX-Forwarded-For: 1.2.3.4\r\nb3: ${'a'.repeat(32)}-${'b'.repeat(16)}\r\n`;
    send(`GET / HTTP/1.1\r\n${secrets}${ids}\r\n`);
    receive('HTTP/1.1 200 OK\r\nSet-Cookie: e\r\nContent-Length: 0\r\n\r\n');
    expect(exchanges[0]?.request).toMatchObject({
      headers: [
        ['authorization', '[redacted]'],
        ['cookie', '[redacted]'],
        ['x-api-key', '[redacted]'],
        ['x-custom', 'd'],
      ],
      requestId: 'r',
      forwardedFor: '1.2.3.4',
      trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentSpanId: '' },
    });
    expect(exchanges[0]?.response?.headers).toEqual([['set-cookie', '[redacted]']]);
  });
});

describe('redaction', () => {
  const secret = 'Authorization: s3\r\nCookie: s3\r\nX-Api-Key: s3\r\nX_Tenant: s3\r\n';
  const request = `POST /a HTTP/1.1\r\nHost: h\r\n${secret}X-Request-Id: s3\r\nContent-Length: 2\r\n\r\nhi`;
  const response = 'HTTP/1.1 200 OK\r\nSet-Cookie: s3\r\nContent-Length: 2\r\n\r\nhi';
  const headers = [
    'authorization',
    'cookie',
    'x-api-key',
    'x-tenant',
    'set-cookie',
    'content-length',
  ];

  test.each([
    { name: 'a configured header', headersRedacted: ['X-Tenant', 'x-request-id'] },
    {
      name: 'one that frames the message',
      headersRedacted: ['x-tenant', 'content-length', 'X_Request_Id'],
    },
  ])('no value of a secret stays: $name', ({ headersRedacted }) => {
    const { exchanges, said, receive, send } = observe({ headers, headersRedacted });
    receive(request);
    send(response);
    receive(get);
    send(ok);
    expect(said()).toEqual(['session POST /a 200', 'session GET /a 200']);
    expect(exchanges[0]?.request).toMatchObject({ requestId: '', bodySize: 2 });
    expect(JSON.stringify(exchanges)).not.toContain('s3');
  });
});

describe('limits', () => {
  test('a request without an answer goes out at the timeout, a late answer stands alone', () => {
    const { flow, said, send, receive } = observe({ limits: { requestTimeoutMs: 10 } });
    send(get);
    flow.flush(5e6);
    expect(said()).toEqual([]);
    flow.flush(2e9);
    receive(ok);
    expect(said()).toEqual(['request GET /a -', 'response - 200']);
  });

  test('a request goes out as soon as the server has sent its last byte', () => {
    const { said, send, end } = observe();
    send(get);
    end(DIRECTION_IN);
    expect(said()).toEqual(['request GET /a -']);
  });

  test('a client that sends no more may still get its answer', () => {
    const { said, send, receive, end } = observe();
    receive(get);
    end(DIRECTION_IN);
    expect(said()).toEqual([]);
    send(ok);
    expect(said()).toEqual(['session GET /a 200']);
  });

  test('a message with an unseen end is over once it is quiet', () => {
    const { flow, said, send, receive } = observe();
    receive(get);
    send('HTTP/1.1 200 OK\r\nX-More: aaaa', { length: 900 });
    flow.flush(2e9);
    expect(said()).toEqual(['session GET /a 200']);
  });

  test('too many connections drop the idle one, too many pipelined requests the oldest', () => {
    const { flow, said, send } = observe({ limits: { connectionsMax: 2, pipelinedMax: 2 } });
    send(get, { connection: 1 });
    send(get, { connection: 2 });
    send(get, { connection: 3 });
    expect(flow.counters()).toMatchObject({ connectionsDropped: 1, open: 2 });
    send(`${get}${get}`, { connection: 3 });
    expect(flow.counters().pipelinedDropped).toBe(1);
    flow.close();
    expect(said()).toEqual(new Array<string>(5).fill('request GET /a -'));
  });

  test('a connection of another protocol is looked at only for a while', () => {
    const { flow, send, receive, close } = observe();
    for (let i = 0; i < 50; i += 1) {
      send('@1 hello\r\n');
      receive('@2 hello\r\n');
    }
    close();
    expect(flow.counters()).toMatchObject({
      connectionsUnknown: 1,
      opaque: { tls: 0, http2: 0, other: 1 },
      troubles: { 'not-http1': 16 },
      exchanges: 0,
    });
  });
});

describe('laws', () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  const pair = fc.record({ path: word, ask: word, answer: word, isChunked: fc.boolean() });

  test('any split into transfers gives the same exchanges', () => {
    const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 6 }), cuts, (pairs, sizes) => {
        const { said, exchanges, data } = observe();
        const turn = (direction: number, text: string): void => {
          for (let at = 0; at < text.length; ) {
            const size = sizes.next().value ?? 1;
            data(direction, text.slice(at, at + size));
            at += size;
          }
        };
        for (const { path, ask, answer, isChunked } of pairs) {
          turn(
            DIRECTION_OUT,
            `PUT /${path} HTTP/1.1\r\nContent-Length: ${ask.length}\r\n\r\n${ask}`,
          );
          turn(
            DIRECTION_IN,
            isChunked
              ? `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${answer.length}\r\n${answer}\r\n0\r\n\r\n`
              : `HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`,
          );
        }
        expect(said()).toEqual(pairs.map(({ path }) => `session PUT /${path} 200`));
        expect(exchanges.map((one) => [one.request?.bodySize, one.response?.bodySize])).toEqual(
          pairs.map(({ ask, answer }) => [ask.length, answer.length]),
        );
      }),
      { seed, numRuns: 200 },
    );
  });

  test('no transfers make it throw, and each request goes out exactly once', () => {
    const text = fc.oneof(
      fc.constantFrom(get, ok, get.slice(0, 20), ok.slice(0, 20), 'garbage', '\r\n'),
      fc.string({ maxLength: 30 }),
    );
    const some = fc.record({
      kind: fc.constantFrom(1, 1, 1, 1, 1, 1, 2, 3, 4),
      direction: fc.constantFrom(0, 1),
      connection: fc.constantFrom(1, 2),
      extra: fc.constantFrom(0, 0, 0, 50),
      lostBefore: fc.constantFrom(0, 0, 0, 1),
      sequence: fc.constantFrom(0, 1000, undefined, undefined, undefined),
      text,
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 40 }), (transfers) => {
        const { flow, exchanges, requests, data } = observe();
        for (const { kind, direction, text: payload, extra, sequence, ...rest } of transfers) {
          const length = new TextEncoder().encode(payload).length + extra;
          if (kind !== TRANSFER_DATA) flow.transfer(transferOf({ kind, direction, ...rest }));
          else
            data(direction, payload, {
              ...rest,
              length,
              ...(sequence !== undefined && { sequence }),
            });
        }
        flow.close();
        const out = exchanges.flatMap(({ request }) => (request === undefined ? [] : [request]));
        expect(new Set(out).size).toBe(out.length);
        expect(new Set(out)).toEqual(new Set(requests.map(([, request]) => request)));
      }),
      { seed, numRuns: 500 },
    );
  });
});
