import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

const DECODERS: Readonly<
  Record<string, (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer>
> = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

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
