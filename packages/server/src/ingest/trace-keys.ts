import { type Block, textRangesOf } from '@thalweg/model';
import { keyOfRange } from '../trace-key.ts';

/** What the trace ids of a block are known by, a row each; 0 for none. */
export interface TraceKeys {
  /** Nodes of the root table, away from the wire ids: two halves, the low one first. */
  readonly nodes: Uint32Array;
  /** Keys of `trace_index`. */
  readonly keys: Uint32Array;
  /** 1 where there is an id. */
  readonly isSet: Uint8Array;
}

/** The golden ratio's bits: a trace id that is also someone's wire id is not the same node. */
const APART_LOW = 0x7f4a7c15;
const APART_HIGH = 0x9e3779b9;
const NO_DIGIT = 255;
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (let digit = 0; digit < 16; digit += 1) {
  DIGITS[digit.toString(16).charCodeAt(0)] = digit;
  DIGITS[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/**
 * Of a W3C id the node is the low half; others (a UUID, what a gateway makes of X-Request-ID) are
 * hashed. An id that follows itself is looked at once.
 */
export function traceKeysOf(block: Block): TraceKeys {
  const { bytes, rows } = block;
  const nodes = new Uint32Array(2 * rows);
  const keys = new Uint32Array(rows);
  const isSet = new Uint8Array(rows);
  const ranges = textRangesOf(block, 'trace_id');
  if (ranges === undefined) return { nodes, keys, isSet };
  for (let row = 0; row < rows; row += 1) {
    const from = ranges.from[row] ?? 0;
    const to = ranges.to[row] ?? 0;
    if (from === to) continue;
    isSet[row] = 1;
    const before = row === 0 ? from : (ranges.from[row - 1] ?? 0);
    if (row > 0 && isSame(bytes, before, ranges.to[row - 1] ?? 0, from, to)) {
      nodes[2 * row] = nodes[2 * row - 2] ?? 0;
      nodes[2 * row + 1] = nodes[2 * row - 1] ?? 0;
      keys[row] = keys[row - 1] ?? 0;
      continue;
    }
    writeNode(nodes, row, bytes, from, to);
    keys[row] = keyOfRange(bytes, from, to);
  }
  return { nodes, keys, isSet };
}

function isSame(
  bytes: Uint8Array,
  from: number,
  to: number,
  otherFrom: number,
  otherTo: number,
): boolean {
  if (to - from !== otherTo - otherFrom) return false;
  // From the end: ids that differ only there are more common than ids that differ only in front.
  for (let back = 1; back <= to - from; back += 1) {
    if (bytes[to - back] !== bytes[otherTo - back]) return false;
  }
  return true;
}

function writeNode(
  nodes: Uint32Array,
  row: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  if (!isHex(bytes, from, to)) {
    const hash = hashed(bytes, from, to);
    nodes[2 * row] = Number(hash & 0xffffffffn);
    nodes[2 * row + 1] = Number(hash >> 32n);
    return;
  }
  nodes[2 * row] = word(bytes, to - 8) ^ APART_LOW;
  nodes[2 * row + 1] = word(bytes, to - 16) ^ APART_HIGH;
}

function isHex(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 16 || to - from > 32) return false;
  for (let at = from; at < to; at += 1) {
    if (DIGITS[bytes[at] ?? 0] === NO_DIGIT) return false;
  }
  return true;
}

/** Eight hex digits. */
function word(bytes: Uint8Array, from: number): number {
  let value = 0;
  for (let at = from; at < from + 8; at += 1) value = (value << 4) | (DIGITS[bytes[at] ?? 0] ?? 0);
  return value;
}

/** FNV-1a, 64 bits. */
function hashed(bytes: Uint8Array, from: number, to: number): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let at = from; at < to; at += 1) {
    hash = ((hash ^ BigInt(bytes[at] ?? 0)) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash;
}
