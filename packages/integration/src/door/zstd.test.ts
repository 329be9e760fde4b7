import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unpackZstd, ZSTD_BYTES_MAX } from './zstd.ts';

/** By zstd 1.5.4: `zstd -19`, with its checksum, of this text. */
const GREETING = 'hello zstd hello zstd hello zstd hello zstd hello';
const PACKED_GREETING = Buffer.from(
  '28b52ffd04688d00005868656c6c6f207a737464200100fd142f801765a1',
  'hex',
);
/** By `zstd -1` from a pipe: four blocks under a window, of which later ones refer to earlier ones. */
const LINES = Array.from({ length: 20_000 }, (_, at) => `span ${at % 97} of checkout\n`).join('');
const PACKED_LINES = Buffer.from(
  'KLUv/QRIxAQAogcVFaA3HcTJ6W9rUAWPTElKmZIX++a5Anff3d3d////b9u2bZuZmZmZVVVVVVUREREREbVt27YkSZLkzMzMzNxtReUUg0ASgOFwFAoBoSiDowSKQSBJa6hh+P3voKOSaxL499G3//+fAbD3jVdJigCJrUJZdBlMY+vw9q76z/xXWKJcUsg60riiiJ0hVmFl2FsCjWW+XwVMAAAIaAEA/P85EAJMAAAIIAEA/P85EAJFAAAIbwEAZtIDIQ92sHo=',
  'base64',
);

type Block = readonly [kind: 'raw' | 'rle', bytes: Buffer, times?: number];

/** One frame of blocks that are not packed: with a window of 2^log bytes, or its size (log 0). */
function frame(log: number, blocks: readonly Block[]): Buffer {
  const size = blocks.reduce((sum, [, bytes, times = 1]) => sum + bytes.length * times, 0);
  const sizeBytes = Buffer.alloc(4);
  sizeBytes.writeUInt32LE(size);
  const head = log === 0 ? [Buffer.from([0xa0]), sizeBytes] : [Buffer.from([0, (log - 10) << 3])];
  const body = blocks.flatMap(([kind, bytes, times = 1], at) => {
    const number = ((bytes.length * times) << 3) | (kind === 'rle' ? 2 : 0);
    const blockHead = Buffer.alloc(3);
    blockHead.writeUIntLE(number | (at === blocks.length - 1 ? 1 : 0), 0, 3);
    return [blockHead, bytes];
  });
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), ...head, ...body]);
}

const text = async (packed: Buffer, bytesMax = ZSTD_BYTES_MAX): Promise<string> =>
  String(await unpackZstd(packed, bytesMax));
const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);

test.each([
  { name: 'a small body', packed: PACKED_GREETING, want: GREETING },
  { name: 'blocks that refer to blocks before', packed: PACKED_LINES, want: LINES },
  {
    name: 'frame after frame, one of them to be skipped',
    packed: Buffer.concat([PACKED_GREETING, skipped, PACKED_GREETING]),
    want: GREETING + GREETING,
  },
  { name: 'nothing in a frame', packed: frame(10, [['raw', Buffer.alloc(0)]]), want: '' },
  {
    name: 'a byte many times',
    packed: frame(0, [['rle', Buffer.from('x'), 100_000]]),
    want: 'x'.repeat(100_000),
  },
])('$name is unpacked', async ({ packed, want }) => {
  expect(await text(packed)).toBe(want);
});

test('any bytes in blocks of any sizes come back', async () => {
  const bytes = fc.uint8Array({ maxLength: 20_000 }).map((one) => Buffer.from(one));
  const blocks = fc.array(bytes, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(blocks, fc.constantFrom(0, 15, 20), async (parts, log) => {
      const packed = frame(
        log,
        parts.map((part): Block => ['raw', part]),
      );
      expect(await unpackZstd(packed, ZSTD_BYTES_MAX)).toEqual(Buffer.concat(parts));
    }),
    { seed: 91, numRuns: 30 },
  );
});

const cut = (by: number): Buffer => PACKED_GREETING.subarray(0, PACKED_GREETING.length - by);
const manyBlocks = Array.from({ length: 200 }, (): Block => ['rle', Buffer.from('x'), 1]);
const dictionary = Buffer.from('28b52ffd210105000000000000', 'hex');

test.each([
  { name: 'no bytes', packed: Buffer.alloc(0), why: /no bytes/ },
  { name: 'something else', packed: Buffer.from('hello, world'), why: /no frame of zstd/ },
  { name: 'a cut checksum', packed: cut(1), why: /ends early/ },
  { name: 'a cut block', packed: cut(9), why: /ends early/ },
  { name: 'a window of 16 MiB', packed: frame(24, manyBlocks), why: /window of 16777216 bytes/ },
  {
    name: 'tiny blocks under a large window',
    packed: frame(23, manyBlocks),
    why: /too many blocks/,
  },
  { name: 'a dictionary', packed: dictionary, why: /dictionary/ },
])('$name is refused', async ({ packed, why }) => {
  await expect(text(packed)).rejects.toThrow(why);
});

test('a small body that becomes a large one ends at the limit', async () => {
  const bomb = frame(
    20,
    Array.from({ length: 900 }, (): Block => ['rle', Buffer.from('x'), 2 ** 17]),
  );
  await expect(text(bomb, 1_000_000)).rejects.toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' });
});

test('damaged bodies end with an error or other bytes, never with more than allowed', async () => {
  const damage = fc.array(fc.tuple(fc.nat(PACKED_LINES.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const packed = Buffer.from(PACKED_LINES);
      for (const [at, byte] of changes) packed[at] = byte;
      const bytes = await unpackZstd(packed, 500_000).catch(() => Buffer.alloc(0));
      expect(bytes.length).toBeLessThanOrEqual(500_000);
    }),
    { seed: 92, numRuns: 100 },
  );
});
