import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTextDecoder } from '../text.ts';
import { createHttp1Head } from './head.ts';
import { createHeaderTable } from './header-table.ts';
import { createKnownLines } from './known-lines.ts';
import { createHeadParser } from './parse-head.ts';

const seed = 20_416;
const encoder = new TextEncoder();
const table = createHeaderTable({
  kept: ['host', 'accept', 'x-request-id', 'cookie'],
  meant: ['x-request-id', 'cookie'],
});

function createParser(knownLines = createKnownLines()) {
  const parsing = { text: createTextDecoder(), linesMax: 100, knownLines };
  return createHeadParser(createHttp1Head(), table, parsing);
}

const name = fc.constantFrom('Host', 'accept', 'X-Request-Id', 'Cookie', 'Content-Length', 'Etag');
const value = fc.oneof(
  fc.constantFrom('', '7', '14', 'shop.example', 'application/json', 'é', 'x'.repeat(130)),
  fc.uuid(),
);
const end = fc.constantFrom('\r\n', '\n', '\r\n folded\r\n');
const line = fc.tuple(name, value, end).map(([one, text, over]) => `${one}: ${text}${over}`);
const tail = fc.constantFrom('\r\n', '\n', '\r\nbody', '\r', '');
const head = fc
  .tuple(fc.constantFrom('GET / HTTP/1.1', 'HTTP/1.1 200 OK'), fc.array(line), tail)
  .map(([start, lines, over]) => encoder.encode(`${start}\r\n${lines.join('')}${over}`));

test('a head means the same, whatever heads were read before it', () => {
  const lines = createKnownLines();
  fc.assert(
    fc.property(fc.array(head, { maxLength: 8 }), fc.boolean(), (heads, isCut) => {
      for (const bytes of heads) {
        const parser = createParser(lines);
        const fresh = createParser();
        expect(parser.parse(bytes, 0, bytes.length, isCut)).toBe(
          fresh.parse(bytes, 0, bytes.length, isCut),
        );
        expect(parser.head).toEqual(fresh.head);
      }
    }),
    { seed },
  );
});

test.each([
  { name: 'a line that comes again is found', line: 'Host: shop.example', isFound: true },
  { name: 'so is one that nobody asked for', line: 'Accept-Encoding: gzip', isFound: true },
  { name: 'a secret is not in memory', line: 'Cookie: id=1234567890', isFound: false },
  { name: 'nor one that nobody asked for', line: 'Authorization: Basic QQ==', isFound: false },
])('$name', ({ line, isFound }) => {
  const lines = createKnownLines();
  const bytes = encoder.encode(`GET / HTTP/1.1\r\n${line}\r\nAccept: */*\r\n\r\n`);
  createParser(lines).parse(bytes, 0, bytes.length, false);
  expect(lines.find(bytes, 16, bytes.length) !== undefined).toBe(isFound);
});
