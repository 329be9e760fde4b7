import { expect, test } from 'vitest';
import { type RingViews, walkRing } from './ring.ts';

const SIZE = 256;

/** A ring whose memory is laid out as the kernel's: records of 8-byte header and payload. */
function ringWith(
  start: number,
  records: readonly { length: number; flags?: number }[],
): RingViews {
  const words = new Uint32Array(SIZE / 2);
  let position = start;
  for (const { length, flags = 0 } of records) {
    // The second mapping shows the same bytes again.
    const at = (position & (SIZE - 1)) >>> 2;
    words[at] = (length | flags) >>> 0;
    words[(at + SIZE / 4) % (SIZE / 2)] = (length | flags) >>> 0;
    position += (length + 8 + 7) & ~7;
  }
  return {
    words,
    producer: Uint32Array.of(position >>> 0, 0),
    consumer: Uint32Array.of(start >>> 0, 0),
    mask: SIZE - 1,
  };
}

function walk(views: RingViews): { seen: number[]; committed: number } {
  const seen: number[] = [];
  let committed = 0;
  walkRing(
    views,
    (offset, length) => seen.push(offset, length),
    (bytes) => {
      committed += bytes;
    },
  );
  return { seen, committed };
}

test('records come in order and all their bytes are given back', () => {
  expect(walk(ringWith(0, [{ length: 16 }, { length: 5 }]))).toEqual({
    seen: [8, 16, 32, 5],
    committed: 24 + 16,
  });
});

test('a discarded record is skipped, but its bytes are given back', () => {
  const views = ringWith(0, [{ length: 16, flags: 0x40000000 }, { length: 8 }]);
  expect(walk(views)).toEqual({ seen: [32, 8], committed: 40 });
});

test('a record that is still being written ends the walk before it', () => {
  const views = ringWith(0, [{ length: 16 }, { length: 8, flags: 0x80000000 }, { length: 8 }]);
  expect(walk(views)).toEqual({ seen: [8, 16], committed: 24 });
});

test('a record that passes the end of the ring is whole in the second mapping', () => {
  expect(walk(ringWith(SIZE - 16, [{ length: 24 }]))).toEqual({
    seen: [SIZE - 8, 24],
    committed: 32,
  });
});

test('positions that pass 2^32 go on at zero', () => {
  expect(walk(ringWith(2 ** 32 - 16, [{ length: 24 }, { length: 8 }]))).toEqual({
    seen: [SIZE - 8, 24, 24, 8],
    committed: 48,
  });
});

test('an empty ring gives nothing and commits nothing', () => {
  expect(walk(ringWith(64, []))).toEqual({ seen: [], committed: 0 });
});

test('a record that its taker throws at is given back with those before it', () => {
  const views = ringWith(0, [{ length: 16 }, { length: 8 }, { length: 8 }]);
  let committed = 0;
  const take = (offset: number): void => {
    if (offset === 32) throw new Error('not this one');
  };
  expect(() => walkRing(views, take, (bytes) => (committed += bytes))).toThrow('not this one');
  expect(committed).toBe(24 + 16);
});
