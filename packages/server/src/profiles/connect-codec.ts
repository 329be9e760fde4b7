import {
  type ProtoCursor,
  type ProtoWriter,
  protoCursor,
  readBytes,
  readDouble,
  readSignedVarint,
  readTag,
  skipField,
} from '@thalweg/wire';

/** One field of a message of Connect's unary protocol, in protobuf and in JSON. */
export interface FieldShape {
  readonly number: number;
  readonly kind: 'text' | 'int64' | 'bool' | 'double' | MessageShape;
  readonly isRepeated?: boolean;
}
/** Fields by their name in JSON. */
export interface MessageShape {
  readonly [name: string]: FieldShape;
}

export type MessageValue = { readonly [name: string]: unknown };

const WIRE_LENGTH = 2;
const WIRE_TYPES = { text: WIRE_LENGTH, int64: 0, bool: 0, double: 1 } as const;
const REPEATED_MAX = 10_000;
const decoder = new TextDecoder();

/** Reads a request, as deep as its shape. A text says what is malformed. */
export function decodeRequest(bytes: Uint8Array, shape: MessageShape): MessageValue | string {
  const cursor = protoCursor(bytes);
  const value: Record<string, unknown> = {};
  const byTag = new Map(
    Object.entries(shape).map(([name, field]) => [
      field.number * 8 + (typeof field.kind === 'string' ? WIRE_TYPES[field.kind] : WIRE_LENGTH),
      { name, field },
    ]),
  );
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    const known = byTag.get(tag);
    if (known === undefined) {
      skipField(cursor, tag & 7);
      continue;
    }
    const { name, field } = known;
    const read =
      typeof field.kind === 'string'
        ? readScalar(cursor, field)
        : decodeRequest(readBytes(cursor), field.kind);
    if (typeof read === 'string' && typeof field.kind !== 'string') return read;
    const list = value[name];
    if (field.isRepeated !== true) value[name] = read;
    else if (!Array.isArray(list)) value[name] = [read];
    else if (list.length < REPEATED_MAX) list.push(read);
  }
  return cursor.fault === '' ? value : cursor.fault;
}

function readScalar(cursor: ProtoCursor, { kind }: FieldShape): string | number {
  if (kind === 'int64' || kind === 'bool') return readSignedVarint(cursor);
  return kind === 'double' ? readDouble(cursor) : decoder.decode(readBytes(cursor));
}

/** Writes an answer as protobuf. Values are of the kinds that the shape says: they are ours. */
export function encodeMessage(writer: ProtoWriter, shape: MessageShape, value: MessageValue): void {
  for (const [name, field] of Object.entries(shape)) {
    const given = value[name];
    if (given === undefined) continue;
    const items: readonly unknown[] =
      field.isRepeated === true && Array.isArray(given) ? given : [given];
    if (field.kind === 'int64' && field.isRepeated === true) {
      writer.bytesField(field.number, packed(items.map(Number)));
      continue;
    }
    for (const item of items) writeItem(writer, field, item);
  }
}

function writeItem(
  writer: ProtoWriter,
  { number, kind, isRepeated }: FieldShape,
  item: unknown,
): void {
  if (typeof kind !== 'string') {
    writer.messageField(number, () => encodeMessage(writer, kind, item as MessageValue));
  } else if (typeof item === 'bigint') writer.signedField(number, item);
  else if (kind === 'int64' || kind === 'bool') writer.signedField(number, Number(item));
  else if (kind === 'double') writer.doubleField(number, Number(item));
  else if (isRepeated === true && item === '') writer.messageField(number, () => undefined);
  else writer.textField(number, String(item));
}

/** Whole numbers from 0 to 2^53, one behind the other. */
function packed(values: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (const value of values) {
    let rest = value;
    while (rest >= 128) {
      bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

/** JSON as protobuf has it: 64-bit integers are texts of digits. */
export function toJsonMessage(shape: MessageShape, value: MessageValue): MessageValue {
  return Object.fromEntries(
    Object.entries(shape).flatMap(([name, { kind, isRepeated }]) => {
      const given = value[name];
      if (given === undefined) return [];
      const one = (item: unknown): unknown => {
        if (typeof kind !== 'string') return toJsonMessage(kind, item as MessageValue);
        return kind === 'int64' ? String(item) : item;
      };
      return [[name, isRepeated === true && Array.isArray(given) ? given.map(one) : one(given)]];
    }),
  );
}
