/** Bytes that grow: numbers as ClickHouse's Native format writes them (little endian). */
export interface ByteWriter {
  readonly length: number;
  varint(value: number): void;
  /** Two halves of an unsigned 64-bit number. */
  u64(low: number, high: number): void;
  /** Length in bytes, then UTF-8. A lone surrogate becomes U+FFFD. */
  text(text: string): void;
  raw(bytes: Uint8Array): void;
  /** The length, then `bytes[from, to)`, if all of them are ASCII; else false, and nothing is written. */
  ascii(bytes: Uint8Array, from: number, to: number): boolean;
  /** The number of digits, then `bytes[from, to)` as lower-case hex digits. */
  hex(bytes: Uint8Array, from: number, to: number): void;
  /** Forgets what was written behind the first `length` bytes. */
  truncate(length: number): void;
  /** A view of what was written; valid until the next write. */
  view(): Uint8Array<ArrayBuffer>;
  clear(): void;
}

const SHORT_TEXT = 64;
const HEX_DIGITS = new TextEncoder().encode('0123456789abcdef');
const encoder = new TextEncoder();

/** `room`: memory to begin with, or how many new bytes. */
export function createByteWriter(room: number | Uint8Array<ArrayBuffer> = 1_024): ByteWriter {
  let bytes = typeof room === 'number' ? new Uint8Array(room) : room;
  let at = 0;

  function reserve(count: number): void {
    if (at + count <= bytes.length) return;
    const grown = new Uint8Array(Math.max(bytes.length * 2, at + count));
    grown.set(bytes.subarray(0, at));
    bytes = grown;
  }

  function varint(value: number): void {
    reserve(10);
    let rest = value;
    while (rest >= 128) {
      bytes[at++] = (rest & 127) | 128;
      rest = Math.floor(rest / 128);
    }
    bytes[at++] = rest;
  }

  /** Most texts are short ASCII: a loop beats the call into the encoder. */
  function shortAscii(text: string): boolean {
    const start = at + 1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[start + i] = code;
    }
    bytes[at] = text.length;
    at = start + text.length;
    return true;
  }

  return {
    get length() {
      return at;
    },
    varint,
    u64: (low, high) => {
      reserve(8);
      for (let i = 0; i < 4; i++) bytes[at++] = low >>> (8 * i);
      for (let i = 0; i < 4; i++) bytes[at++] = high >>> (8 * i);
    },
    text: (text) => {
      // A UTF-16 unit takes at most three bytes; one more for the length of a short text.
      reserve(text.length * 3 + 10);
      if (text.length <= SHORT_TEXT && shortAscii(text)) return;
      const encoded = encoder.encode(text);
      varint(encoded.length);
      bytes.set(encoded, at);
      at += encoded.length;
    },
    raw: (source) => {
      reserve(source.length);
      bytes.set(source, at);
      at += source.length;
    },
    ascii: (source, from, to) => {
      reserve(to - from + 10);
      const start = at;
      varint(to - from);
      let bits = 0;
      for (let i = from; i < to; i++) {
        const byte = source[i] ?? 0;
        bits |= byte;
        bytes[at++] = byte;
      }
      if (bits < 128) return true;
      at = start;
      return false;
    },
    hex: (source, from, to) => {
      reserve(2 * (to - from) + 10);
      varint(2 * (to - from));
      for (let i = from; i < to; i++) {
        const byte = source[i] ?? 0;
        bytes[at++] = HEX_DIGITS[byte >>> 4] ?? 0;
        bytes[at++] = HEX_DIGITS[byte & 15] ?? 0;
      }
    },
    truncate: (length) => {
      at = Math.min(at, length);
    },
    view: () => bytes.subarray(0, at),
    clear: () => {
      at = 0;
    },
  };
}
