import { brotliDecompressSync, createBrotliDecompress } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brotli, createBrotliStream } from './brotli.ts';
import { filteredBody } from './testing/filtered-body.ts';
import { answered, onBench, request } from './testing/plugin-bench.ts';

const SETTINGS = { comp_level: 4, mode: 0, lgwin: 19, lgblock: 0 };

test('any split of a body unpacks to the body, at every window', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 8 });
  const window = fc.constantFrom(0, 10, 16, 24);
  fc.assert(
    fc.property(pieces, fc.integer({ min: 0, max: 6 }), window, (given, comp_level, lgwin) => {
      const stream = createBrotliStream({ ...SETTINGS, comp_level, lgwin });
      const packed = given.map((piece) => stream.write(Buffer.from(piece), false));
      const whole = Buffer.concat([...packed, stream.write(Buffer.alloc(0), true)]);
      expect(brotliDecompressSync(whole).equals(Buffer.concat(given))).toBe(true);
    }),
    { seed: 23, numRuns: 40 },
  );
});

test('a piece can be read before the next one comes', async () => {
  const stream = createBrotliStream(SETTINGS);
  const reader = createBrotliDecompress();
  const first = new Promise((resolve) => reader.once('data', resolve));
  reader.write(stream.write(Buffer.from('data: 1\n\n'), false));
  expect(String(await first)).toBe('data: 1\n\n');
  reader.destroy();
  stream.close();
});

test.each([
  { accepts: 'br, gzip', type: 'text/html', isPacked: true },
  { accepts: 'gzip', type: 'text/html', isPacked: false },
  { accepts: 'br', type: 'image/png', isPacked: false },
])('$type for a client that takes $accepts is packed: $isPacked', ({ accepts, type, isPacked }) => {
  const { handlers } = onBench(brotli, { vary: true });
  const context = request({ headers: { 'Accept-Encoding': accepts } });
  handlers.header_filter?.(answered(context, 200, 'upstream', { 'Content-Type': type }));
  const body = filteredBody(handlers, context, [Buffer.from('hello')]);
  handlers.log?.(context);
  const { fields } = context.response ?? {};
  expect([fields?.get('content-encoding'), fields?.get('vary')]).toEqual(
    isPacked ? ['br', 'Accept-Encoding'] : [undefined, undefined],
  );
  expect((isPacked ? brotliDecompressSync(body) : body).toString()).toBe('hello');
});
