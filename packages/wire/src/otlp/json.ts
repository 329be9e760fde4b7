import { createProtoWriter, type ProtoWriter } from '../protobuf/writer.ts';
import { ANY_DEPTH_MAX } from './any-value.ts';
import { type JsonField, type JsonMessage, OTLP_JSON, type OtlpSignal } from './json-schema.ts';

export type JsonResult =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'invalid'; readonly reason: string };

/** An AnyValue in an AnyValue takes three levels: arrayValue, values, the item. */
const DEPTH_MAX = 12 + 3 * ANY_DEPTH_MAX;

/** Why a member cannot be encoded, with the path to it. Never leaves this file. */
class JsonFault extends Error {}

/**
 * OTLP's JSON to the protobuf bytes that say the same, for the one reader that there is. `value` is
 * what `JSON.parse` gave. Unknown members are ignored, as the specification asks; a wrong one is
 * `invalid`, with its path. Never throws.
 */
export function otlpJsonToProtobuf(signal: OtlpSignal, value: unknown): JsonResult {
  const writer = createProtoWriter();
  try {
    writeMessage(writer, OTLP_JSON[signal], value, '$', 0);
  } catch (error) {
    if (error instanceof JsonFault) return { kind: 'invalid', reason: error.message };
    throw error;
  }
  return { kind: 'bytes', bytes: writer.finish() };
}

function writeMessage(
  writer: ProtoWriter,
  message: JsonMessage,
  value: unknown,
  path: string,
  depth: number,
): void {
  if (depth > DEPTH_MAX) throw new JsonFault(`${path.slice(0, 60)}…: nested too deep`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JsonFault(`${path}: expected an object`);
  }
  for (const [name, item] of Object.entries(value)) {
    const field = fieldOf(message, name);
    if (field === undefined || item === null) continue;
    const at = `${path}.${name}`;
    if (field.isRepeated !== true) writeField(writer, field, item, at, depth);
    else if (!Array.isArray(item)) throw new JsonFault(`${at}: expected an array`);
    else {
      for (let i = 0; i < item.length; i++) {
        writeField(writer, field, item[i], `${at}[${i}]`, depth);
      }
    }
  }
}

/** By its name, or by protobuf's own (`trace_id`), which some senders use. */
function fieldOf(message: JsonMessage, name: string): JsonField | undefined {
  if (Object.hasOwn(message, name)) return message[name];
  if (!name.includes('_')) return undefined;
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(message, camel) ? message[camel] : undefined;
}

function writeField(
  writer: ProtoWriter,
  field: JsonField,
  value: unknown,
  path: string,
  depth: number,
): void {
  const { number } = field;
  // An item of a list and a member of a oneof are there also when they are the default.
  const isKept = field.isRepeated === true || field.hasPresence === true;
  switch (field.kind) {
    case 'message': {
      const message = field.message?.() ?? {};
      writer.messageField(number, () => writeMessage(writer, message, value, path, depth + 1));
      break;
    }
    case 'text':
      writer.textField(number, textOf(value, path), isKept);
      break;
    case 'bytes':
      writer.bytesField(number, base64Of(textOf(value, path), path), isKept);
      break;
    case 'id':
      writer.bytesField(number, idOf(textOf(value, path), path));
      break;
    case 'bool':
      writer.varintField(number, boolOf(value, path) ? 1 : 0, isKept);
      break;
    case 'enum':
      writer.varintField(number, enumOf(field.names ?? [], value, path));
      break;
    case 'uint32':
      writer.varintField(number, uint32Of(value, path), isKept);
      break;
    case 'fixed32':
      writer.fixed32Field(number, uint32Of(value, path));
      break;
    case 'sint32':
      writer.zigZagField(number, Number(integerOf(value, path)));
      break;
    case 'int64':
      writer.signedField(number, integerOf(value, path), isKept);
      break;
    case 'fixed64':
    case 'sfixed64':
      writer.fixed64Field(number, integerOf(value, path), isKept);
      break;
    case 'double':
      writer.doubleField(number, doubleOf(value, path), isKept);
      break;
  }
}

function textOf(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw new JsonFault(`${path}: expected a text`);
}

function boolOf(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new JsonFault(`${path}: expected true or false`);
}

function enumOf(names: readonly string[], value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  const index = names.indexOf(String(value));
  if (index >= 0) return index;
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value);
  throw new JsonFault(`${path}: expected a number or one of ${names.join(', ')}`);
}

function integerOf(value: unknown, path: string): bigint {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) {
    const integer = BigInt(value);
    if (integer >= -(2n ** 63n) && integer < 2n ** 64n) return integer;
  }
  throw new JsonFault(`${path}: expected a 64-bit integer, as a number or text`);
}

function uint32Of(value: unknown, path: string): number {
  const integer = Number(integerOf(value, path));
  if (integer >= 0 && integer < 2 ** 32) return integer;
  throw new JsonFault(`${path}: expected a 32-bit unsigned integer`);
}

function doubleOf(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.trim() !== '') {
    const double = Number(value);
    if (value === 'NaN' || !Number.isNaN(double)) return double;
  }
  throw new JsonFault(`${path}: expected a number, NaN, Infinity or -Infinity`);
}

/** Hex, as OTLP asks; base64, as protobuf's own JSON has it. */
function idOf(text: string, path: string): Uint8Array {
  if (text.length % 2 === 0 && /^[0-9a-f]*$/i.test(text)) {
    const bytes = new Uint8Array(text.length / 2);
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
    }
    return bytes;
  }
  return base64Of(text, path);
}

/** RFC 4648 §4 and §5, padding or not. */
function base64Of(text: string, path: string): Uint8Array {
  const digits = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (let i = 0; i < digits.length; i++) {
    const value = digitOf(digits.charCodeAt(i));
    if (value < 0) throw new JsonFault(`${path}: expected hex or base64`);
    bits = (bits << 6) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = bits >>> count;
      bits &= (1 << count) - 1;
    }
  }
  return bytes;
}

function digitOf(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 43 || code === 45) return 62;
  return code === 47 || code === 95 ? 63 : -1;
}
