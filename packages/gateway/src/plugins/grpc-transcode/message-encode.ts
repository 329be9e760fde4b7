import protobuf from 'protobufjs';

type Values = Readonly<Record<string, unknown>>;

/** Messages within messages; protobufjs decodes no deeper. */
const DEPTH_MAX = 100;
const LONGS: ReadonlySet<string> = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);

/** A value that a field cannot hold, with the field's path in the message. */
export class FieldError extends Error {}

/**
 * Encodes `values`, as JSON or a query string has them, as a message of `type`: numbers, booleans
 * and enums may be text, 64-bit integers also `#` and digits or `#0x` and hexadecimal ones, bytes
 * are base64. Names that the type does not have are left out. Throws a `FieldError`.
 */
export function encodeMessage(type: protobuf.Type, values: Values): Uint8Array {
  return type.encode(messageOf(type, values, '', 0)).finish();
}

function messageOf(
  type: protobuf.Type,
  values: Values,
  path: string,
  depth: number,
): protobuf.Message {
  if (depth > DEPTH_MAX) throw new FieldError(`${path}: more than ${DEPTH_MAX} messages deep`);
  const properties: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const value = Object.hasOwn(values, field.name) ? values[field.name] : undefined;
    if (value === undefined || value === null) continue;
    const at = path === '' ? field.name : `${path}.${field.name}`;
    properties[field.name] = fieldOf(field, value, at, depth);
  }
  return type.create(properties);
}

function fieldOf(field: protobuf.Field, value: unknown, at: string, depth: number): unknown {
  if (field instanceof protobuf.MapField) {
    const entries = Object.entries(recordOf(value, at));
    return Object.fromEntries(
      entries.map(([key, one]) => [key, singleOf(field, one, `${at}.${key}`, depth)]),
    );
  }
  if (!field.repeated) return singleOf(field, value, at, depth);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one, i) => singleOf(field, one, `${at}[${i}]`, depth));
}

function singleOf(field: protobuf.Field, value: unknown, at: string, depth: number): unknown {
  const { resolvedType, type } = field;
  if (resolvedType instanceof protobuf.Type) {
    return messageOf(resolvedType, recordOf(value, at), at, depth + 1);
  }
  if (resolvedType instanceof protobuf.Enum) return enumOf(resolvedType, value, at);
  if (type === 'string') return textOf(value, at);
  if (type === 'bool') return booleanOf(value, at);
  if (type === 'bytes') return Buffer.from(textOf(value, at), 'base64');
  if (LONGS.has(type)) return longOf(value, at);
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  const isWhole = type === 'double' || type === 'float' || Number.isInteger(number);
  if (Number.isNaN(number) || !isWhole) throw mismatch(at, type, value);
  return number;
}

function recordOf(value: unknown, at: string): Values {
  if (typeof value === 'string') {
    // A query string can only hold a message as text.
    try {
      return recordOf(JSON.parse(value), at);
    } catch {
      throw mismatch(at, 'an object', value);
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw mismatch(at, 'an object', value);
  }
  return value as Values;
}

function enumOf({ values }: protobuf.Enum, value: unknown, at: string): number {
  const text = textOf(value, at);
  if (Object.hasOwn(values, text)) return values[text] ?? 0;
  if (/^-?\d{1,10}$/.test(text)) return Number(text);
  throw mismatch(at, 'an enum', value);
}

function textOf(value: unknown, at: string): string {
  if (typeof value === 'object') throw mismatch(at, 'a string', value);
  return String(value);
}

function booleanOf(value: unknown, at: string): boolean {
  const text = textOf(value, at);
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw mismatch(at, 'a boolean', value);
}

/** Decimal digits: what the writer takes for 64-bit integers without losing any. */
function longOf(value: unknown, at: string): string {
  const text = textOf(value, at).replace(/^#/, '');
  if (!/^(-?\d{1,20}|0x[\da-f]{1,16})$/i.test(text)) throw mismatch(at, 'a 64-bit integer', value);
  return BigInt(text).toString();
}

function mismatch(at: string, wanted: string, value: unknown): FieldError {
  return new FieldError(`${at}: expected ${wanted}, got ${JSON.stringify(value)?.slice(0, 64)}`);
}
