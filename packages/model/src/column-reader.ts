import type { BlockLimits } from './block-limits.ts';
import { type ByteReader, createByteReader } from './byte-reader.ts';
import type { ColumnKind } from './column.ts';
import type { ColumnValue } from './column-builder.ts';
import { HAS_KEYS } from './text-builders.ts';

const WIDTHS = {
  seconds: 4,
  micros: 8,
  millis: 8,
  u8: 1,
  u16: 2,
  u32: 4,
  id: 8,
  i32: 4,
  f32: 4,
  f64: 8,
} as const;
const ITEMS = { texts: 'text', floats: 'f32', ids: 'id' } as const;

/** Bytes of a dictionary code, by the low byte of LowCardinality's flags. */
const CODE_WIDTHS = [1, 2, 4];

/**
 * Steps over a column's data and checks it. Answers what is wrong, or undefined. After it the
 * reader's `isPastEnd` says whether the data was whole.
 */
export function skipColumn(
  reader: ByteReader,
  kind: ColumnKind,
  rows: number,
  limits: BlockLimits,
): string | undefined {
  switch (kind) {
    case 'category':
      return skipVersion(reader) ?? skipDictionary(reader, rows, limits);
    case 'categories': {
      const fault = skipVersion(reader);
      if (fault !== undefined) return fault;
      return skipLists(reader, rows, limits, (items) =>
        items === 0 ? undefined : skipDictionary(reader, items, limits),
      );
    }
    case 'text':
    case 'bytes':
      return skipTexts(reader, rows, limits);
    case 'texts':
    case 'floats':
    case 'ids':
      return skipLists(reader, rows, limits, (items) =>
        skipColumn(reader, ITEMS[kind], items, limits),
      );
    default:
      reader.skip(WIDTHS[kind] * rows);
      return undefined;
  }
}

function skipTexts(reader: ByteReader, count: number, limits: BlockLimits): string | undefined {
  for (let i = 0; i < count && !reader.isPastEnd; i++) {
    const size = reader.varint();
    if (size > limits.textBytesMax) {
      return `a text of ${size} bytes, the most is ${limits.textBytesMax}`;
    }
    reader.skip(size);
  }
  return undefined;
}

function skipVersion(reader: ByteReader): string | undefined {
  const version = reader.u64();
  return version === 1 || reader.isPastEnd ? undefined : `dictionary of version ${version}`;
}

function skipDictionary(reader: ByteReader, rows: number, limits: BlockLimits): string | undefined {
  const flags = reader.u64();
  const keys = reader.u64();
  if (reader.isPastEnd) return undefined;
  const width = CODE_WIDTHS[flags & 0xff];
  if (width === undefined || flags - (flags & 0xff) !== HAS_KEYS) {
    return `dictionary with flags ${flags}`;
  }
  if (keys === 0 || keys > rows + 1) return `a dictionary of ${keys} texts for ${rows} rows`;
  const fault = skipTexts(reader, keys, limits);
  if (fault !== undefined) return fault;
  const codes = reader.u64();
  if (reader.isPastEnd) return undefined;
  if (codes !== rows) return `${codes} codes for ${rows} rows`;
  for (let i = 0; i < rows; i++) {
    const code = reader.uint(width);
    if (reader.isPastEnd) return undefined;
    if (code >= keys) return `code ${code} in a dictionary of ${keys}`;
  }
  return undefined;
}

/** The lists' ends, then what `skipItems` makes of all their items. */
function skipLists(
  reader: ByteReader,
  rows: number,
  limits: BlockLimits,
  skipItems: (items: number) => string | undefined,
): string | undefined {
  let end = 0;
  for (let i = 0; i < rows; i++) {
    const next = reader.u64();
    if (reader.isPastEnd) return undefined;
    if (next < end || next - end > limits.itemsMax) {
      return `an array from ${end} to ${next}, the most is ${limits.itemsMax} items`;
    }
    end = next;
  }
  return skipItems(end);
}

/** Values of a column that `skipColumn` accepted. */
export function readColumn(bytes: Uint8Array, kind: ColumnKind, rows: number): ColumnValue[] {
  const reader = createByteReader(bytes);
  if (kind === 'category' || kind === 'categories') {
    reader.u64();
    return kind === 'category' ? readDictionary(reader, rows) : readLists(reader, rows);
  }
  if (kind === 'text') return readTexts(reader, rows);
  if (kind === 'bytes') return readBytes(reader, bytes, rows);
  if (kind === 'texts' || kind === 'floats' || kind === 'ids') {
    const ends = Array.from({ length: rows }, () => reader.u64());
    const items = readColumn(bytes.subarray(reader.at), ITEMS[kind], ends.at(-1) ?? 0);
    // All items have the one kind that the array's kind names.
    return ends.map((end, row) => items.slice(ends[row - 1] ?? 0, end) as readonly string[]);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: rows }, (_, row) => numberAt(view, row * WIDTHS[kind], kind));
}

function numberAt(view: DataView, at: number, kind: keyof typeof WIDTHS): number | bigint {
  switch (kind) {
    case 'u8':
      return view.getUint8(at);
    case 'u16':
      return view.getUint16(at, true);
    case 'i32':
      return view.getInt32(at, true);
    case 'f32':
      return view.getFloat32(at, true);
    case 'id':
      return view.getBigUint64(at, true);
    case 'f64':
      return view.getFloat64(at, true);
    case 'micros':
    case 'millis':
      return Number(view.getBigInt64(at, true));
    case 'seconds':
    case 'u32':
      return view.getUint32(at, true);
  }
}

function readTexts(reader: ByteReader, count: number): string[] {
  return Array.from({ length: count }, () => reader.text(Number.POSITIVE_INFINITY));
}

/** Copies: the block's bytes belong to its reader. */
function readBytes(reader: ByteReader, bytes: Uint8Array, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const size = reader.varint();
    const start = reader.skip(size);
    return new Uint8Array(bytes.subarray(start, start + size));
  });
}

function readDictionary(reader: ByteReader, rows: number): string[] {
  const width = CODE_WIDTHS[reader.u64() & 0xff] ?? 1;
  const texts = readTexts(reader, reader.u64());
  reader.u64();
  return Array.from({ length: rows }, () => texts[reader.uint(width)] ?? '');
}

function readLists(reader: ByteReader, rows: number): (readonly string[])[] {
  const ends = Array.from({ length: rows }, () => reader.u64());
  const count = ends.at(-1) ?? 0;
  const items = count === 0 ? [] : readDictionary(reader, count);
  return ends.map((end, row) => items.slice(ends[row - 1] ?? 0, end));
}
