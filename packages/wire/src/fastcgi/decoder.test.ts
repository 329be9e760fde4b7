import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHeaderTable } from '../http1/header-table.ts';
import { createFastcgiDecoder } from './decoder.ts';
import { looksLikeFastcgi } from './record.ts';
import { createFastcgiStream } from './stream.ts';

const seed = 20_260_101;
const encoder = new TextEncoder();
type Part = Uint8Array | { readonly gap: number } | 'turn' | 'close';

/** What a decoder tells of one direction: `GET /x (34/40, body 0)`, `! gap`. */
function told(isAsking: boolean, parts: readonly Part[]): string[] {
  const lines: string[] = [];
  let open = '';
  const stream = createFastcgiStream(isAsking);
  const decoder = createFastcgiDecoder({
    headers: createHeaderTable({ kept: ['host', 'traceparent', 'x-request-id', 'cookie'] }),
    sink: {
      start: () => {
        open = '';
      },
      head: (_, head) => {
        const start = head.isRequest
          ? `${head.method} ${head.path} ${head.host} ${head.version} ${head.contentLength ?? '-'}`
          : `${head.status} ${head.reason}`;
        const kept = head.headers.map(([name, value]) => `${name}=${value}`).join(' ');
        open = `${start} [${kept}]${head.isCut ? ' cut' : ''}`;
      },
      end: ({ size, captured, bodySize }) =>
        lines.push(`${open} (${captured}/${size}, body ${bodySize})`),
      trouble: (_, trouble) => lines.push(`! ${trouble}`),
    },
  });
  for (const part of parts) {
    if (part === 'turn') decoder.turn(stream);
    else if (part === 'close') decoder.close(stream);
    else if (part instanceof Uint8Array) decoder.push(stream, part, 0, part.length);
    else decoder.gap(stream, part.gap);
  }
  return lines;
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts));

function record(type: number, content: string | Uint8Array, padding = 0, id = 1): Uint8Array {
  const bytes = typeof content === 'string' ? encoder.encode(content) : content;
  const header = [1, type, id >> 8, id & 255, bytes.length >> 8, bytes.length & 255, padding, 0];
  return joined(Uint8Array.from(header), bytes, new Uint8Array(padding));
}

function lengthOf(text: string): Uint8Array {
  const { length } = encoder.encode(text);
  if (length < 128) return Uint8Array.of(length);
  return Uint8Array.of(0x80 | (length >> 24), length >> 16, length >> 8, length);
}

function variables(of: Readonly<Record<string, string>>): Uint8Array {
  return joined(
    ...Object.entries(of).flatMap(([name, value]) => [
      lengthOf(name),
      lengthOf(value),
      encoder.encode(name + value),
    ]),
  );
}

const BEGIN = record(1, Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0));
const VARIABLES = {
  SCRIPT_FILENAME: '/srv/index.php',
  QUERY_STRING: 'a=1',
  REQUEST_METHOD: 'POST',
  CONTENT_LENGTH: '5',
  SCRIPT_NAME: '/index.php',
  REQUEST_URI: '/orders?a=1',
  SERVER_PROTOCOL: 'HTTP/1.1',
  HTTP_HOST: 'shop.example',
  HTTP_COOKIE: 'secret=1',
  HTTP_X_REQUEST_ID: 'x'.repeat(200),
  HTTP_TRACEPARENT: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
};
const ask = (of: Readonly<Record<string, string>>, body = ''): Uint8Array =>
  joined(
    BEGIN,
    record(4, variables(of), 3),
    record(4, ''),
    ...(body === '' ? [] : [record(5, body, 1)]),
    record(5, ''),
  );
const END = record(3, new Uint8Array(8));
const HEADERS = `host=shop.example cookie=[redacted] x-request-id=${'x'.repeat(200)} traceparent=${VARIABLES.HTTP_TRACEPARENT}`;

test('a request is what its CGI variables say, without secrets', () => {
  const bytes = ask(VARIABLES, 'a=b&c');
  expect(told(true, [bytes])).toEqual([
    `POST /orders?a=1 shop.example 1.1 5 [${HEADERS}] (${bytes.length}/${bytes.length}, body 5)`,
  ]);
});

