import { BLOCK_LIMITS } from './block-limits.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { ColumnBuilder, ColumnValue } from './column-builder.ts';
import { TimeColumn } from './number-columns.ts';
import { categoryBuilder, textBuilder } from './text-builders.ts';

/** Items over the limit are left out. */
export function arrayBuilder(items: ColumnBuilder): ColumnBuilder {
  // Offsets are 64 bits wide.
  const ends = new TimeColumn();
  let end = 0;
  let markedEnd = 0;
  return {
    get count() {
      return ends.count;
    },
    get size() {
      return ends.size + items.size;
    },
    get isDefault() {
      return items.count === 0;
    },
    push: (value) => {
      // The row's type pairs a column of this kind with an array.
      const list = value as readonly ColumnValue[];
      const size = Math.min(list.length, BLOCK_LIMITS.itemsMax);
      for (let i = 0; i < size; i++) items.push(list[i] as ColumnValue);
      end += size;
      ends.push(end);
    },
    mark: () => {
      markedEnd = end;
      ends.mark();
      items.mark();
    },
    rollback: () => {
      end = markedEnd;
      ends.rollback();
      items.rollback();
    },
    writeTo: (writer, picks) => {
      if (picks !== undefined) throw new Error('BUG: a column of arrays cannot be shared by rows');
      ends.writeTo(writer);
      items.writeTo(writer);
    },
    clear: () => {
      ends.clear();
      items.clear();
      end = 0;
      markedEnd = 0;
    },
  };
}

/** An array of texts that can be filled item by item, without a list in between. */
export interface TextsBuilder extends ColumnBuilder {
  /** Adds to the open row: `BLOCK_LIMITS.itemsMax` at most, which the caller minds. */
  item(text: string): void;
  /** Ends the row of the items so far: the row's one value. */
  endRow(): void;
}

export function textsBuilder(): TextsBuilder & {
  itemUtf8(bytes: Uint8Array, from: number, to: number): void;
} {
  const items = textBuilder();
  const list = listBuilder(items, (writer, ends) => {
    ends.writeTo(writer);
    items.writeTo(writer);
  });
  // Not spread: `count` and `size` are getters.
  return Object.assign(list, {
    itemUtf8: (bytes: Uint8Array, from: number, to: number) => items.pushUtf8(bytes, from, to),
  });
}

/** Lists of few distinct texts: the dictionary's version stands before the lists' ends. */
export function categoriesBuilder(): TextsBuilder {
  const items = categoryBuilder();
  return listBuilder(items, (writer, ends) => {
    items.writeVersion(writer);
    ends.writeTo(writer);
    if (items.count > 0) items.writeCodes(writer);
  });
}

function listBuilder(
  items: ColumnBuilder,
  write: (writer: ByteWriter, ends: TimeColumn) => void,
): TextsBuilder {
  const ends = new TimeColumn();
  return {
    get count() {
      return ends.count;
    },
    get size() {
      return ends.size + items.size;
    },
    get isDefault() {
      return items.count === 0;
    },
    push: (value) => {
      // The row's type pairs a column of this kind with an array.
      const list = value as readonly string[];
      const size = Math.min(list.length, BLOCK_LIMITS.itemsMax);
      for (let i = 0; i < size; i++) items.push(list[i] ?? '');
      ends.push(items.count);
    },
    item: (text) => items.push(text),
    endRow: () => ends.push(items.count),
    mark: () => {
      ends.mark();
      items.mark();
    },
    rollback: () => {
      ends.rollback();
      items.rollback();
    },
    writeTo: (writer, picks) => {
      if (picks !== undefined) throw new Error('BUG: a column of arrays cannot be shared by rows');
      write(writer, ends);
    },
    clear: () => {
      ends.clear();
      items.clear();
    },
  };
}
