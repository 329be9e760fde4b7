import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HEAD_LIMITS, parseRequestHead, parseResponseHead } from './head.ts';
import { HeadReading } from './head-reading.ts';

const head = (text: string) => parseRequestHead(Buffer.from(text, 'latin1'), 0);
/** Fields as they are told apart; undefined of a head that is refused. */
const fieldsOf = (text: string) => {
  const found = head(text);
  if (found.kind !== 'request') return undefined;
  return found.fields.list.map(({ spelling, value }) => `${spelling}: ${value}`);
};
const lines = (...rows: string[]): string => `${rows.join('\r\n')}\r\n\r\n`;

test('a request head gives method, target, fields and framing', () => {
  const text = lines('POST /a?b=1 HTTP/1.1', 'Host: x', 'Content-Length: 3', 'X-A:  v \t');
  const found = head(text);
  expect(found).toMatchObject({
    kind: 'request',
    method: 'POST',
    target: '/a?b=1',
    isHttp10: false,
    isKeepAlive: true,
    framing: { kind: 'length', bytes: 3 },
    size: text.length,
  });
  expect(fieldsOf(text)).toEqual(['Host: x', 'Content-Length: 3', 'X-A: v']);
});

test.each([
  { name: 'both framings', rows: ['Content-Length: 3', 'Transfer-Encoding: chunked'], status: 400 },
  {
    name: 'both framings, the other way',
    rows: ['Transfer-Encoding: chunked', 'Content-Length: 3'],
    status: 400,
  },
  { name: 'two lengths', rows: ['Content-Length: 3', 'Content-Length: 4'], status: 400 },
  { name: 'the same length twice', rows: ['Content-Length: 3', 'Content-Length: 3'], status: 400 },
  { name: 'a list of lengths', rows: ['Content-Length: 3, 3'], status: 400 },
  { name: 'a signed length', rows: ['Content-Length: +3'], status: 400 },
  { name: 'a hexadecimal length', rows: ['Content-Length: 0x3'], status: 400 },
  { name: 'a length beyond counting', rows: ['Content-Length: 9999999999999999'], status: 400 },
  { name: 'an empty length', rows: ['Content-Length: '], status: 400 },
  { name: 'an unknown coding', rows: ['Transfer-Encoding: gzip, chunked'], status: 501 },
  { name: 'a coding that only looks right', rows: ['Transfer-Encoding: xchunked'], status: 501 },
  {
    name: 'a vertical tab before the coding',
    rows: ['Transfer-Encoding: \x0bchunked'],
    status: 400,
  },
  {
    name: 'codings in two fields',
    rows: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    status: 501,
  },
  { name: 'space before the colon', rows: ['Content-Length : 3'], status: 400 },
  { name: 'a folded line', rows: ['X-A: 1', ' 2'], status: 400 },
  { name: 'a line without colon', rows: ['X-A'], status: 400 },
  { name: 'an empty name', rows: [': 1'], status: 400 },
  { name: 'a name with a bracket', rows: ['X(A): 1'], status: 400 },
  { name: 'a bare line feed', rows: ['X-A: 1\nX-B: 2'], status: 400 },
  { name: 'a bare return', rows: ['X-A: 1\rX-B: 2'], status: 400 },
  { name: 'a zero octet', rows: ['X-A: \0'], status: 400 },
  { name: 'a second Host', rows: ['Host: y'], status: 400 },
  { name: 'Host as an option', rows: ['Connection: close, host'], status: 400 },
  { name: 'a length as an option', rows: ['Connection: Content-Length'], status: 400 },
])('refuses $name', ({ rows, status }) => {
  expect(head(lines('GET / HTTP/1.1', 'Host: x', ...rows))).toMatchObject({
    kind: 'refused',
    status,
  });
});

test.each([
  { name: 'no Host', text: lines('GET / HTTP/1.1'), status: 400 },
  { name: 'a Host with user information', text: lines('GET / HTTP/1.1', 'Host: a@b'), status: 400 },
  { name: 'a Host with a path', text: lines('GET / HTTP/1.1', 'Host: a/b'), status: 400 },
  { name: 'a fragment', text: lines('GET /a#b HTTP/1.1', 'Host: x'), status: 400 },
  { name: 'two spaces', text: lines('GET  / HTTP/1.1', 'Host: x'), status: 400 },
  { name: 'no version', text: lines('GET /', 'Host: x'), status: 400 },
  { name: 'HTTP/2.0 in text', text: lines('GET / HTTP/2.0', 'Host: x'), status: 505 },
  { name: 'a version in small letters', text: lines('GET / http/1.1', 'Host: x'), status: 400 },
  { name: 'something after the version', text: lines('GET / HTTP/1.1 x', 'Host: x'), status: 400 },
  { name: 'a bad method', text: lines('G(T / HTTP/1.1', 'Host: x'), status: 400 },
  {
    name: 'a chunked body in HTTP/1.0',
    text: lines('POST / HTTP/1.0', 'Transfer-Encoding: chunked'),
    status: 400,
  },
  { name: 'a return in the request line', text: 'GET / HTTP/1.1\rHost: x\r\n\r\n', status: 400 },
  { name: 'line feeds alone', text: 'GET / HTTP/1.1\nHost: x\n\n', status: 400 },
  {
    name: 'a long target',
    text: lines(`GET /${'a'.repeat(9_000)} HTTP/1.1`, 'Host: x'),
    status: 414,
  },
  {
    name: 'a long field',
    text: lines('GET / HTTP/1.1', 'Host: x', `A: ${'a'.repeat(9_000)}`),
    status: 431,
  },
  {
    name: 'too many fields',
    text: lines('GET / HTTP/1.1', 'Host: x', ...Array(257).fill('A: b')),
    status: 431,
  },
])('refuses $name', ({ text, status }) => {
  expect(head(text)).toMatchObject({ kind: 'refused', status });
});

