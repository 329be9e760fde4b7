import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptsCoding } from './compression.ts';
import { createGzipStream, gzip } from './gzip.ts';
import { answered, onBench, request } from './testing/plugin-bench.ts';

test('any split of a body unpacks to the body', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 9 }), (given, level) => {
      const pack = createGzipStream(level);
      const packed = given.map((piece) => pack(Buffer.from(piece), false));
      const whole = Buffer.concat([...packed, pack(Buffer.alloc(0), true)]);
      expect(gunzipSync(whole).equals(Buffer.concat(given))).toBe(true);
    }),
    { seed: 22, numRuns: 60 },
  );
});

test('what came before costs little when it comes again', () => {
  const pack = createGzipStream(6);
  const text = Buffer.from(Array.from({ length: 500 }, (_, i) => `line ${i * 7_919}\n`).join(''));
  const first = pack(text, false).length;
  expect(pack(text, true).length).toBeLessThan(first / 5);
});

test.each([
  { field: undefined, isOk: false },
  { field: 'gzip', isOk: true },
  { field: 'br, GZIP;q=0.5', isOk: true },
  { field: 'gzip;q=0, *', isOk: false },
  { field: '*', isOk: true },
  { field: 'x-gzip-like', isOk: false },
])('Accept-Encoding $field: $isOk', ({ field, isOk }) => {
  expect(acceptsCoding(field, 'gzip')).toBe(isOk);
});

test.each([
  { fields: { 'Content-Type': 'text/html; charset=utf-8' }, status: 200, isPacked: true },
  { fields: { 'Content-Type': 'image/png' }, status: 200, isPacked: false },
  { fields: {}, status: 200, isPacked: false },
  { fields: { 'Content-Type': 'text/html', 'Content-Length': '19' }, status: 200, isPacked: false },
  {
    fields: { 'Content-Type': 'text/html', 'Content-Encoding': 'br' },
    status: 200,
    isPacked: false,
  },
  { fields: { 'Content-Type': 'text/html' }, status: 206, isPacked: false },
])('an answer $status with $fields is packed: $isPacked', ({ fields, status, isPacked }) => {
  const { handlers } = onBench(gzip, {});
  const context = request({ headers: { 'Accept-Encoding': 'gzip' } });
  handlers.header_filter?.(answered(context, status, 'upstream', { ...fields, ETag: '"a"' }));
  expect(context.response?.fields.get('content-encoding') === 'gzip').toBe(isPacked);
  expect(context.response?.fields.get('etag')).toBe(isPacked ? 'W/"a"' : '"a"');
});
