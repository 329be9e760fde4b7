import {
  type ProtoCursor,
  protoFault,
  readFixed64,
  readLengthEnd,
  readTag,
  readVarint,
  skipField,
} from '../protobuf/reader.ts';

// AnyValue and KeyValue. Source: opentelemetry-proto, common/v1/common.proto.

/** Bytes `[from, to)` of the message; empty when a field is absent. */
export interface Range {
  from: number;
  to: number;
}

export type AnyKind = 'empty' | 'text' | 'bool' | 'int' | 'double' | 'array' | 'map' | 'bytes';

/** One value, reused from call to call. Which members hold depends on `kind`. */
export interface AnyView {
  kind: AnyKind;
  /** text, bytes: the content. array, map: the list message. */
  from: number;
  to: number;
  /** bool: 0 or 1. double: the value. int: nearest double, exact between -2^53 and 2^53. */
  number: number;
  /** int: the halves of its two's complement. */
  low: number;
  high: number;
}

/** Attributes of one message: where their keys and values lie. Reused, grows as needed. */
export interface AttributeList {
  count: number;
  keyFrom: Uint32Array;
  keyTo: Uint32Array;
  valueFrom: Uint32Array;
  valueTo: Uint32Array;
}

/** Arrays and maps within one another. Protobuf's own readers stop at 100. */
export const ANY_DEPTH_MAX = 32;

export function createRange(): Range {
  return { from: 0, to: 0 };
}

export function createAnyView(): AnyView {
  return { kind: 'empty', from: 0, to: 0, number: 0, low: 0, high: 0 };
}

export function createAttributeList(): AttributeList {
  const column = (): Uint32Array => new Uint32Array(64);
  return { count: 0, keyFrom: column(), keyTo: column(), valueFrom: column(), valueTo: column() };
}

/** Reads a length-delimited field into `range` and steps over it. */
export function readRange(cursor: ProtoCursor, range: Range): void {
  const end = readLengthEnd(cursor);
  range.from = cursor.at;
  range.to = end;
  cursor.at = end;
}

/** Reads the length and the KeyValue at the cursor and adds it to the list. */
export function readAttribute(cursor: ProtoCursor, list: AttributeList): void {
  const at = list.count;
  if (at === list.keyFrom.length) grow(list);
  if (isShortAttribute(cursor, list)) return;
  const { end } = cursor;
  cursor.end = readLengthEnd(cursor);
  const last = cursor.end;
  list.keyFrom[at] = list.keyTo[at] = list.valueFrom[at] = list.valueTo[at] = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== KEY && tag !== VALUE) {
      skipOther(cursor, tag, 0b110);
      continue;
    }
    const to = readLengthEnd(cursor);
    if (tag === KEY) {
      list.keyFrom[at] = cursor.at;
      list.keyTo[at] = to;
    } else {
      list.valueFrom[at] = cursor.at;
      list.valueTo[at] = to;
    }
    cursor.at = to;
  }
  list.count = at + 1;
  cursor.end = end;
  if (cursor.fault === '') cursor.at = last;
  else cursor.at = end;
}

const KEY = 10;
const VALUE = 18;
const TEXT = 10;

/**
 * A key, then a value, with every length in one byte: how SDKs write all but long attributes. Adds it
 * and steps over it; false, with nothing done, for any other form, also a malformed one.
 */
function isShortAttribute(cursor: ProtoCursor, list: AttributeList): boolean {
  const { bytes, at } = cursor;
  const size = bytes[at] ?? 0;
  const keySize = bytes[at + 2] ?? 0;
  const last = at + 1 + size;
  const keyTo = at + 3 + keySize;
  const valueSize = bytes[keyTo + 1] ?? 0;
  const isShort =
    (size | keySize | valueSize) < 0x80 &&
    last <= cursor.end &&
    keyTo + 2 + valueSize === last &&
    bytes[at + 1] === KEY &&
    bytes[keyTo] === VALUE;
  if (!isShort) return false;
  const index = list.count++;
  list.keyFrom[index] = at + 3;
  list.keyTo[index] = keyTo;
  list.valueFrom[index] = keyTo + 2;
  list.valueTo[index] = last;
  cursor.at = last;
  return true;
}

function grow(list: AttributeList): void {
  for (const name of ['keyFrom', 'keyTo', 'valueFrom', 'valueTo'] as const) {
    const wider = new Uint32Array(2 * list[name].length);
    wider.set(list[name]);
    list[name] = wider;
  }
}

/**
 * Steps over a field that the message does not declare. A declared one (`fields` has its bit) came
 * with another wire type: a fault, not a field to be ignored.
 */
export function skipOther(cursor: ProtoCursor, tag: number, fields: number): void {
  const field = tag >>> 3;
  if (field < 32 && ((fields >>> field) & 1) === 1) {
    protoFault(cursor, `field ${field} has wire type ${tag & 7}, which is not its own`);
    return;
  }
  skipField(cursor, tag);
}

/** Reads the AnyValue in the cursor's bytes `[from, to)` into `view`. The last of several wins. */
export function readAnyValue(cursor: ProtoCursor, from: number, to: number, view: AnyView): void {
  const { bytes, at, end } = cursor;
  // A short text and nothing else: most values.
  const size = bytes[from + 1] ?? 0;
  if (size < 0x80 && bytes[from] === TEXT && from + 2 + size === to) {
    view.kind = 'text';
    view.from = from + 2;
    view.to = to;
    return;
  }
  cursor.at = from;
  cursor.end = to;
  view.kind = 'empty';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    switch (tag) {
      case 10:
        readInto(cursor, view, 'text');
        break;
      case 16:
        view.kind = 'bool';
        view.number = readVarint(cursor) === 0 && cursor.high === 0 ? 0 : 1;
        break;
      case 24:
        view.kind = 'int';
        view.low = readVarint(cursor);
        view.high = cursor.high;
        view.number = (cursor.high | 0) * 2 ** 32 + view.low;
        break;
      case 33:
        view.kind = 'double';
        readFixed64(cursor);
        if (cursor.fault === '') view.number = cursor.view.getFloat64(cursor.at - 8, true);
        break;
      case 42:
        readInto(cursor, view, 'array');
        break;
      case 50:
        readInto(cursor, view, 'map');
        break;
      case 58:
        readInto(cursor, view, 'bytes');
        break;
      default:
        skipOther(cursor, tag, 0b1111_1110);
    }
  }
  cursor.at = cursor.fault === '' ? at : end;
  cursor.end = end;
}

function readInto(cursor: ProtoCursor, view: AnyView, kind: AnyKind): void {
  view.kind = kind;
  readRange(cursor, view);
}

/** Makes the view of an array one of its first item; `empty` when there is none. */
export function readFirstItem(cursor: ProtoCursor, view: AnyView): void {
  const { at, end } = cursor;
  const item = createRange();
  cursor.at = view.from;
  cursor.end = view.to;
  if (readTag(cursor) === 10) readRange(cursor, item);
  cursor.end = end;
  cursor.at = cursor.fault === '' ? at : end;
  readAnyValue(cursor, item.from, item.to, view);
}
