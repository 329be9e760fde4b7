import type { Block } from './block.ts';
import { createByteReader } from './byte-reader.ts';
import type { ColumnValue } from './column-builder.ts';
import { readColumn } from './column-reader.ts';

/** All values of a column, in row order. A column that the block lacks is our mistake: throws. */
export function valuesOf(block: Block, name: string): ColumnValue[] {
  const span = block.columns.get(name);
  if (span === undefined) throw new Error(`BUG: the block has no column ${name}`);
  return readColumn(block.bytes.subarray(span.start, span.end), span.kind, block.rows);
}

/** A column of 64-bit ids, as a copy. Zeros when the block leaves the column out. */
export function idsOf(block: Block, name: string): BigUint64Array {
  const span = block.columns.get(name);
  if (span === undefined) return new BigUint64Array(block.rows);
  if (span.kind !== 'id') throw new Error(`BUG: the block has no column ${name} of ids`);
  // A copy starts at 0 and so is aligned. Not by slice(): that of a Node Buffer does not copy.
  return new BigUint64Array(new Uint8Array(block.bytes.subarray(span.start, span.end)).buffer);
}

/** A column of doubles as their bits, low half first: a NaN keeps its payload. A copy. */
export function doublesOf(block: Block, name: string): Uint32Array<ArrayBuffer> {
  const span = block.columns.get(name);
  if (span?.kind !== 'f64') throw new Error(`BUG: the block has no column ${name} of doubles`);
  return new Uint32Array(new Uint8Array(block.bytes.subarray(span.start, span.end)).buffer);
}

/** A column of times, in its own unit since the epoch: exact up to 2^53, and no array of objects. */
export function timesOf(block: Block, name: string): Float64Array {
  const column = timeColumnOf(block, name);
  const times = new Float64Array(block.rows);
  for (let row = 0; row < times.length; row += 1) times[row] = timeAt(column, row);
  return times;
}

/** The earliest and the latest of such a column, without memory for the others. The block has rows. */
export function timeRangeOf(
  block: Block,
  name: string,
): { readonly first: number; readonly last: number } {
  const column = timeColumnOf(block, name);
  let first = timeAt(column, 0);
  let last = first;
  for (let row = 1; row < block.rows; row += 1) {
    const time = timeAt(column, row);
    if (time < first) first = time;
    else if (time > last) last = time;
  }
  return { first, last };
}

interface TimeColumn {
  readonly view: DataView;
  readonly isWide: boolean;
}

function timeColumnOf({ columns, bytes }: Block, name: string): TimeColumn {
  const span = columns.get(name);
  const isWide = span?.kind === 'millis' || span?.kind === 'micros';
  if (span === undefined || !(isWide || span.kind === 'seconds')) {
    throw new Error(`BUG: the block has no column ${name} of times`);
  }
  const { start, end } = span;
  return { view: new DataView(bytes.buffer, bytes.byteOffset + start, end - start), isWide };
}

function timeAt({ view, isWide }: TimeColumn, row: number): number {
  if (!isWide) return view.getUint32(4 * row, true);
  return view.getUint32(8 * row, true) + view.getInt32(8 * row + 4, true) * 2 ** 32;
}

/** A column of 64-bit ids as their halves, low half first: no bigint for each row. A copy. */
export function idHalvesOf(block: Block, name: string): Uint32Array {
  return new Uint32Array(idsOf(block, name).buffer);
}

/** A column of 32-bit floats, as a copy. Zeros when the block leaves the column out. */
export function floatsOf(block: Block, name: string): Float32Array {
  const span = block.columns.get(name);
  if (span === undefined) return new Float32Array(block.rows);
  if (span.kind !== 'f32') throw new Error(`BUG: the block has no column ${name} of floats`);
  return new Float32Array(new Uint8Array(block.bytes.subarray(span.start, span.end)).buffer);
}

/** Where the texts of a column lie in the block's bytes; not decoded. */
export interface TextRanges {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
}

/** A column of texts as ranges; undefined when every one is empty or left out, as ids often are. */
export function textRangesOf(block: Block, name: string): TextRanges | undefined {
  const span = block.columns.get(name);
  if (span === undefined) return undefined;
  if (span.kind !== 'text') throw new Error(`BUG: the block has no column ${name} of texts`);
  // An empty text is its length alone: one byte.
  if (span.end - span.start === block.rows) return undefined;
  const reader = createByteReader(block.bytes.subarray(0, span.end));
  reader.skip(span.start);
  const from = new Uint32Array(block.rows);
  const to = new Uint32Array(block.rows);
  for (let row = 0; row < block.rows; row += 1) {
    const size = reader.varint();
    from[row] = reader.skip(size);
    to[row] = reader.at;
  }
  return { from, to };
}
