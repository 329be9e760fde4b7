import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeJaegerBatch } from './batch.ts';

const encoder = new TextEncoder();

// Thrift's binary protocol, written down for the test: big-endian, fields as type, id, value.
type Bytes = readonly number[];
const whole = (value: number | bigint, size: number): Bytes =>
  Array.from({ length: size }, (_, at) =>
    Number((BigInt(value) >> BigInt(8 * (size - 1 - at))) & 0xffn),
  );
const text = (value: string): Bytes => {
  const bytes = encoder.encode(value);
  return [...whole(bytes.length, 4), ...bytes];
};
const double = (value: number): Bytes => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return [...new Uint8Array(view.buffer)];
};
const field = (type: number, id: number, value: Bytes): Bytes => [type, ...whole(id, 2), ...value];
const struct = (...fields: readonly Bytes[]): Bytes => [...fields.flat(), 0];
const list = (items: readonly Bytes[]): Bytes => [12, ...whole(items.length, 4), ...items.flat()];
const i32 = (id: number, value: number): Bytes => field(8, id, whole(value, 4));
const i64 = (id: number, value: bigint): Bytes => field(10, id, whole(value, 8));

const TAGS = [
  struct(field(11, 1, text('text')), i32(2, 0), field(11, 3, text('grün')), i64(6, 0n)),
  struct(field(11, 1, text('part')), i32(2, 1), field(11, 3, text('')), field(4, 4, double(0.5))),
  struct(field(11, 1, text('flag')), i32(2, 2), field(2, 5, [1])),
  struct(field(11, 1, text('long')), i32(2, 3), i64(6, -5n), field(11, 7, text(''))),
  struct(field(11, 1, text('bytes')), i32(2, 4), field(11, 7, text('ab'))),
];
const TAG_VALUES = [
  ['text', 'grün'],
  ['part', 0.5],
  ['flag', true],
  ['long', -5n],
  ['bytes', 'YWI='],
];

function spanBytes(ids: { low: bigint; high?: bigint; span: bigint; parent?: bigint }): Bytes {
  const reference = struct(i32(1, 1), i64(2, 7n), i64(3, 0n), i64(4, 8n));
  const log = struct(i64(1, 1_000_002n), field(15, 2, list(TAGS.slice(0, 1))));
  // Not in the order of their numbers, and with fields that nobody knows.
  return struct(
    field(15, 10, list(TAGS)),
    i64(1, ids.low),
    i64(2, ids.high ?? 0n),
    i64(3, ids.span),
    i64(4, ids.parent ?? 0n),
    field(11, 5, text('get /stock')),
    field(15, 6, list([reference])),
    i32(7, 1),
    field(13, 99, [11, 12, ...whole(1, 4), ...text('key'), ...struct(i64(1, 2n))]),
    i64(8, 1_000_000n),
    i64(9, 25n),
    field(15, 11, list([log])),
    field(2, 12, [0]),
  );
}

function batchBytes(spans: readonly Bytes[]): Uint8Array {
  const owner = struct(field(11, 1, text('shop')), field(15, 2, list(TAGS.slice(3, 4))));
  return Uint8Array.from(struct(field(12, 1, owner), field(15, 2, list(spans))));
}
const GOOD = { low: 0x1fn, high: -1n, span: 0x2an, parent: 0x29n };

test('a batch is its process and its spans, with all types of tags', () => {
  expect(decodeJaegerBatch(batchBytes([spanBytes(GOOD)]))).toEqual({
    kind: 'decoded',
    value: {
      serviceName: 'shop',
      tags: [['long', -5n]],
      spans: {
        items: [
          {
            traceId: 'ffffffffffffffff000000000000001f',
            spanId: '000000000000002a',
            parentSpanId: '0000000000000029',
            operationName: 'get /stock',
            references: [
              { isChildOf: false, traceId: '0000000000000007', spanId: '0000000000000008' },
            ],
            startUs: 1_000_000,
            durationUs: 25,
            tags: TAG_VALUES,
            logs: [{ timeUs: 1_000_002, fields: [['text', 'grün']] }],
          },
        ],
        refused: 0,
        firstRefusal: undefined,
      },
    },
  });
});

test('a span without ids is refused by itself', () => {
  const bad = [spanBytes({ low: 0n, span: 1n }), spanBytes({ low: 1n, span: 0n })];
  const answer = decodeJaegerBatch(batchBytes([spanBytes(GOOD), ...bad]));
  expect(answer).toMatchObject({
    value: { spans: { refused: 2, firstRefusal: { at: 1, reason: 'the trace id is zero' } } },
  });
});

test('every truncation is refused, and none throws', () => {
  const whole = batchBytes([spanBytes(GOOD)]);
  for (let size = 0; size < whole.length; size += 1) {
    expect(decodeJaegerBatch(whole.subarray(0, size)).kind).toBe('invalid');
  }
});

test.each([
  { name: 'a list that says to be longer than the body', bytes: [15, 0, 2, 12, 127, 0, 0, 0] },
  { name: 'a text of a negative length', bytes: [12, 0, 1, 11, 0, 1, 255, 255, 255, 255] },
  { name: 'a type that there is not', bytes: [77, 0, 1] },
  { name: 'structs within structs without end', bytes: new Array(3_000).fill([12, 0, 9]).flat() },
  { name: 'another message', bytes: [0] },
])('$name is refused', ({ bytes }) => {
  expect(decodeJaegerBatch(Uint8Array.from(bytes)).kind).toBe('invalid');
});

test('never throws on arbitrary bytes', () => {
  const broken = fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 }));
  const good = batchBytes([spanBytes(GOOD)]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.array(broken), (bytes, changes) => {
      decodeJaegerBatch(bytes);
      const changed = good.slice();
      for (const [at, byte] of changes) changed[at % changed.length] = byte;
      decodeJaegerBatch(changed);
    }),
    { seed: 24, numRuns: 1_000 },
  );
});
