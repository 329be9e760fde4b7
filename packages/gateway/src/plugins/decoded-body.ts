import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

const DECODERS: Readonly<
  Record<string, (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer>
> = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

/** Whether a body in this Content-Encoding, or in none, can be read here. */
export function isReadable(encoding: string | undefined): boolean {
  return encoding === undefined || Object.hasOwn(DECODERS, encoding.trim().toLowerCase());
}

/** A body without its Content-Encoding; as it is when it cannot be decoded within `bytesMax`. */
export function decodedBody(bytes: Buffer, encoding: string | undefined, bytesMax: number): Buffer {
  const name = encoding?.trim().toLowerCase() ?? '';
  const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (decode === undefined) return bytes;
  try {
    return decode(bytes, { maxOutputLength: bytesMax });
  } catch {
    return bytes;
  }
}
