import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBatch } from './batch.ts';
import { BLOCK_LIMITS } from './block-limits.ts';
import { selectRows } from './block-rows.ts';
import { doublesOf, idsOf, valuesOf } from './block-values.ts';
import { type Column, defineTable } from './column.ts';
import { blockOfColumns } from './column-block.ts';
import { readBlock, withColumns } from './native-block.ts';

const SEED = 20_416;
const sample = defineTable({
  database: 'd',
  name: 'sample',
  doc: 'One column of each kind.',
  timeColumn: 'time',
  orderBy: ['time'],
  retentionHours: 1,
  writer: 'sender',
  columns: {
    time: { kind: 'seconds', doc: 'a' },
    at: { kind: 'micros', doc: 'a' },
    stamp: { kind: 'millis', doc: 'a' },
    tiny: { kind: 'u8', doc: 'a' },
    port: { kind: 'u16', doc: 'a' },
    pid: { kind: 'u32', doc: 'a' },
    id: { kind: 'id', doc: 'a' },
    code: { kind: 'i32', doc: 'a' },
    share: { kind: 'f32', doc: 'a' },
    exact: { kind: 'f64', doc: 'a' },
    service: { kind: 'category', doc: 'a' },
    path: { kind: 'text', doc: 'a' },
    message: { kind: 'bytes', doc: 'a' },
    names: { kind: 'texts', doc: 'a' },
    kinds: { kind: 'categories', doc: 'a' },
    shares: { kind: 'floats', doc: 'a' },
    others: { kind: 'ids', doc: 'a' },
    root: { kind: 'id', doc: 'a', origin: 'server' },
  },
});

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const f32 = fc.float({ noNaN: true });
const text = fc.string({ unit: 'grapheme', maxLength: 90 });
const row = fc.record({
  time: u32,
  at: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  stamp: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  tiny: fc.integer({ min: 0, max: 255 }),
  port: fc.integer({ min: 0, max: 65_535 }),
  pid: u32,
  id: u64,
  code: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  share: f32,
  exact: fc.double({ noNaN: true }),
  service: text,
  path: text,
  message: fc.uint8Array({ maxLength: 40 }),
  names: fc.array(text, { maxLength: 4 }),
  kinds: fc.array(text, { maxLength: 4 }),
  shares: fc.array(f32, { maxLength: 4 }),
  others: fc.array(u64, { maxLength: 4 }),
});
const rows = fc.array(row, { minLength: 1, maxLength: 400 });

function encoded(
  values: readonly Parameters<ReturnType<typeof createBatch<typeof sample.columns>>['push']>[0][],
): Uint8Array {
  const batch = createBatch(sample);
  for (const value of values) batch.push(value);
  return batch.encode();
}

function decoded(bytes: Uint8Array, columns: 'agent' | 'all' = 'agent') {
  const read = readBlock(sample, bytes, { columns });
  if (read.kind === 'invalid') throw new Error(`${read.code}: ${read.message}`);
  return read.block;
}

test('rows come back as they went in', () => {
  fc.assert(
    fc.property(rows, (values) => {
      const block = decoded(encoded(values));
      for (const [name, { origin }] of Object.entries<Column>(sample.columns)) {
        if (origin === 'server') continue;
        // The record above has every column of the agent.
        expect(valuesOf(block, name)).toEqual(
          values.map((value) => value[name as keyof typeof value]),
        );
      }
    }),
    { seed: SEED, numRuns: 40 },
  );
});

test('values that rows share come back with each of them', () => {
  const names = ['time', 'at', 'tiny', 'port', 'pid', 'id', 'code', 'share', 'service'] as const;
  const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), picks, (values, chosen) => {
      const plain = createBatch(sample);
      const sharing = createBatch(sample, names);
      const shares = new Map<unknown, number>();
      const shareOf = (value: (typeof values)[number]): number =>
        sharing.share((columns) => {
          columns.id.push(value.id);
          for (const name of ['time', 'at', 'tiny', 'port', 'pid', 'code', 'share'] as const) {
            columns[name].push(value[name]);
          }
          columns.service.push(value.service);
        });
      for (const pick of chosen) {
        const value = values[pick % values.length];
        if (value === undefined) throw new Error('BUG: no value');
        plain.push(value);
        const share = shares.get(value) ?? shareOf(value);
        shares.set(value, share);
        sharing.add((columns) => {
          for (const [name, one] of Object.entries(value)) {
            if (names.some((shared) => shared === name)) continue;
            // Each entry's value is of its own column's kind.
            (columns as Record<string, { push(value: unknown): void }>)[name]?.push(one);
          }
        }, share);
      }
      const [wanted, block] = [decoded(plain.encode()), decoded(sharing.encode())];
      for (const name of block.columns.keys()) {
        expect(valuesOf(block, name)).toEqual(valuesOf(wanted, name));
      }
    }),
    { seed: SEED, numRuns: 30 },
  );
});

test('a row that names no share is a mistake that is told', () => {
  const batch = createBatch(sample, ['id']);
  const [value] = fc.sample(row, { seed: SEED, numRuns: 1 });
  if (value === undefined) throw new Error('BUG: no sample');
  batch.push(value);
  batch.clear();
  batch.add(() => undefined, 3);
  expect(() => batch.encode()).toThrow('BUG');
});

