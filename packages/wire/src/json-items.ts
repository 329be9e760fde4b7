import { type Decoded, decoded, invalid } from './decoded.ts';

/** The bytes `[from, to)` of one JSON value. */
export interface JsonItem {
  readonly from: number;
  readonly to: number;
}

const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * Finds the items of an array, or values that follow one another (one a line, or simply behind each
 * other), without parsing them: each can then be parsed, refused and kept as text by itself. A line
 * break inside a string, which JSON does not have, ends a broken item. An array that is not closed
 * is invalid as a whole: the body was cut off.
 */
export function splitJson(bytes: Uint8Array, itemsMax: number): Decoded<readonly JsonItem[]> {
  const items: JsonItem[] = [];
  let at = skip(bytes, BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? 3 : 0);
  const isArray = bytes[at] === OPEN_ARRAY;
  if (isArray) at += 1;
  for (;;) {
    at = skip(bytes, at);
    if (at >= bytes.length) {
      return isArray ? invalid('the array is not closed') : decoded(items);
    }
    if (isArray && bytes[at] === CLOSE_ARRAY) break;
    if (items.length === itemsMax) return invalid(`more than ${itemsMax} items`);
    const to = endOfItem(bytes, at);
    items.push({ from: at, to });
    at = skip(bytes, to);
    if (bytes[at] === COMMA) at += 1;
    else if (isArray && at < bytes.length && bytes[at] !== CLOSE_ARRAY) {
      return invalid(`no comma behind item ${items.length - 1} at byte ${at}`);
    }
  }
  const rest = skip(bytes, at + 1);
  return rest < bytes.length ? invalid(`more behind the array at byte ${rest}`) : decoded(items);
}

function skip(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && SPACES.has(bytes[at] ?? 0)) at += 1;
  return at;
}

/** At least one byte further than `from`. */
function endOfItem(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
      if (bytes[at] === NEWLINE) return at;
      if (depth === 0) return Math.min(at + 1, bytes.length);
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return Math.max(at, from + 1);
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || SPACES.has(byte ?? 0))) {
      return Math.max(at, from + 1);
    }
  }
  return bytes.length;
}

function endOfString(bytes: Uint8Array, open: number): number {
  let at = open + 1;
  while (at < bytes.length && bytes[at] !== QUOTE && bytes[at] !== NEWLINE) {
    at += bytes[at] === BACKSLASH ? 2 : 1;
  }
  return Math.min(at, bytes.length);
}
