// Protobuf's wire format. Source: protobuf.dev, "Encoding".

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_FIXED32 = 5;

/**
 * A place in protobuf bytes. Readers of nested messages move `end` inwards and back. The first
 * malformed thing sets `fault` and moves `at` to `end`, so that loops over fields end by themselves:
 * check `fault` once, after the whole message.
 */
export interface ProtoCursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  end: number;
  fault: string;
  /** High 32 bits of the varint or fixed64 that was read last. */
  high: number;
}

export function protoCursor(bytes: Uint8Array): ProtoCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, at: 0, end: bytes.length, fault: '', high: 0 };
}

export function protoFault(cursor: ProtoCursor, reason: string): number {
  if (cursor.fault === '') cursor.fault = `${reason} at byte ${cursor.at}`;
  cursor.at = cursor.end;
  return 0;
}

/** Field number << 3 | wire type; 0 at the end of the message and after a fault. */
export function readTag(cursor: ProtoCursor): number {
  if (cursor.at >= cursor.end) return 0;
  // Fields 1 to 15, which are nearly all, take one byte.
  const first = cursor.bytes[cursor.at] ?? 0;
  if (first < 0x80 && first >= 8) {
    cursor.at += 1;
    return first;
  }
  const tag = readVarint(cursor);
  if (cursor.high !== 0 || tag >>> 3 === 0) return protoFault(cursor, 'field number out of range');
  return tag;
}

/** Low 32 bits, unsigned; the high ones are in `cursor.high`. At most ten bytes. */
export function readVarint(cursor: ProtoCursor): number {
  const { bytes, end } = cursor;
  let { at } = cursor;
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (at >= end) return protoFault(cursor, 'a number is cut off');
    const byte = bytes[at++] ?? 0;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high = bits >>> 4;
    } else high |= bits << (shift - 32);
    if (byte < 0x80) {
      cursor.at = at;
      cursor.high = high >>> 0;
      return low >>> 0;
    }
  }
  return protoFault(cursor, 'a number is longer than ten bytes');
}

/** An unsigned 64-bit varint as a number: exact below 2^53, the nearest double above. */
export function readVarintNumber(cursor: ProtoCursor): number {
  const low = readVarint(cursor);
  return cursor.high * 2 ** 32 + low;
}

/** int64 and int32: two's complement in 64 bits. Exact between -2^53 and 2^53. */
export function readSignedVarint(cursor: ProtoCursor): number {
  const low = readVarint(cursor);
  return (cursor.high | 0) * 2 ** 32 + low;
}

/** sint32 and sint64 (zigzag) as a number. */
export function readZigZag(cursor: ProtoCursor): number {
  const low = readVarint(cursor);
  const half = cursor.high * 2 ** 31 + (low >>> 1);
  return (low & 1) === 0 ? half : -half - 1;
}

/** Low 32 bits of a fixed64; the high ones are in `cursor.high`. */
export function readFixed64(cursor: ProtoCursor): number {
  if (cursor.end - cursor.at < 8) return protoFault(cursor, 'eight bytes are cut off');
  const low = cursor.view.getUint32(cursor.at, true);
  cursor.high = cursor.view.getUint32(cursor.at + 4, true);
  cursor.at += 8;
  return low;
}

export function readDouble(cursor: ProtoCursor): number {
  if (cursor.end - cursor.at < 8) return protoFault(cursor, 'eight bytes are cut off');
  const value = cursor.view.getFloat64(cursor.at, true);
  cursor.at += 8;
  return value;
}

export function readFixed32(cursor: ProtoCursor): number {
  if (cursor.end - cursor.at < 4) return protoFault(cursor, 'four bytes are cut off');
  const value = cursor.view.getUint32(cursor.at, true);
  cursor.at += 4;
  return value;
}

/**
 * Reads a length and answers where its bytes end; they begin at `cursor.at`. For a nested message:
 * keep `cursor.end`, set it to the answer, read fields, then set it back.
 */
export function readLengthEnd(cursor: ProtoCursor): number {
  const length = readVarint(cursor);
  if (cursor.high !== 0 || length > cursor.end - cursor.at) {
    protoFault(cursor, `a length of ${cursor.high * 2 ** 32 + length} bytes goes past the end`);
    return cursor.end;
  }
  return cursor.at + length;
}

/** The bytes of a length-delimited field: a view, good as long as the input is. */
export function readBytes(cursor: ProtoCursor): Uint8Array {
  const end = readLengthEnd(cursor);
  const bytes = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return bytes;
}

/** Steps over a field whose number is not known, as every reader must. */
export function skipField(cursor: ProtoCursor, wireType: number): void {
  switch (wireType & 7) {
    case WIRE_VARINT:
      readVarint(cursor);
      return;
    case WIRE_FIXED64:
      readFixed64(cursor);
      return;
    case WIRE_LENGTH:
      cursor.at = readLengthEnd(cursor);
      return;
    case WIRE_FIXED32:
      readFixed32(cursor);
      return;
    default:
      protoFault(cursor, `wire type ${wireType & 7} is not supported`);
  }
}
