import { type ProtoCursor, protoFault, readTag } from '../protobuf/reader.ts';
import type { DecodeText } from '../text.ts';
import {
  ANY_DEPTH_MAX,
  type AnyView,
  type AttributeList,
  createAnyView,
  createAttributeList,
  readAnyValue,
  readAttribute,
  readRange,
  skipOther,
} from './any-value.ts';

/**
 * An AnyValue as JSON text. Types stay: an int has no fraction and keeps all its digits, a double
 * has one or an exponent (`1.0`), NaN and the infinities are texts, bytes are `{"base64": "…"}`.
 * Nested deeper than `ANY_DEPTH_MAX` is a fault of the cursor.
 */
export function anyValueJson(
  cursor: ProtoCursor,
  from: number,
  to: number,
  decode: DecodeText,
  depth = 0,
): string {
  const view = createAnyView();
  readAnyValue(cursor, from, to, view);
  return cursor.fault === '' ? viewJson(cursor, view, decode, depth) : 'null';
}

/** Attributes as a JSON object, in the sender's order. A key that comes twice stays twice. */
export function attributesJson(
  cursor: ProtoCursor,
  list: AttributeList,
  decode: DecodeText,
  depth = 0,
): string {
  const members: string[] = [];
  for (let i = 0; i < list.count && cursor.fault === ''; i++) {
    const key = decode(cursor.bytes, list.keyFrom[i] ?? 0, list.keyTo[i] ?? 0);
    const value = anyValueJson(cursor, list.valueFrom[i] ?? 0, list.valueTo[i] ?? 0, decode, depth);
    members.push(`${JSON.stringify(key)}:${value}`);
  }
  return `{${members.join(',')}}`;
}

function viewJson(cursor: ProtoCursor, view: AnyView, decode: DecodeText, depth: number): string {
  switch (view.kind) {
    case 'empty':
      return 'null';
    case 'text':
      return JSON.stringify(decode(cursor.bytes, view.from, view.to));
    case 'bool':
      return view.number === 1 ? 'true' : 'false';
    case 'int':
      return intText(view);
    case 'double':
      return doubleJson(view.number);
    case 'bytes':
      return `{"base64":"${base64(cursor.bytes, view.from, view.to)}"}`;
    case 'array':
    case 'map':
      return nestedJson(cursor, view, decode, depth + 1);
  }
}

/** ArrayValue and KeyValueList: both hold their items in field 1. */
function nestedJson(cursor: ProtoCursor, view: AnyView, decode: DecodeText, depth: number): string {
  if (depth > ANY_DEPTH_MAX) {
    protoFault(cursor, `a value is nested deeper than ${ANY_DEPTH_MAX}`);
    return 'null';
  }
  const { at, end } = cursor;
  const isMap = view.kind === 'map';
  cursor.at = view.from;
  cursor.end = view.to;
  const items: string[] = [];
  const list = createAttributeList();
  const range = { from: 0, to: 0 };
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== 10) skipOther(cursor, tag, 0b10);
    else if (isMap) readAttribute(cursor, list);
    else {
      readRange(cursor, range);
      items.push(anyValueJson(cursor, range.from, range.to, decode, depth));
    }
  }
  cursor.end = end;
  cursor.at = cursor.fault === '' ? at : end;
  return isMap ? attributesJson(cursor, list, decode, depth) : `[${items.join(',')}]`;
}

/** All digits of an int64. */
export function intText({ number, low, high }: AnyView): string {
  if (Number.isSafeInteger(number)) return String(number);
  return String(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)));
}

/** The shortest digits that read back as the same double. */
export function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function doubleJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  const text = doubleText(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648 §4, with padding. */
export function base64(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += 3) {
    const left = to - at;
    const bits =
      ((bytes[at] ?? 0) << 16) |
      (left > 1 ? (bytes[at + 1] ?? 0) << 8 : 0) |
      (left > 2 ? (bytes[at + 2] ?? 0) : 0);
    text += (ALPHABET[bits >>> 18] ?? '') + (ALPHABET[(bits >>> 12) & 63] ?? '');
    text += left > 1 ? (ALPHABET[(bits >>> 6) & 63] ?? '') : '=';
    text += left > 2 ? (ALPHABET[bits & 63] ?? '') : '=';
  }
  return text;
}
