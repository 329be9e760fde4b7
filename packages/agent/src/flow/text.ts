import { createTextCache, type DecodeText } from '@thalweg/wire';

/** Node's own slices are several times as fast as TextDecoder for texts of a few dozen bytes. */
export function createFlowText(): DecodeText {
  let seen: Uint8Array | undefined;
  let view: Buffer = Buffer.alloc(0);
  return createTextCache((bytes, from, to) => {
    if (bytes !== seen) {
      seen = bytes;
      view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    for (let i = from; i < to; i += 1) {
      if ((bytes[i] ?? 0) >= 0x80) return view.toString('utf8', from, to);
    }
    return view.toString('latin1', from, to);
  });
}
