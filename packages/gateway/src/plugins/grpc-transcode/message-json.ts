import protobuf from 'protobufjs';
import type { MessageOptions } from './message-options.ts';

interface Long {
  readonly unsigned: boolean;
  toString(): string;
}

/** JSON text of a decoded message; 64-bit integers keep every digit. */
export function messageJson(
  type: protobuf.Type,
  message: protobuf.Message,
  options: MessageOptions,
): string {
  // Checked edge: a decoded message has nothing but its fields.
  const values = message as unknown as Readonly<Record<string, unknown>>;
  const members: string[] = [];
  for (const field of type.fieldsArray) {
    const text = Object.hasOwn(values, field.name)
      ? fieldJson(field, values[field.name], options)
      : defaultJson(type, field, options);
    if (text !== undefined) members.push(`${JSON.stringify(field.name)}:${text}`);
  }
  return `{${members.join(',')}}`;
}

function fieldJson(field: protobuf.Field, value: unknown, options: MessageOptions): string {
  if (field instanceof protobuf.MapField) {
    const entries = Object.entries(value as Readonly<Record<string, unknown>>).map(
      ([key, one]) => `${JSON.stringify(keyText(field, key))}:${singleJson(field, one, options)}`,
    );
    return `{${entries.join(',')}}`;
  }
  if (!field.repeated) return singleJson(field, value, options);
  const items = (value as readonly unknown[]).map((one) => singleJson(field, one, options));
  return `[${items.join(',')}]`;
}

function singleJson(field: protobuf.Field, value: unknown, options: MessageOptions): string {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) {
    return messageJson(resolvedType, value as protobuf.Message, options);
  }
  if (resolvedType instanceof protobuf.Enum) {
    const name = resolvedType.valuesById[Number(value)];
    return options.enums === 'name' && name !== undefined ? JSON.stringify(name) : String(value);
  }
  if (field.type === 'bytes') {
    return JSON.stringify(Buffer.from(value as Uint8Array).toString('base64'));
  }
  if (typeof value === 'object' && value !== null) return longJson(value as Long, options);
  if (typeof value === 'number' && !Number.isFinite(value)) return JSON.stringify(String(value));
  return JSON.stringify(value);
}

/** What fits 32 bits is a number whatever the options say, as lua-protobuf has it. */
function longJson(long: Long, { longs }: MessageOptions): string {
  const digits = long.toString();
  const value = BigInt(digits);
  if (longs === 'number' || BigInt.asIntN(32, value) === value) return digits;
  if (longs === 'string') return JSON.stringify(`#${digits}`);
  return JSON.stringify(`#0x${BigInt.asUintN(64, value).toString(16).toUpperCase()}`);
}

/** Keys of 64 bits are kept as eight octets. */
function keyText({ keyType }: protobuf.MapField, key: string): string {
  if (!keyType.endsWith('64')) return key;
  return protobuf.util.longFromHash(key, keyType.startsWith('u')).toString();
}

/** Undefined where nothing stands for a field that was not sent. */
function defaultJson(
  type: protobuf.Type,
  field: protobuf.Field,
  options: MessageOptions,
): string | undefined {
  const { defaults } = options;
  // Without presence, as in proto3, a default cannot be told from nothing.
  const isShown = defaults === 'always' || (defaults === 'auto' && !field.hasPresence);
  if (!isShown || isOneOfMany(type, field)) return undefined;
  if (field.map) return '{}';
  if (field.repeated) return '[]';
  if (field.resolvedType instanceof protobuf.Type) return undefined;
  const value: unknown = field.typeDefault;
  return singleJson(field, value, options);
}

/** A member of a `oneof`, also of the one that makes a field of proto3 optional. */
function isOneOfMany(type: protobuf.Type, field: protobuf.Field): boolean {
  return field.partOf !== null && type.oneofsArray.includes(field.partOf);
}
