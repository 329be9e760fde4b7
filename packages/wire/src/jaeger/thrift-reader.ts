// Thrift's binary protocol. Source: thrift.apache.org, "Thrift Binary protocol encoding".
import { createTextDecoder } from '../text.ts';

export const THRIFT_BOOL = 2;
const THRIFT_BYTE = 3;
export const THRIFT_DOUBLE = 4;
const THRIFT_I16 = 6;
export const THRIFT_I32 = 8;
export const THRIFT_I64 = 10;
export const THRIFT_STRING = 11;
export const THRIFT_STRUCT = 12;
export const THRIFT_MAP = 13;
export const THRIFT_SET = 14;
export const THRIFT_LIST = 15;

/**
 * A place in the bytes of a struct. The first malformed thing sets `fault` and moves `at` to the
 * end, where every reader answers nothing: check `fault` once, after the whole struct.
 */
export interface ThriftCursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  fault: string;
}

/** Structs, lists and maps within one another that are stepped over. */
const DEPTH_MAX = 32;
const STOP = 0;
const decodeText = createTextDecoder();

export function thriftCursor(bytes: Uint8Array): ThriftCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, at: 0, fault: '' };
}

function fault(cursor: ThriftCursor, reason: string): void {
  if (cursor.fault === '') cursor.fault = `${reason} at byte ${cursor.at}`;
  cursor.at = cursor.bytes.length;
}

/** Where the next bytes begin; undefined, and a fault, when there are not so many. */
function take(cursor: ThriftCursor, count: number): number | undefined {
  const { at, bytes } = cursor;
  if (count > bytes.length - at) {
    fault(cursor, 'a value is cut off');
    return undefined;
  }
  cursor.at = at + count;
  return at;
}

export function readByte(cursor: ThriftCursor): number {
  const at = take(cursor, 1);
  return at === undefined ? 0 : cursor.view.getUint8(at);
}

export function readI32(cursor: ThriftCursor): number {
  const at = take(cursor, 4);
  return at === undefined ? 0 : cursor.view.getInt32(at);
}

export function readI64(cursor: ThriftCursor): bigint {
  const at = take(cursor, 8);
  return at === undefined ? 0n : cursor.view.getBigInt64(at);
}

export function readDouble(cursor: ThriftCursor): number {
  const at = take(cursor, 8);
  return at === undefined ? 0 : cursor.view.getFloat64(at);
}

/** A view, good as long as the input is. */
export function readBinary(cursor: ThriftCursor): Uint8Array {
  const size = readI32(cursor);
  if (size < 0) fault(cursor, 'a negative length');
  const at = take(cursor, Math.max(size, 0)) ?? cursor.at;
  return cursor.bytes.subarray(at, cursor.at);
}

export function readText(cursor: ThriftCursor): string {
  const { length } = readBinary(cursor);
  return decodeText(cursor.bytes, cursor.at - length, cursor.at);
}

/** Reads fields until the struct's end; what `read` answers false for is stepped over. */
export function readStruct(
  cursor: ThriftCursor,
  read: (id: number, type: number) => boolean,
): void {
  for (;;) {
    const type = readByte(cursor);
    if (type === STOP) return;
    const at = take(cursor, 2);
    if (at === undefined) return;
    if (!read(cursor.view.getInt16(at), type)) skip(cursor, type, 0);
  }
}

/** Reads the items of a list whose items have the type; of another type they are stepped over. */
export function readList(cursor: ThriftCursor, type: number, read: () => void): void {
  const itemType = readByte(cursor);
  const count = readCount(cursor);
  for (let item = 0; item < count && cursor.fault === ''; item += 1) {
    if (itemType === type) read();
    else skip(cursor, itemType, 0);
  }
}

/** Each item takes a byte at the least. */
function readCount(cursor: ThriftCursor): number {
  const count = readI32(cursor);
  if (count >= 0 && count <= cursor.bytes.length - cursor.at) return count;
  fault(cursor, `a list of ${count} items`);
  return 0;
}

const SIZES: Readonly<Record<number, number>> = {
  [THRIFT_BOOL]: 1,
  [THRIFT_BYTE]: 1,
  [THRIFT_DOUBLE]: 8,
  [THRIFT_I16]: 2,
  [THRIFT_I32]: 4,
  [THRIFT_I64]: 8,
};

function skip(cursor: ThriftCursor, type: number, depth: number): void {
  const size = SIZES[type];
  if (size !== undefined) take(cursor, size);
  else if (depth === DEPTH_MAX) fault(cursor, `more than ${DEPTH_MAX} levels`);
  else if (type === THRIFT_STRING) readBinary(cursor);
  else if (type === THRIFT_STRUCT) {
    readStruct(cursor, (_, fieldType) => {
      skip(cursor, fieldType, depth + 1);
      return true;
    });
  } else if (type === THRIFT_LIST || type === THRIFT_SET) {
    skipItems(cursor, [readByte(cursor)], depth);
  } else if (type === THRIFT_MAP) {
    skipItems(cursor, [readByte(cursor), readByte(cursor)], depth);
  } else fault(cursor, `unknown type ${type}`);
}

function skipItems(cursor: ThriftCursor, types: readonly number[], depth: number): void {
  const count = readCount(cursor);
  for (let item = 0; item < count && cursor.fault === ''; item += 1) {
    for (const type of types) skip(cursor, type, depth + 1);
  }
}