test('without REQUEST_URI the path is made of what a script is called by', () => {
  const bytes = ask({ REQUEST_METHOD: 'GET', SCRIPT_NAME: '/i.php', QUERY_STRING: 'q=2' });
  expect(told(true, [bytes])[0]).toMatch(/^GET \/i\.php\?q=2 {3}- \[\] \(/);
});

test.each([
  {
    name: 'a status',
    head: 'Status: 404 Not Found\r\nX-Request-Id: 7\r\n',
    want: '404 Not Found [x-request-id=7]',
  },
  { name: 'none is 200', head: 'Content-type: text/html\n', want: '200  []' },
  { name: 'a location without one is 302', head: 'Location: /x\r\n', want: '302  []' },
  { name: 'a status that is none is 200', head: 'Status: fine\r\n', want: '200  []' },
])('an answer: $name', ({ head, want }) => {
  const bytes = joined(record(7, 'PHP message'), record(6, `${head}\nbody`, 4), END);
  expect(told(false, [bytes])).toEqual([`${want} (${bytes.length}/${bytes.length}, body 4)`]);
});

test('an answer without a head is told of at its end', () => {
  expect(told(false, [END])).toEqual(['200  [] (16/16, body 0)']);
});

test('records about the application are no requests', () => {
  const values = record(9, variables({ FCGI_MAX_CONNS: '' }), 0, 0);
  const bytes = ask({ REQUEST_METHOD: 'GET', REQUEST_URI: '/' });
  expect(told(true, [values, bytes])).toEqual([
    `GET /   - [] (${bytes.length}/${bytes.length}, body 0)`,
  ]);
});

test('variables that were not captured to their end cost what they said, not the request', () => {
  const bytes = ask(VARIABLES);
  const at = 250;
  const next = ask({ REQUEST_METHOD: 'GET', REQUEST_URI: '/next' });
  expect(told(true, [bytes.subarray(0, at), { gap: bytes.length - at }, 'turn', next])).toEqual([
    `POST /orders?a=1 shop.example 1.1 5 [host=shop.example cookie=[redacted]] cut (${at}/${bytes.length}, body 0)`,
    `GET /next   - [] (${next.length}/${next.length}, body 0)`,
  ]);
});

test('a body that was not captured is counted', () => {
  const head = record(6, 'Status: 200 OK\r\n\r\n');
  const body = record(6, 'x'.repeat(5000));
  const size = head.length + body.length + END.length;
  expect(told(false, [head, body.subarray(0, 8), { gap: 5000 }, END])).toEqual([
    `200 OK [] (${size - 5000}/${size}, body 5000)`,
  ]);
});

test.each([
  { name: 'another protocol', parts: [encoder.encode('GET / HTTP/1.1\r\n\r\n')] },
  { name: 'the middle of a request', parts: [record(5, 'abc')] },
  { name: 'an answer where requests pass', parts: [END] },
  { name: 'a gap before a message', parts: [{ gap: 3 }] },
])('$name is given up, and found again at the next turn', ({ parts }) => {
  const lines = told(true, [...parts, 'turn', ask({ REQUEST_METHOD: 'GET', REQUEST_URI: '/' })]);
  expect(lines.filter((line) => line.startsWith('!'))).toHaveLength(1);
  expect(lines.at(-1)).toMatch(/^GET \//);
});

test('variables past the limit are not kept', () => {
  const large = { ...VARIABLES, HTTP_COOKIE: 'c'.repeat(60_000) };
  expect(told(true, [ask(large)])[0]).toMatch(/^POST \/orders\?a=1 shop\.example .* cut \(/);
});

test.each([
  { isAsking: true, bytes: joined(ask(VARIABLES, 'hello'), ask({ REQUEST_METHOD: 'GET' })) },
  {
    isAsking: false,
    bytes: joined(
      record(6, 'Status: 500 No\r\n'),
      record(6, '\r\nx', 5),
      END,
      record(6, '\n\n'),
      END,
    ),
  },
])('any split of the stream decodes to the same messages ($isAsking)', ({ isAsking, bytes }) => {
  const whole = told(isAsking, [bytes]);
  expect(whole).toHaveLength(2);
  const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 });
  fc.assert(
    fc.property(cuts, (at) => {
      const edges = [0, ...at.sort((a, b) => a - b), bytes.length];
      const parts = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
      expect(told(isAsking, parts)).toEqual(whole);
    }),
    { seed },
  );
});

test('never throws on arbitrary bytes, and keeps its sizes in order', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(BEGIN, END, record(4, ''), record(4, Uint8Array.of(0xff, 1, 2)), record(5, '')),
    fc.record({ gap: fc.nat(9) }),
    fc.constantFrom('turn' as const, 'close' as const),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(piece, { maxLength: 30 }), (isAsking, parts) => {
      for (const line of told(isAsking, parts)) {
        const [, captured, size] = /\((\d+)\/(\d+), body \d+\)$/.exec(line) ?? [];
        if (captured !== undefined) expect(Number(captured)).toBeLessThanOrEqual(Number(size));
      }
    }),
    { seed },
  );
});

test.each([
  { bytes: BEGIN, is: true },
  { bytes: BEGIN.subarray(0, 8), is: true },
  { bytes: BEGIN.subarray(0, 7), is: false },
  { bytes: record(4, ''), is: false },
  { bytes: record(1, '123456789'), is: false },
])('a request begins with $bytes: $is', ({ bytes, is }) => {
  expect(looksLikeFastcgi(bytes, 0, bytes.length)).toBe(is);
});
