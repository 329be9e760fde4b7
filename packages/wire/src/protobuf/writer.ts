import { WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from './reader.ts';

/**
 * Grows by doubling. Fields with proto3's default value are left out by the `…Field` calls, unless
 * `keepsDefault`: a member of a oneof and an `optional` field say something by being there.
 */
export interface ProtoWriter {
  varintField(field: number, value: number | bigint, keepsDefault?: boolean): void;
  /** int32 and int64: negative ones take ten bytes. */
  signedField(field: number, value: number | bigint, keepsDefault?: boolean): void;
  zigZagField(field: number, value: number, keepsDefault?: boolean): void;
  doubleField(field: number, value: number, keepsDefault?: boolean): void;
  /** A double by its 64 bits: a NaN keeps its payload. */
  doubleBitsField(field: number, low: number, high: number): void;
  fixed64Field(field: number, value: bigint, keepsDefault?: boolean): void;
  fixed32Field(field: number, value: number): void;
  textField(field: number, value: string, keepsDefault?: boolean): void;
  bytesField(field: number, value: Uint8Array, keepsDefault?: boolean): void;
  /** A nested message: what `write` writes, behind its length. Written also when it is empty. */
  messageField(field: number, write: () => void): void;
  /** The bytes so far, copied. */
  finish(): Uint8Array<ArrayBuffer>;
  /** Forgets what was written, keeps the memory. */
  reset(): void;
}

const MASK_64 = (1n << 64n) - 1n;
/** Room kept for the length of a nested message; a shorter one moves its bytes back. */
const LENGTH_BYTES = 5;
/** Below so many characters a loop over ASCII beats the encoder, which allocates each time. */
const SHORT_TEXT = 100;
const encoder = new TextEncoder();

export function createProtoWriter(): ProtoWriter {
  let bytes = new Uint8Array(1_024);
  let view = new DataView(bytes.buffer);
  let size = 0;

  function room(count: number): void {
    if (size + count <= bytes.length) return;
    const larger = new Uint8Array(Math.max(bytes.length * 2, size + count));
    larger.set(bytes.subarray(0, size));
    bytes = larger;
    view = new DataView(bytes.buffer);
  }

  function varint(value: number): void {
    room(10);
    let rest = value;
    while (rest >= 0x80) {
      bytes[size++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    bytes[size++] = rest;
  }

  function wideVarint(value: bigint): void {
    room(10);
    let rest = value & MASK_64;
    while (rest >= 0x80n) {
      bytes[size++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    bytes[size++] = Number(rest);
  }

  const tag = (field: number, wireType: number): void => varint(field * 8 + wireType);

  function raw(value: Uint8Array): void {
    varint(value.length);
    room(value.length);
    bytes.set(value, size);
    size += value.length;
  }

  function text(value: string): void {
    const { length } = value;
    if (length > SHORT_TEXT) {
      raw(encoder.encode(value));
      return;
    }
    room(length + 2);
    const start = size;
    bytes[size++] = length; // SHORT_TEXT keeps the length within one octet.
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        size = start;
        raw(encoder.encode(value));
        return;
      }
      bytes[size++] = code;
    }
  }

  function varintField(field: number, value: number | bigint, keepsDefault = false): void {
    if ((value === 0 || value === 0n) && !keepsDefault) return;
    tag(field, WIRE_VARINT);
    if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) varint(value);
    else wideVarint(BigInt(value));
  }

  return {
    varintField,
    signedField: varintField,
    zigZagField: (field, value, keepsDefault) =>
      varintField(field, value < 0 ? -2 * value - 1 : 2 * value, keepsDefault),
    doubleField: (field, value, keepsDefault = false) => {
      if (Object.is(value, 0) && !keepsDefault) return;
      tag(field, WIRE_FIXED64);
      room(8);
      view.setFloat64(size, value, true);
      size += 8;
    },
    doubleBitsField: (field, low, high) => {
      if (low === 0 && high === 0) return;
      tag(field, WIRE_FIXED64);
      room(8);
      view.setUint32(size, low, true);
      view.setUint32(size + 4, high, true);
      size += 8;
    },
    fixed64Field: (field, value, keepsDefault = false) => {
      if (value === 0n && !keepsDefault) return;
      tag(field, WIRE_FIXED64);
      room(8);
      view.setBigUint64(size, value & MASK_64, true);
      size += 8;
    },
    fixed32Field: (field, value) => {
      if (value === 0) return;
      tag(field, WIRE_FIXED32);
      room(4);
      view.setUint32(size, value, true);
      size += 4;
    },
    textField: (field, value, keepsDefault = false) => {
      if (value === '' && !keepsDefault) return;
      tag(field, WIRE_LENGTH);
      text(value);
    },
    bytesField: (field, value, keepsDefault = false) => {
      if (value.length === 0 && !keepsDefault) return;
      tag(field, WIRE_LENGTH);
      raw(value);
    },
    messageField: (field, write) => {
      tag(field, WIRE_LENGTH);
      room(LENGTH_BYTES);
      const lengthAt = size;
      size += LENGTH_BYTES;
      write();
      const length = size - lengthAt - LENGTH_BYTES;
      const end = size;
      size = lengthAt;
      varint(length);
      bytes.copyWithin(size, lengthAt + LENGTH_BYTES, end);
      size += length;
    },
    finish: () => bytes.slice(0, size),
    reset: () => {
      size = 0;
    },
  };
}
