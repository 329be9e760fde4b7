/** Walks over bytes without ever throwing: past the end it answers 0 or '' and says so. */
export interface ByteReader {
  readonly at: number;
  readonly isPastEnd: boolean;
  /** At most 2^53; a longer one counts as past the end. */
  varint(): number;
  /** An unsigned 64-bit number; over 2^53 it is not exact, and larger than any limit. */
  u64(): number;
  /** The unsigned number of `width` bytes: 1, 2 or 4. */
  uint(width: number): number;
  /** Length, then UTF-8. Longer than `bytesMax` counts as past the end. */
  text(bytesMax: number): string;
  /** Steps over bytes and answers the offset of the first. */
  skip(count: number): number;
}

const decoder = new TextDecoder();

export function createByteReader(bytes: Uint8Array): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let isPastEnd = false;

  function skip(count: number): number {
    const start = at;
    if (count > bytes.length - at) {
      isPastEnd = true;
      at = bytes.length;
      return start;
    }
    at += count;
    return start;
  }

  function varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      if (at >= bytes.length) break;
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    isPastEnd = true;
    return 0;
  }

  return {
    get at() {
      return at;
    },
    get isPastEnd() {
      return isPastEnd;
    },
    varint,
    skip,
    u64: () => {
      const start = skip(8);
      if (isPastEnd) return 0;
      return view.getUint32(start, true) + view.getUint32(start + 4, true) * 2 ** 32;
    },
    uint: (width) => {
      const start = skip(width);
      if (isPastEnd) return 0;
      if (width === 1) return view.getUint8(start);
      return width === 2 ? view.getUint16(start, true) : view.getUint32(start, true);
    },
    text: (bytesMax) => {
      const size = varint();
      if (size > bytesMax) isPastEnd = true;
      if (isPastEnd) return '';
      const start = skip(size);
      return isPastEnd ? '' : decoder.decode(bytes.subarray(start, at));
    },
  };
}
