import fc from 'fast-check';
import { compress, uncompress } from 'snappyjs';
import { expect, test } from 'vitest';
import { createSnappyDecoder, snappyEncode } from './snappy.ts';

const MAX = 1 << 20;
const decoder = createSnappyDecoder(MAX);

/** Text-like bytes: repeats, so that copies of all lengths and offsets are made. */
const bytes = fc
  .array(
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 60 })),
    {
      maxLength: 30,
    },
  )
  .map((parts) => Buffer.concat(parts.flatMap(([part, times]) => Array(times).fill(part))));

test("another implementation's blocks decode to what went in, and it decodes ours", () => {
  fc.assert(
    fc.property(bytes, (input) => {
      const theirs = decoder.decode(new Uint8Array(compress(input)));
      expect(theirs.kind === 'bytes' && Buffer.compare(theirs.bytes, input)).toBe(0);
      expect(Buffer.compare(Buffer.from(uncompress(snappyEncode(input))), input)).toBe(0);
    }),
    { seed: 21, numRuns: 150 },
  );
});

test('no bytes make it throw, and what it accepts has the announced length', () => {
  fc.assert(
    fc.property(bytes, fc.uint8Array({ maxLength: 64 }), fc.nat(), (input, noise, where) => {
      const block = snappyEncode(input);
      const from = where % block.length;
      block.set(noise.subarray(0, block.length - from), from);
      for (const one of [noise, block, block.subarray(0, where % (block.length + 1))]) {
        const read = decoder.decode(one);
        if (read.kind === 'bytes') expect(read.bytes.length).toBeLessThanOrEqual(MAX);
      }
    }),
    { seed: 22, numRuns: 500 },
  );
});

test.each([
  { name: 'an announced length over the cap', block: [0x81, 0x80, 0x40], code: 'snappy_too_large' },
  { name: 'more announced than bytes can say', block: [0xff, 0x7f, 0], code: 'snappy_corrupt' },
  { name: 'a length without an end', block: [0x80], code: 'snappy_truncated' },
  {
    name: 'a copy from before the start',
    block: [4, 0x00, 97, 0x01, 0x05],
    code: 'snappy_corrupt',
  },
  { name: 'a literal past the end', block: [4, 0x0c, 97], code: 'snappy_corrupt' },
  { name: 'fewer bytes than announced', block: [4, 0x00, 97], code: 'snappy_corrupt' },
])('$name is refused', ({ block, code }) => {
  expect(decoder.decode(Uint8Array.from(block))).toMatchObject({ kind: 'invalid', code });
});
