import { type FieldName, fieldName } from './field-name.ts';

/** Parts of a text up to this size are copies. Source: V8, `SlicedString::kMinLength` is 13. */
const COPIED_PART_MAX = 12;

/**
 * One field line. It never changes: another takes its place, so that one may stand in many messages.
 * A class, against rule 11, as `HeaderFields` is.
 */
export class Field {
  readonly name: FieldName;
  /** Its line, or all lines of its message, as they are written: `Name: value` with CR LF. */
  text: string;
  /** Where in `text` it stands. */
  readonly start: number;
  readonly end: number;
  private held: string | undefined;

  constructor(name: FieldName, text: string, start: number, end: number, value?: string) {
    this.name = name;
    this.text = text;
    this.start = start;
    this.end = end;
    this.held = value;
  }

  /** It may be kept for longer than the message (a limit's key), so it is a text of its own. */
  get value(): string {
    this.held ??= owned(this.text, this.valueStart, this.valueEnd);
    return this.held;
  }

  /** The name as it came; as `value`, it may be kept. */
  get spelling(): string {
    return owned(this.text, this.start, this.valueStart - 2);
  }

  get valueStart(): number {
    return this.start + this.name.key.length + 2;
  }

  get valueEnd(): number {
    return this.end - 2;
  }

  withValue(value: string): Field {
    return field(this.spelling, this.name.key, value);
  }

  /** As `value`, which becomes `known` itself where it is the same. */
  valueLike(known: string): string {
    if (this.held === undefined) {
      const { text, valueStart, valueEnd } = this;
      const isSame = valueEnd - valueStart === known.length && text.startsWith(known, valueStart);
      if (isSame) this.held = known;
    }
    return this.value;
  }
}

/** A part of `text` that does not keep the whole of it alive: a copy is made in joining it anew. */
function owned(text: string, start: number, end: number): string {
  const part = text.slice(start, end);
  return part.length <= COPIED_PART_MAX ? part : ` ${part}`.slice(1);
}

/** A field with `name` as spelled, `key` its lower case, and a value that ends no line. */
export function field(name: string, key: string, value: string): Field {
  const text = `${name}: ${value}\r\n`;
  return new Field(fieldName(key), text, 0, text.length, value);
}

/**
 * The fields of one message, in order, with the spelling they came in. A class, against rule 11: one
 * is made for each message on the hot path, and methods on a prototype cost nothing to make.
 */
export class HeaderFields {
  readonly list: Field[] = [];
  /** Every kind of name that was ever among them. */
  kinds = 0;

  take(one: Field): void {
    this.list.push(one);
    this.kinds |= one.name.kinds;
  }

  /** Those made without text stand in `text`: the lines of the message that was read. */
  settle(text: string): void {
    for (const one of this.list) if (one.text === '') one.text = text;
  }

  push(name: string, key: string, value: string): void {
    this.take(field(name, key, value));
  }

  /** In lower case, each once. */
  keys(): Set<string> {
    return new Set(this.list.map(({ name }) => name.key));
  }

  /** The first field `key` (lower case); undefined when there is none. */
  first(key: string): Field | undefined {
    const { list } = this;
    for (let i = 0; i < list.length; i++) if (list[i]?.name.key === key) return list[i];
    return undefined;
  }

  /** The first value of `key` (lower case); undefined when there is none. */
  get(key: string): string | undefined {
    return this.first(key)?.value;
  }

  has(key: string): boolean {
    return this.first(key) !== undefined;
  }

  /** How many fields `key` (lower case) there are. */
  count(key: string): number {
    const { list } = this;
    let count = 0;
    for (let i = 0; i < list.length; i++) if (list[i]?.name.key === key) count += 1;
    return count;
  }

  /** Every value of `key` (lower case), in order. */
  all(key: string): string[] {
    return this.list.filter(({ name }) => name.key === key).map(({ value }) => value);
  }

  /** All values of `key` as one list (RFC 9110 §5.3); undefined when there is none. */
  joined(key: string): string | undefined {
    const first = this.first(key);
    if (first === undefined || this.count(key) === 1) return first?.value;
    return this.all(key).join(', ');
  }

  /** One field `name` with `value`, in the place of the first of that name. */
  set(name: string, value: string): void {
    const spelled = cleanName(name);
    this.put(field(spelled, spelled.toLowerCase(), clean(value)));
  }

  /** `one` in the place of the first of that name. */
  put(one: Field): void {
    const { list } = this;
    const { key } = one.name;
    for (let i = 0; i < list.length; i++) {
      if (list[i]?.name.key !== key) continue;
      list[i] = one;
      this.removeFrom(key, i + 1);
      return;
    }
    this.take(one);
  }

  add(name: string, value: string): void {
    const spelled = cleanName(name);
    this.push(spelled, spelled.toLowerCase(), clean(value));
  }

  /** Removes every field `name`, in any case. */
  remove(name: string): void {
    this.removeFrom(name.toLowerCase(), 0);
  }

  private removeFrom(key: string, first: number): void {
    const { list } = this;
    for (let i = first; i < list.length; ) {
      if (list[i]?.name.key === key) list.splice(i, 1);
      else i += 1;
    }
  }
}

/** A value that a plugin or a configuration made may not end the line (response splitting). */
function clean(value: string): string {
  return /[\r\n\0]/.test(value) ? value.replace(/[\r\n\0]+/g, ' ') : value;
}

/** As `clean`: a name is a token (RFC 9110 §5.1), and what no token holds becomes `_`. */
function cleanName(name: string): string {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) ? name : name.replace(/[^\w!#$%&'*+.^`|~-]|^$/g, '_');
}
