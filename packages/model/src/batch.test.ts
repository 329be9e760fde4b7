import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBatch } from './batch.ts';
import { BLOCK_LIMITS } from './block-limits.ts';
import { idsOf, textRangesOf, valuesOf } from './block-values.ts';
import { defineTable } from './column.ts';
import { readBlock } from './native-block.ts';

const sample = defineTable({
  database: 'd',
  name: 'sample',
  doc: 'Columns that are filled in parts.',
  timeColumn: 'time',
  orderBy: ['time'],
  retentionHours: 1,
  writer: 'sender',
  columns: {
    time: { kind: 'seconds', doc: 'a' },
    id: { kind: 'id', doc: 'a' },
    service: { kind: 'category', doc: 'a' },
    path: { kind: 'text', doc: 'a' },
    names: { kind: 'texts', doc: 'a' },
    shares: { kind: 'floats', doc: 'a' },
  },
});
type Row = Parameters<ReturnType<typeof createBatch<typeof sample.columns>>['push']>[0];

function decoded(block: Uint8Array): unknown[] {
  const read = readBlock(sample, block, { columns: 'agent' });
  if (read.kind === 'invalid') return [read.code, read.message];
  return Object.keys(sample.columns).map((name) => valuesOf(read.block, name));
}

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const rows = fc.array(
  fc.record({
    time: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    service: text,
    path: text,
    names: fc.array(text, { maxLength: 3 }),
    shares: fc.array(fc.constantFrom(0, 0.5, 1), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 20 },
);

test('a rollback leaves what the batch was at its mark, half a row or not', () => {
  const law = (kept: Row[], dropped: Row[], later: Row[], isTorn: boolean): void => {
    const batch = createBatch(sample);
    for (const row of kept) batch.push(row);
    batch.mark();
    for (const row of dropped) batch.push(row);
    const tear = (): void =>
      batch.add((to) => {
        to.time.push(1);
        to.names.item('half');
        to.path.push('half');
        throw new Error('malformed');
      });
    if (isTorn) expect(tear).toThrow('malformed');
    batch.rollback();
    for (const row of later) batch.push(row);
    const plain = createBatch(sample);
    for (const row of [...kept, ...later]) plain.push(row);
    expect(batch.rows).toBe(plain.rows);
    expect(decoded(batch.encode())).toEqual(decoded(plain.encode()));
  };
  fc.assert(fc.property(rows, rows, rows, fc.boolean(), law), { seed: 11 });
});

test('a block may leave out columns without a value, never its time, and is else the same', () => {
  const law = (some: Row[], empty: readonly (keyof Row)[]): void => {
    const none: Row = { time: 0, id: 0n, service: '', path: '', names: [], shares: [] };
    const given = some.map((row) => ({
      ...row,
      ...Object.fromEntries(empty.map((name) => [name, none[name]])),
    }));
    const batch = createBatch(sample);
    for (const row of given) batch.push(row);
    const left = Object.keys(none).filter(
      (name) =>
        name === 'time' ||
        given.some((row) => !isDeepStrictEqual(row[name as keyof Row], none[name as keyof Row])),
    );
    const memory = new ArrayBuffer(2 ** 16);
    const block = batch.block({ memory, omitsDefaults: true });
    expect([...block.columns.keys()]).toEqual(left);
    expect(block.bytes.buffer).toBe(memory);
    const whole = batch.block();
    for (const name of left) expect(valuesOf(block, name)).toEqual(valuesOf(whole, name));
    if (!left.includes('id')) expect(idsOf(block, 'id')).toEqual(idsOf(whole, 'id'));
    if (!left.includes('path')) expect(textRangesOf(block, 'path')).toBeUndefined();
  };
  const names = fc.subarray(['time', 'id', 'service', 'path', 'names', 'shares'] as const);
  fc.assert(fc.property(rows, names, law));
});

test.each([
  { name: 'large enough', bytes: 100_000, isUsed: true },
  { name: 'too small', bytes: 16, isUsed: false },
])('a block is the same in memory that was used before, $name', ({ bytes, isUsed }) => {
  fc.assert(
    fc.property(rows, (all) => {
      const batch = createBatch(sample);
      for (const row of all) batch.push(row);
      const used = new Uint8Array(bytes).fill(0xaa);
      const block = batch.encode(used.buffer);
      expect(block.buffer === used.buffer).toBe(isUsed);
      expect(block).toEqual(batch.encode());
    }),
    { seed: 20_416, numRuns: 20 },
  );
});

test('bytes go into a text as the text that they are', () => {
  const law = (path: string, names: readonly string[]): void => {
    const bytes = new TextEncoder().encode(path);
    const batch = createBatch(sample);
    batch.add((to) => {
      to.time.push(1);
      to.id.push(1n);
      to.service.push('');
      to.path.pushUtf8(bytes, 0, bytes.length);
      for (const name of names) {
        const item = new TextEncoder().encode(`.${name}`);
        to.names.itemUtf8(item, 1, item.length);
      }
      to.names.endRow();
      to.shares.push([]);
    });
    expect(decoded(batch.encode()).slice(3, 5)).toEqual([[path], [names]]);
  };
  fc.assert(fc.property(text, fc.array(text, { maxLength: 4 }), law), { seed: 12 });
});

test.each([
  { name: 'invalid UTF-8', bytes: [0x61, 0xff, 0x62], want: 'a\ufffdb' },
  {
    name: 'a text over the limit',
    bytes: new Array<number>(BLOCK_LIMITS.textBytesMax + 9).fill(0x7a),
    want: 'z'.repeat(Math.floor(BLOCK_LIMITS.textBytesMax / 3)),
  },
])('$name is made to fit', ({ bytes, want }) => {
  const batch = createBatch(sample);
  batch.add((to) => {
    to.time.push(1);
    to.id.pushHalves(1, 0);
    to.service.push('');
    to.path.pushUtf8(Uint8Array.from(bytes), 0, bytes.length);
    to.names.push([]);
    to.shares.push([]);
  });
  expect(decoded(batch.encode())[3]).toEqual([want]);
});
