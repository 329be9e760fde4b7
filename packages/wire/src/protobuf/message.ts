import { createTextCache, createTextDecoder } from '../text.ts';
import { type ProtoCursor, readLengthEnd, skipField } from './reader.ts';

const decodeText = createTextCache(createTextDecoder());

/** Reads a length-delimited field as a message of its own: `read` sees only its bytes. */
export function nested<Value>(cursor: ProtoCursor, read: (cursor: ProtoCursor) => Value): Value {
  const outer = cursor.end;
  const end = readLengthEnd(cursor);
  cursor.end = end;
  const value = read(cursor);
  cursor.end = outer;
  cursor.at = cursor.fault === '' ? end : outer;
  return value;
}

/** A string field. What is not valid UTF-8 becomes U+FFFD. Short texts that repeat are shared. */
export function readText(cursor: ProtoCursor): string {
  const end = readLengthEnd(cursor);
  const text = decodeText(cursor.bytes, cursor.at, end);
  cursor.at = end;
  return text;
}

/** Steps over the field behind `tag`, whose number is not known here. */
export function skipUnknown(cursor: ProtoCursor, tag: number): void {
  skipField(cursor, tag & 7);
}
