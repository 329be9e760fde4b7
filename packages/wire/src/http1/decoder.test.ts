import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHttp1Decoder } from './decoder.ts';
import { createHeaderTable } from './header-table.ts';
import { BODY_FRAMED, BODY_NONE } from './sink.ts';
import { createHttp1Stream, type Http1Stream } from './stream.ts';

const encoder = new TextEncoder();
const seed = 20_260_101;

type Part = Uint8Array | { readonly gap: number } | 'turn';

interface Message {
  start: string;
  headers: readonly (readonly [string, string])[];
  size: number;
  bodySize: number;
  isEnded: boolean;
}

interface Decoded {
  messages: Message[];
  troubles: string[];
  stream: Http1Stream;
}

interface DecodeOptions {
  readonly rule?: number;
  readonly headBytesMax?: number;
}

function decode(parts: readonly Part[], { rule = BODY_FRAMED, headBytesMax }: DecodeOptions = {}) {
  const decoded: Decoded = { messages: [], troubles: [], stream: createHttp1Stream() };
  const { messages, troubles, stream } = decoded;
  const decoder = createHttp1Decoder({
    headers: createHeaderTable({ kept: ['host', 'x-request-id', 'x-folded', 'cookie'] }),
    ...(headBytesMax !== undefined && { headBytesMax }),
    sink: {
      start: () => undefined,
      head(_, { isRequest, method, host, path, version, status, reason, headers }) {
        const start = isRequest
          ? `${method} ${host} ${path} ${version}`
          : `${version} ${status} ${reason}`;
        messages.push({ start, headers, size: 0, bodySize: 0, isEnded: false });
        return rule;
      },
      end() {
        const last = messages.at(-1);
        if (last !== undefined) {
          Object.assign(last, { size: stream.size, bodySize: stream.bodySize, isEnded: true });
        }
      },
      trouble: (_, reason) => troubles.push(reason),
    },
  });
  for (const part of parts) {
    if (part === 'turn') decoder.turn(stream);
    else if (part instanceof Uint8Array) decoder.push(stream, part, 0, part.length);
    else decoder.gap(stream, part.gap);
  }
  return decoded;
}

function text(value: string): Uint8Array {
  return encoder.encode(value);
}

describe('start lines', () => {
  test.each([
    { name: 'origin form', line: 'GET /a?b=c HTTP/1.1', is: 'GET h /a?b=c 1.1' },
    { name: 'absolute form', line: 'GET http://u:p@x:81/a HTTP/1.1', is: 'GET x:81 /a 1.1' },
    { name: 'absolute form without path', line: 'GET http://x?q HTTP/1.0', is: 'GET x /?q 1.0' },
    { name: 'authority form', line: 'CONNECT x:443 HTTP/1.1', is: 'CONNECT x:443 x:443 1.1' },
    { name: 'asterisk form', line: 'OPTIONS * HTTP/1.1', is: 'OPTIONS h * 1.1' },
    { name: 'status', line: 'HTTP/1.1 404 Not Found', is: '1.1 404 Not Found' },
    { name: 'status without reason', line: 'HTTP/1.0 200', is: '1.0 200 ' },
  ])('$name', ({ line, is }) => {
    const { messages } = decode([text(`${line}\r\nHost: h\r\nContent-Length: 0\r\n\r\n`)]);
    expect(messages.map(({ start }) => start)).toEqual([is]);
  });

  test.each([
    'get\u0000/ HTTP/1.1\r\n\r\n',
    'GET / HTTP/2.0\r\n\r\n',
    'GET /\r\n\r\n',
    'HTTP/1.1 2x0 OK\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\u0016\u0003\u0001\u0002',
  ])('%j is not HTTP/1', (bytes) => {
    expect(decode([text(bytes)])).toMatchObject({ messages: [], troubles: ['not-http1'] });
  });
});

describe('heads', () => {
  test('names match in any case and spelling, folded values join, secrets are redacted', () => {
    const head =
      '\r\n\r\nGET / HTTP/1.1\nHOST:h\nX_Request_ID: \t7 \r\nX-Folded: a\r\n  b\r\nCookie: s\r\n\r\n';
    expect(decode([text(head)]).messages[0]).toMatchObject({
      start: 'GET h / 1.1',
      headers: [
        ['host', 'h'],
        ['x-request-id', '7'],
        ['x-folded', 'a b'],
        ['cookie', '[redacted]'],
      ],
      isEnded: true,
    });
  });

  test('a head over the limit is taken as cut there and no memory is kept', () => {
    const long = `GET /a HTTP/1.1\r\nHost: h\r\nX-Long: ${'x'.repeat(5000)}\r\n\r\n`;
    const { messages, troubles, stream } = decode([text(long)], { headBytesMax: 1024 });
    expect(messages[0]).toMatchObject({ start: 'GET h /a 1.1', isEnded: false });
    expect(troubles).toEqual(['head-too-large']);
    expect(stream.pending.length).toBe(0);
  });

  test('a head whose rest was not captured lasts until the turn', () => {
    const head = text('POST /a HTTP/1.1\r\nHost: h\r\nX-Requ');
    const next = text('GET /b HTTP/1.1\r\nHost: h\r\n\r\n');
    const { messages } = decode([head, { gap: 500 }, { gap: 20 }, 'turn', next]);
    expect(messages.map(({ start, size }) => [start, size])).toEqual([
      ['POST h /a 1.1', head.length + 520],
      ['GET h /b 1.1', next.length],
    ]);
  });
});