test('the server adds columns without touching the others', () => {
  fc.assert(
    fc.property(rows, (values) => {
      const block = decoded(encoded(values));
      const root = values.map(({ id }) => id ^ 1n);
      const pieces = withColumns(sample, block, { root: BigUint64Array.from(root) });
      const whole = decoded(Buffer.concat(pieces), 'all');
      expect([...idsOf(whole, 'root')]).toEqual(root);
      expect(valuesOf(whole, 'path')).toEqual(values.map(({ path }) => path));
    }),
    { seed: SEED, numRuns: 20 },
  );
});

test('a block of whole columns is the one that a batch of its rows makes', () => {
  const { stamp, id } = sample.columns;
  const table = defineTable({
    ...sample,
    orderBy: ['stamp'],
    timeColumn: 'stamp',
    columns: { stamp, id },
  });
  const batch = createBatch(table);
  batch.push({ stamp: 1_785_000_000_123, id: 2n ** 63n });
  batch.push({ stamp: 5, id: 7n });
  const bytesOf = (...values: bigint[]): Uint8Array =>
    new Uint8Array(BigUint64Array.from(values).buffer);
  const columns = { stamp: bytesOf(1_785_000_000_123n, 5n), id: bytesOf(2n ** 63n, 7n) };
  const used = new Uint8Array(200).fill(9);
  for (const buffer of [undefined, used, new Uint8Array(3)]) {
    expect(blockOfColumns(table, 2, columns, buffer)).toEqual(batch.block());
  }
  expect(blockOfColumns(table, 2, columns, used).bytes.buffer).toBe(used.buffer);
  expect(() => blockOfColumns(table, 3, columns)).toThrow(/BUG: 16 bytes of sample.stamp, 3 rows/);
});

test('selected rows keep every value, and the block stays whole', () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 5 }), (values, step) => {
      const block = selectRows(sample, decoded(encoded(values)), (at) => at % step === 0);
      const wanted = values.filter((_, at) => at % step === 0);
      const pieces = withColumns(sample, block, { root: new BigUint64Array(wanted.length) });
      const again = decoded(Buffer.concat(pieces), 'all');
      for (const name of [
        'time',
        'at',
        'id',
        'share',
        'service',
        'path',
        'names',
        'kinds',
      ] as const) {
        expect(valuesOf(again, name)).toEqual(wanted.map((value) => value[name]));
      }
    }),
    { seed: SEED, numRuns: 20 },
  );
});

test('no bytes make the reader throw, and a cut block is never accepted', () => {
  fc.assert(
    fc.property(
      rows,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.uint8Array(),
      (values, where, noise) => {
        const bytes = encoded(values);
        const at = Math.floor(where * (bytes.length - 1));
        expect(readBlock(sample, bytes.subarray(0, at), { columns: 'agent' }).kind).toBe('invalid');
        expect(readBlock(sample, noise, { columns: 'agent' }).kind).toBe('invalid');
        bytes.set(noise.subarray(0, bytes.length - at), at);
        const read = readBlock(sample, bytes, { columns: 'agent' });
        if (read.kind === 'block') valuesOf(read.block, 'service');
      },
    ),
    { seed: SEED, numRuns: 200 },
  );
});

test('limits are refused by the reader and kept by the writer', () => {
  const [value] = fc.sample(row, { seed: SEED, numRuns: 1 });
  if (value === undefined) throw new Error('BUG: no sample');
  const bytes = encoded([value, { ...value, path: 'x'.repeat(BLOCK_LIMITS.textBytesMax * 2) }]);
  expect(decoded(bytes).rows).toBe(2);
  const codeWith = (limits: object): string => {
    const read = readBlock(sample, bytes, { columns: 'agent', limits });
    return read.kind === 'invalid' ? read.code : read.kind;
  };
  expect([
    codeWith({ rowsMax: 1 }),
    codeWith({ bytesMax: 10 }),
    codeWith({ textBytesMax: 1_000 }),
  ]).toEqual(['block_too_large', 'block_too_large', 'block_corrupt']);
});

test('a double keeps all its bits, also those of a NaN', () => {
  const table = defineTable({
    ...sample,
    orderBy: ['time'],
    timeColumn: 'time',
    columns: { time: { kind: 'seconds', doc: 'a' }, exact: { kind: 'f64', doc: 'a' } },
  });
  const halves = [0x2, 0x7ff00000, 0x1, 0x7ff80000, 0xffffffff, 0xffffffff, 0, 0x80000000];
  const batch = createBatch(table);
  for (let i = 0; i < halves.length; i += 2) {
    batch.add(({ time, exact }) => {
      time.push(1);
      exact.pushHalves(halves[i] ?? 0, halves[i + 1] ?? 0);
    });
  }
  const read = readBlock(table, batch.encode(), { columns: 'agent' });
  expect(read.kind === 'block' && [...doublesOf(read.block, 'exact')]).toEqual(halves);
});
