import type { ProtoCursor } from '@thalweg/wire';
import { createKeyTable } from '../key-table.ts';
import { MEANING_OF } from './conventions.ts';
import { decodeText } from './decode-text.ts';

/** Attribute names by their bytes: which name it is, and what it means, without making a string. */
export interface NameTable {
  /** A small number that stands for the name until `open` is called again. */
  numberOf(cursor: ProtoCursor, from: number, to: number): number;
  textOf(number: number): string;
  /** As `MEANING_OF` has it; -1: the name has no column of its own. */
  codeOf(number: number): number;
  /** Before the names of a span or record. Forgets all names when there are too many. */
  open(): void;
}

/** SDKs use a few hundred. Past either limit the next message starts anew. */
const NAMES_MAX = 10_000;
const BYTES_MAX = 1_000_000;

export function createNameTable(seed: number): NameTable {
  let table = createKeyTable(seed);
  let texts: string[] = [];
  let codes: number[] = [];
  let bytes = 0;

  function add({ bytes: from, view }: ProtoCursor, start: number, end: number): number {
    const number = texts.length;
    const text = decodeText(from, start, end);
    table.set(view, start, end, number);
    texts.push(text);
    codes.push(MEANING_OF.get(text) ?? -1);
    bytes += end - start;
    return number;
  }

  return {
    numberOf: (cursor, from, to) => {
      const known = table.get(cursor.view, from, to);
      return known >= 0 ? known : add(cursor, from, to);
    },
    textOf: (number) => texts[number] ?? '',
    codeOf: (number) => codes[number] ?? -1,
    open: () => {
      if (texts.length < NAMES_MAX && bytes < BYTES_MAX) return;
      table = createKeyTable(seed);
      texts = [];
      codes = [];
      bytes = 0;
    },
  };
}