describe('bodies', () => {
  test.each([
    { name: 'content length', fields: 'Content-Length: 5', body: 'hello', bodySize: 5 },
    { name: 'equal lengths', fields: 'Content-Length: 5, 5', body: 'hello', bodySize: 5 },
    {
      name: 'chunks',
      fields: 'Transfer-Encoding: chunked',
      body: '5\r\nhello\r\n0\r\n\r\n',
      bodySize: 5,
    },
    {
      name: 'chunks with extensions, trailers, zeros before the size, and bare line feeds',
      fields: 'Transfer-Encoding: gzip, Chunked\r\nContent-Length: 99',
      body: '0005;a="b"\r\nhello\r\nA \nhellohello\n0;x\r\nT: 1\r\nU: 2\r\n\r\n',
      bodySize: 15,
    },
  ])('$name', ({ fields, body, bodySize }) => {
    const one = text(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`);
    const { messages, troubles } = decode([one, one]);
    expect(messages).toMatchObject([
      { size: one.length, bodySize, isEnded: true },
      { size: one.length, bodySize, isEnded: true },
    ]);
    expect(troubles).toEqual([]);
  });

  test.each([
    {
      name: '204',
      bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
      rule: BODY_FRAMED,
    },
    {
      name: '304',
      bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      rule: BODY_FRAMED,
    },
    { name: '100', bytes: 'HTTP/1.1 100 Continue\r\n\r\n', rule: BODY_FRAMED },
    { name: 'HEAD', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', rule: BODY_NONE },
  ])('the answer $name has none', ({ bytes, rule }) => {
    const { messages, troubles } = decode([text(bytes), text(bytes)], { rule });
    expect(messages.map(({ isEnded, bodySize }) => [isEnded, bodySize])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    expect(troubles).toEqual([]);
  });

  test('a gap hides the end of a chunked body when it holds exactly the last chunk', () => {
    const head = text('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n');
    const { messages, troubles } = decode([head, { gap: 0x400 + 7 }, head]);
    expect(messages.map(({ isEnded }) => isEnded)).toEqual([true, false]);
    expect(troubles).toEqual([]);
  });
});

const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);
const message = fc
  .record({
    path: word,
    id: word,
    body: fc.uint8Array({ maxLength: 60 }),
    framing: fc.constantFrom('length', 'chunked', 'response'),
    lineEnd: fc.constantFrom('\r\n', '\n'),
  })
  .map(({ path, id, body, framing, lineEnd }) => {
    const start = framing === 'response' ? 'HTTP/1.1 200 OK' : `POST /${path} HTTP/1.1`;
    const isChunked = framing === 'chunked';
    const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
    const head = text([start, 'Host: h', `X-Request-Id: ${id}`, length, '', ''].join(lineEnd));
    const before =
      isChunked && body.length > 0 ? text(`${body.length.toString(16)}${lineEnd}`) : text('');
    const after = isChunked
      ? text(`${body.length > 0 ? lineEnd : ''}0${lineEnd}${lineEnd}`)
      : text('');
    return {
      bytes: joined([head, before, body, after]),
      bodyFrom: head.length + before.length,
      body,
    };
  });

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const ends = [...sorted, bytes.length];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

describe('laws', () => {
  test('any split of the stream decodes to the same messages', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), cuts, (messages, at) => {
        const stream = joined(messages.map(({ bytes }) => bytes));
        const whole = decode([stream]);
        expect(whole.messages.length).toBe(messages.length);
        expect(decode(split(stream, at)).messages).toEqual(whole.messages);
        expect(decode([...stream].map((byte) => Uint8Array.of(byte))).messages).toEqual(
          whole.messages,
        );
      }),
      { seed, numRuns: 200 },
    );
  });

  test('any gap inside bodies decodes to the same messages', () => {
    const gap = fc.tuple(message, fc.nat(), fc.nat());
    fc.assert(
      fc.property(fc.array(gap, { minLength: 1, maxLength: 5 }), (some) => {
        const whole = decode(some.map(([{ bytes }]) => bytes));
        const parts = some.flatMap(([{ bytes, bodyFrom, body }, at, length]): Part[] => {
          const from = bodyFrom + (at % (body.length + 1));
          const to = from + (length % (bodyFrom + body.length - from + 1));
          return [bytes.subarray(0, from), { gap: to - from }, bytes.subarray(to)];
        });
        expect(decode(parts).messages).toEqual(whole.messages);
      }),
      { seed, numRuns: 200 },
    );
  });

  test('it never throws, and after garbage and a turn it decodes again', () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(400).map((gap) => ({ gap })),
      fc.constant('turn' as const),
      fc.constantFrom('GET / HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r\n', '\r\n', 'ff\r\n').map(text),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        expect(() => decode(parts)).not.toThrow();
      }),
      { seed, numRuns: 500 },
    );
    const good = text('GET /good HTTP/1.1\r\nHost: h\r\n\r\n');
    const { messages, troubles } = decode([text('\u0001garbage'), good, 'turn', good]);
    expect(messages.map(({ start }) => start)).toEqual(['GET h /good 1.1']);
    expect(troubles).toEqual(['not-http1']);
  });
});
