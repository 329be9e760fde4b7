import {
  type AnyView,
  type AttributeList,
  anyValueJson,
  base64,
  createAnyView,
  doubleText,
  intText,
  type ProtoCursor,
  readAnyValue,
  readFirstItem,
} from '@thalweg/wire';
import { MEANING_COUNT, meaningOf } from './conventions.ts';
import { decodeText } from './decode-text.ts';
import { createNameTable } from './name-table.ts';

/** Sinks of a row's three attribute columns. */
export interface AttributeColumns {
  readonly attribute_names: NamesSink;
  readonly attribute_values: TextsSink;
  readonly attribute_types: { push(value: string): void };
}
interface NamesSink {
  item(text: string): void;
  endRow(): void;
}
interface TextsSink extends NamesSink {
  itemUtf8(bytes: Uint8Array, from: number, to: number): void;
}

/** More are counted as dropped. An SDK stops at 128 by default. */
const ATTRIBUTES_MAX = 512;
/** Of all names and values of one row. */
const ROW_BYTES_MAX = 256 * 1_024;

/** The attributes of one span or record: what has a column of its own is taken out. */
export interface Attributes {
  /** Looks at the list, which must stay as it is until `writeTo`. */
  open(cursor: ProtoCursor, list: AttributeList): void;
  /** The value of a meaning as text, '' when there is none or it is nested. */
  text(meaning: number): string;
  /** As a number; undefined when there is none, or it is not a whole number in [0, max]. */
  whole(meaning: number, max: number): number | undefined;
  /** Leaves the meaning out of the columns: another column has its value. */
  take(meaning: number): void;
  /**
   * Writes the rest as the row's three values, then `extra`. What does not fit is added to `dropped`,
   * the count of those that the sender left out.
   */
  writeTo(to: AttributeColumns, extra: readonly Extra[], dropped: number): void;
}

export interface Extra {
  readonly name: string;
  readonly value: string;
  readonly type: TypeLetter;
}

/** As `attribute_types` has them: text, integer, double, boolean, bytes, JSON, empty. */
export type TypeLetter = 's' | 'i' | 'd' | 'b' | 'x' | 'j' | 'e';

const LETTERS = { text: 's', int: 'i', double: 'd', bool: 'b', bytes: 'x', empty: 'e' } as const;

