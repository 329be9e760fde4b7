import { BLOCK_LIMITS } from './block-limits.ts';
import { type ByteWriter, createByteWriter } from './byte-writer.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { WordColumn } from './number-columns.ts';

/** Bytes over the limit are a mistake of the caller: a cut message would not be one. */
export function bytesBuilder(): ColumnBuilder {
  const written = createByteWriter();
  let count = 0;
  let marked = { count: 0, size: 0 };
  return {
    get count() {
      return count;
    },
    get size() {
      return written.length;
    },
    get isDefault() {
      // An empty one is its length alone: one byte.
      return written.length === count;
    },
    push: (value) => {
      // The row's type pairs a column of this kind with bytes.
      const bytes = value as Uint8Array;
      if (bytes.length > BLOCK_LIMITS.textBytesMax) {
        throw new Error(`BUG: ${bytes.length} bytes, the most is ${BLOCK_LIMITS.textBytesMax}`);
      }
      written.varint(bytes.length);
      written.raw(bytes);
      count += 1;
    },
    mark: () => {
      marked = { count, size: written.length };
    },
    rollback: () => {
      count = marked.count;
      written.truncate(marked.size);
    },
    writeTo: (writer, picks) => writeUnshared(writer, written.view(), picks),
    clear: () => {
      written.clear();
      count = 0;
      marked = { count: 0, size: 0 };
    },
  };
}

/** A column of texts as a reader of messages fills it: bytes that are copied, not decoded. */
export interface TextBuilder extends ColumnBuilder {
  /** UTF-8 at `bytes[from, to)`; what is not valid becomes U+FFFD, too long a text is cut. */
  pushUtf8(bytes: Uint8Array, from: number, to: number): void;
  /** The bytes as lower-case hex digits. */
  pushHex(bytes: Uint8Array, from: number, to: number): void;
}

export function textBuilder(): TextBuilder {
  const written = createByteWriter();
  let count = 0;
  let marked = { count: 0, size: 0 };
  return {
    get count() {
      return count;
    },
    get size() {
      return written.length;
    },
    get isDefault() {
      // An empty one is its length alone: one byte.
      return written.length === count;
    },
    push: (value) => {
      // The row's type pairs a column of this kind with a string.
      written.text(cut(value as string));
      count += 1;
    },
    pushUtf8: (bytes, from, to) => {
      const most = Math.min(to, from + BLOCK_LIMITS.textBytesMax);
      if (most < to || !written.ascii(bytes, from, to)) {
        written.text(cut(decoder.decode(bytes.subarray(from, most))));
      }
      count += 1;
    },
    pushHex: (bytes, from, to) => {
      written.hex(bytes, from, Math.min(to, from + BLOCK_LIMITS.textBytesMax / 2));
      count += 1;
    },
    mark: () => {
      marked = { count, size: written.length };
    },
    rollback: () => {
      count = marked.count;
      written.truncate(marked.size);
    },
    writeTo: (writer, picks) => writeUnshared(writer, written.view(), picks),
    clear: () => {
      written.clear();
      count = 0;
      marked = { count: 0, size: 0 };
    },
  };
}

const decoder = new TextDecoder();

function writeUnshared(writer: ByteWriter, bytes: Uint8Array, picks?: Uint32Array): void {
  if (picks !== undefined) throw new Error('BUG: a column of texts cannot be shared by rows');
  writer.raw(bytes);
}

/** LowCardinality(String): each distinct text once, and its number for each row. */
export interface CategoryBuilder extends ColumnBuilder {
  /** `writeTo` in two steps, for what comes between them in a column of lists. */
  writeVersion(writer: ByteWriter): void;
  writeCodes(writer: ByteWriter, picks?: Uint32Array): void;
}

export function categoryBuilder(): CategoryBuilder {
  const codeOf = new Map<string, number>();
  const texts = createByteWriter();
  const codes = new WordColumn(4);
  let last = '';
  let lastCode = -1;
  let marked = { keys: 0, size: 0 };
  const writeVersion = (writer: ByteWriter): void => writer.u64(1, 0);

  function writeCodes(writer: ByteWriter, picks?: Uint32Array): void {
    const [width, flag] = codeOf.size <= 256 ? [1, 0] : codeOf.size <= 65_536 ? [2, 1] : [4, 2];
    writer.u64(flag | HAS_KEYS, 0);
    writer.u64(codeOf.size, 0);
    writer.raw(texts.view());
    writer.u64(picks?.length ?? codes.count, 0);
    codes.writeNarrowed(writer, width, picks);
  }

  return {
    writeVersion,
    writeCodes,
    get count() {
      return codes.count;
    },
    get size() {
      return texts.length + codes.size;
    },
    get isDefault() {
      return codeOf.size === 0 || (codeOf.size === 1 && codeOf.has(''));
    },
    push: (value) => {
      // The row's type pairs a column of this kind with a string.
      const text = value as string;
      if (lastCode < 0 || text !== last) {
        let code = codeOf.get(text);
        if (code === undefined) {
          code = codeOf.size;
          codeOf.set(text, code);
          texts.text(cut(text));
        }
        last = text;
        lastCode = code;
      }
      codes.push(lastCode);
    },
    mark: () => {
      marked = { keys: codeOf.size, size: texts.length };
      codes.mark();
    },
    rollback: () => {
      for (const text of [...codeOf.keys()].slice(marked.keys)) codeOf.delete(text);
      texts.truncate(marked.size);
      codes.rollback();
      lastCode = -1;
    },
    writeTo: (writer, picks) => {
      writeVersion(writer);
      writeCodes(writer, picks);
    },
    clear: () => {
      codeOf.clear();
      texts.clear();
      codes.clear();
      lastCode = -1;
      marked = { keys: 0, size: 0 };
    },
  };
}

/** The dictionary's keys follow in the block itself. Source: SerializationLowCardinality.cpp. */
export const HAS_KEYS = 0x200;

/** A text too long for the reader's limit is cut: one row must not cost the batch. */
function cut(text: string): string {
  // A UTF-16 unit takes at most three bytes.
  const unitsMax = Math.floor(BLOCK_LIMITS.textBytesMax / 3);
  return text.length <= unitsMax ? text : text.slice(0, unitsMax);
}
