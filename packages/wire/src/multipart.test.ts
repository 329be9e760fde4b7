import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMultipart, multipartBoundary } from './multipart.ts';

const encoder = new TextEncoder();

function bodyOf(parts: readonly (readonly [string, Uint8Array])[], boundary: string): Uint8Array {
  const pieces = parts.flatMap(([name, bytes]) => [
    encoder.encode(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}.x"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    bytes,
    encoder.encode('\r\n'),
  ]);
  return Uint8Array.from([...pieces, encoder.encode(`--${boundary}--\r\n`)].flatMap((p) => [...p]));
}

test('parts come back with their names and bytes, and a body cut off is invalid', () => {
  const part = fc.tuple(fc.stringMatching(/^[a-z_]{1,8}$/), fc.uint8Array({ maxLength: 40 }));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      const body = bodyOf(parts, 'XX-bound');
      expect(decodeMultipart(body, 'XX-bound')).toEqual({
        kind: 'decoded',
        value: parts.map(([name, bytes]) => ({ name, fileName: `${name}.x`, bytes })),
      });
      const cut = decodeMultipart(body.subarray(0, body.length - 5), 'XX-bound');
      expect(cut.kind).toBe('invalid');
    }),
    { seed: 71 },
  );
});

test('lines may end with a bare line feed, all of them', () => {
  const text = '--b\nContent-Disposition: form-data; name="model"\n\nopen\r\n--b--';
  const found = decodeMultipart(encoder.encode(text), 'b');
  expect(found).toMatchObject({ value: [{ name: 'model', bytes: encoder.encode('open\r') }] });
});

test.each([
  { type: 'multipart/form-data; boundary=abc', boundary: 'abc' },
  { type: 'multipart/form-data; charset=x; boundary="a b"', boundary: 'a b' },
  { type: 'application/json', boundary: undefined },
])('the boundary of $type', ({ type, boundary }) => {
  expect(multipartBoundary(type)).toBe(boundary);
});

test('never throws on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void decodeMultipart(bytes, '')),
    { seed: 72 },
  );
});
