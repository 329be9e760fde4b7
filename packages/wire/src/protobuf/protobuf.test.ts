import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  protoCursor,
  readBytes,
  readDouble,
  readFixed32,
  readFixed64,
  readLengthEnd,
  readSignedVarint,
  readTag,
  readVarintNumber,
  readZigZag,
  skipField,
} from './reader.ts';
import { createProtoWriter } from './writer.ts';

const safe = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const signed = fc.integer({ min: -(2 ** 52), max: 2 ** 52 }).filter((value) => value !== 0);

test('what is written is read', () => {
  const fields = fc.record({
    wide: safe,
    int: signed,
    zigzag: signed,
    double: fc.double({ noNaN: true }).filter((value) => !Object.is(value, 0)),
    fixed: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    small: fc.integer({ min: 1, max: 0xffffffff }),
    text: fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme' }),
  });
  fc.assert(
    fc.property(fields, ({ wide, int, zigzag, double, fixed, small, text }) => {
      const writer = createProtoWriter();
      writer.messageField(9, () => {
        writer.varintField(1, wide);
        writer.signedField(2, int);
        writer.zigZagField(3, zigzag);
        writer.doubleField(4, double);
        writer.fixed64Field(5, fixed);
        writer.fixed32Field(6, small);
        writer.textField(2_000, text);
      });
      const cursor = protoCursor(writer.finish());
      expect(readTag(cursor) >>> 3).toBe(9);
      expect(readLengthEnd(cursor)).toBe(cursor.end);
      const values = [
        [readTag(cursor), readVarintNumber(cursor)],
        [readTag(cursor), readSignedVarint(cursor)],
        [readTag(cursor), readZigZag(cursor)],
        [readTag(cursor), readDouble(cursor)],
        [readTag(cursor), BigInt(readFixed64(cursor)) | (BigInt(cursor.high) << 32n)],
        [readTag(cursor), readFixed32(cursor)],
        [readTag(cursor), new TextDecoder().decode(readBytes(cursor))],
      ];
      expect(values).toEqual([
        [8, wide],
        [16, int],
        [24, zigzag],
        [33, double],
        [41, fixed],
        [53, small],
        [16_002, text],
      ]);
      expect([cursor.at, cursor.fault]).toEqual([cursor.end, '']);
    }),
    { seed: 5 },
  );
});

test('any bytes are read to their end or to a fault, and never past it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const cursor = protoCursor(bytes);
      for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) skipField(cursor, tag);
      expect(cursor.at).toBe(bytes.length);
    }),
    { seed: 6 },
  );
});

test.each([
  { name: 'a number without an end', bytes: [0x08, 0x80], fault: 'a number is cut off at byte 1' },
  {
    name: 'a length past the end',
    bytes: [0x0a, 0x05, 0x01],
    fault: 'a length of 5 bytes goes past the end at byte 2',
  },
  { name: 'a group', bytes: [0x0b], fault: 'wire type 3 is not supported at byte 1' },
  { name: 'field number 0', bytes: [0x02, 0x00], fault: 'field number out of range at byte 1' },
])('$name is a fault that says where', ({ bytes, fault }) => {
  const cursor = protoCursor(Uint8Array.from(bytes));
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) skipField(cursor, tag);
  expect(cursor.fault).toBe(fault);
});
