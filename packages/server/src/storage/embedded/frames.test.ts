import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrameReader, writeFrame } from './frames.ts';

const frame = fc.record({
  head: fc.dictionary(fc.string(), fc.string()),
  body: fc.uint8Array({ maxLength: 100 }),
});
type Frame = typeof frame extends fc.Arbitrary<infer One> ? One : never;

function bytesOf(frames: readonly Frame[]): Buffer {
  const stream = new PassThrough({ highWaterMark: 2 ** 20 });
  for (const { head, body } of frames) writeFrame(stream, head, body);
  return (stream.read() as Buffer | null) ?? Buffer.alloc(0);
}

test('frames cut anywhere are read as they were written', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.array(fc.nat(2_000), { maxLength: 20 }),
      (frames, cuts) => {
        const bytes = bytesOf(frames);
        const found: Frame[] = [];
        const read = createFrameReader(2 ** 20, (head, body) => {
          found.push({ head: head as Frame['head'], body: new Uint8Array(body) });
        });
        let from = 0;
        for (const to of [...cuts.sort((one, other) => one - other), bytes.length]) {
          if (to > from) read(bytes.subarray(from, to));
          from = Math.max(from, Math.min(to, bytes.length));
        }
        expect(found).toEqual(frames.map(({ head, body }) => ({ head: { ...head }, body })));
      },
    ),
  );
});

test('a frame over the limit is refused before its bytes are held', () => {
  const read = createFrameReader(1_000, () => undefined);
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(2, 0);
  prefix.writeUInt32LE(1_000, 4);
  expect(() => read(prefix)).toThrow('a frame of 1010 bytes, the most is 1000');
});