/** `seed`: 32 random bits, for the table of names. */
export function createAttributes(seed: number): Attributes {
  const view = createAnyView();
  /** By meaning: the attribute that has it, or -1, and its code. */
  const holder = new Int32Array(MEANING_COUNT);
  const holderCode = new Int32Array(MEANING_COUNT);
  const types = createTypeTexts();
  const names = createNameTable(seed);
  /** Of each attribute: its name's number, and its code. */
  let numbers = new Int32Array(64);
  let codes = new Int32Array(64);
  let isTaken = new Uint8Array(64);
  /** Some meaning came under two names. */
  let hasSynonyms = false;
  let cursor: ProtoCursor;
  let list: AttributeList;

  function open(at: ProtoCursor, attributes: AttributeList): void {
    cursor = at;
    list = attributes;
    holder.fill(-1);
    hasSynonyms = false;
    if (codes.length < list.count) {
      numbers = new Int32Array(2 * list.count);
      codes = new Int32Array(2 * list.count);
      isTaken = new Uint8Array(2 * list.count);
    }
    names.open();
    for (let i = 0; i < list.count; i++) {
      const number = names.numberOf(cursor, list.keyFrom[i] ?? 0, list.keyTo[i] ?? 0);
      const code = names.codeOf(number);
      numbers[i] = number;
      codes[i] = code;
      isTaken[i] = 0;
      if (code < 0) continue;
      const meaning = meaningOf(code);
      if ((holder[meaning] ?? 0) >= 0) hasSynonyms = true;
      if ((holder[meaning] ?? 0) < 0 || code < (holderCode[meaning] ?? 0)) {
        holder[meaning] = i;
        holderCode[meaning] = code;
      }
    }
  }

  function look(i: number): AnyView {
    readAnyValue(cursor, list.valueFrom[i] ?? 0, list.valueTo[i] ?? 0, view);
    return view;
  }

  function textAt(i: number): string {
    // A header is an array of texts: the first one counts.
    if (look(i).kind === 'array') readFirstItem(cursor, view);
    const { kind } = view;
    if (kind === 'text') return decodeText(cursor.bytes, view.from, view.to);
    if (kind === 'int') return intText(view);
    return kind === 'double' ? doubleText(view.number) : '';
  }

  function text(meaning: number): string {
    const at = holder[meaning] ?? -1;
    return at < 0 ? '' : textAt(at);
  }

  function whole(meaning: number, max: number): number | undefined {
    const at = holder[meaning] ?? -1;
    if (at < 0) return undefined;
    if (look(at).kind === 'int') {
      const { number } = view;
      return number >= 0 && number <= max && Number.isSafeInteger(number) ? number : undefined;
    }
    const digits = textAt(at);
    if (!/^\d{1,15}$/.test(digits)) return undefined;
    const value = Number(digits);
    return value <= max ? value : undefined;
  }

  /** The older name goes too when it says the same. */
  function take(meaning: number): void {
    const at = holder[meaning] ?? -1;
    if (at < 0) return;
    isTaken[at] = 1;
    if (!hasSynonyms) return;
    for (let i = 0; i < list.count; i++) {
      const code = codes[i] ?? -1;
      if (code < 0 || i === at || meaningOf(code) !== meaning) continue;
      if (textAt(i) === textAt(at)) isTaken[i] = 1;
    }
  }

  function writeValue(to: TextsSink): TypeLetter {
    const { kind } = view;
    switch (kind) {
      case 'text':
        to.itemUtf8(cursor.bytes, view.from, view.to);
        return LETTERS.text;
      case 'empty':
        to.item('');
        return LETTERS.empty;
      case 'bool':
        to.item(view.number === 1 ? 'true' : 'false');
        return LETTERS.bool;
      case 'int':
        to.item(intText(view));
        return LETTERS.int;
      case 'double':
        to.item(doubleText(view.number));
        return LETTERS.double;
      case 'bytes':
        to.item(base64(cursor.bytes, view.from, view.to));
        return LETTERS.bytes;
      case 'array':
      case 'map':
        return 'j';
    }
  }

  function writeTo(to: AttributeColumns, extra: readonly Extra[], droppedBefore: number): void {
    let type = types.start();
    let count = 0;
    let bytes = 0;
    let dropped = droppedBefore;
    for (let i = 0; i < list.count; i++) {
      if (isTaken[i] === 1) continue;
      const from = list.keyFrom[i] ?? 0;
      const keyTo = list.keyTo[i] ?? 0;
      const valueFrom = list.valueFrom[i] ?? 0;
      const valueTo = list.valueTo[i] ?? 0;
      bytes += keyTo - from + valueTo - valueFrom;
      if (count >= ATTRIBUTES_MAX || bytes > ROW_BYTES_MAX) {
        dropped += 1;
        continue;
      }
      count += 1;
      to.attribute_names.item(names.textOf(numbers[i] ?? 0));
      look(i);
      const letter = writeValue(to.attribute_values);
      if (letter === 'j') {
        to.attribute_values.item(anyValueJson(cursor, valueFrom, valueTo, decodeText));
      }
      type = types.next(type, letter);
    }
    const add = (name: string, value: string, letter: TypeLetter): void => {
      to.attribute_names.item(name);
      to.attribute_values.item(value);
      type = types.next(type, letter);
    };
    for (const { name, value, type: letter } of extra) add(name, value, letter);
    if (dropped > 0) add('otel.dropped_attributes_count', String(dropped), 'i');
    to.attribute_names.endRow();
    to.attribute_values.endRow();
    to.attribute_types.push(type.text);
  }

  return { open, text, whole, take, writeTo };
}

interface TypeText {
  readonly text: string;
  readonly next: Map<TypeLetter, TypeText>;
}

/** Rows of one kind have the same letters: a walk down a tree gives the same string each time. */
function createTypeTexts() {
  let root: TypeText = { text: '', next: new Map() };
  let nodes = 0;
  return {
    start: (): TypeText => {
      if (nodes > TYPE_TEXTS_MAX) {
        root = { text: '', next: new Map() };
        nodes = 0;
      }
      return root;
    },
    next: (at: TypeText, letter: TypeLetter): TypeText => {
      const found = at.next.get(letter);
      if (found !== undefined) return found;
      const made: TypeText = { text: at.text + letter, next: new Map() };
      at.next.set(letter, made);
      nodes += 1;
      return made;
    },
  };
}
const TYPE_TEXTS_MAX = 20_000;