test("fields that Connection names are the connection's own and go no further", () => {
  const text = lines('GET / HTTP/1.1', 'Host: x', 'Connection: X-A, close', 'X-A: 1', 'X-B: 2');
  expect(fieldsOf(text)).toEqual(['Host: x', 'Connection: X-A, close', 'X-B: 2']);
});

test('a head cut anywhere asks for more, and never gives another answer', () => {
  const text = lines(
    'GET /x HTTP/1.1',
    'Host: a.b:80',
    'Connection: Upgrade',
    'Upgrade: websocket',
  );
  for (let i = 0; i < text.length; i++) expect(head(text.slice(0, i)).kind).toBe('need-more');
  expect(head(text)).toMatchObject({ kind: 'request', upgrade: 'websocket' });
});

test.each([
  {
    name: 'no body after HEAD',
    method: 'HEAD',
    rows: ['Content-Length: 9'],
    framing: { kind: 'none' },
  },
  {
    name: 'chunked',
    method: 'GET',
    rows: ['Transfer-Encoding: chunked'],
    framing: { kind: 'chunked' },
  },
  { name: 'until the end', method: 'GET', rows: [], framing: { kind: 'until-close' } },
  {
    name: 'a length',
    method: 'GET',
    rows: ['Content-Length: 9'],
    framing: { kind: 'length', bytes: 9 },
  },
])('a response body is framed by $name', ({ method, rows, framing }) => {
  const bytes = Buffer.from(lines('HTTP/1.1 200 OK', ...rows));
  expect(parseResponseHead(bytes, 0, method)).toMatchObject({
    kind: 'response',
    status: 200,
    framing,
  });
});

test('what the last head on a connection said changes nothing of what the next one says', () => {
  const rows = fc.subarray([
    'Host: x',
    'Connection: close, x-a',
    'X-A: 1',
    'x-b:2',
    'Content-Length: 3',
    'Transfer-Encoding: chunked',
    'A fault',
    `X-Long: ${'a'.repeat(1_000)}`,
  ]);
  const heads = fc.array(fc.tuple(rows, fc.constantFrom('1.0', '1.1')), { maxLength: 8 });
  fc.assert(
    fc.property(heads, (given) => {
      const reading = new HeadReading(HEAD_LIMITS);
      for (const [fields, version] of given) {
        const bytes = Buffer.from(`${lines(`GET / HTTP/${version}`, ...fields)}rest`);
        expect(parseRequestHead(bytes, 0, reading)).toEqual(parseRequestHead(bytes, 0));
      }
    }),
    { seed: 29, numRuns: 500 },
  );
});

test('fields that are taken out of one message are there in the next', () => {
  const reading = new HeadReading(HEAD_LIMITS);
  const bytes = Buffer.from(lines('HTTP/1.1 200 OK', 'Server: a', 'X-A: 1'));
  const names = [1, 2].map(() => {
    const found = parseResponseHead(bytes, 0, 'GET', reading);
    if (found.kind !== 'response') return undefined;
    found.fields.set('Server', 'b');
    found.fields.remove('x-a');
    return found.fields.list.map(({ spelling, value }) => `${spelling}: ${value}`);
  });
  expect(names).toEqual([['Server: b'], ['Server: b']]);
  const third = parseResponseHead(bytes, 0, 'GET', reading);
  expect(third.kind === 'response' && third.fields.get('server')).toBe('a');
});

test('arbitrary octets never throw', () => {
  const octets = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(octets, fc.boolean(), (bytes, isResponse) => {
      const buffer = Buffer.concat([Buffer.from(isResponse ? 'HTTP/1.1 ' : 'GET /'), bytes]);
      void parseRequestHead(buffer, 0);
      void parseResponseHead(buffer, 0, 'GET');
    }),
    { seed: 5, numRuns: 2_000 },
  );
});
