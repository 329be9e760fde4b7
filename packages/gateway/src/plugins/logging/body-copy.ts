import { brotliDecompressSync, gunzipSync, inflateSync, constants as zlib } from 'node:zlib';
import type { BodySink } from '../../core/http/body-decoder.ts';

/** The first octets of a body that passes by. */
export interface BodyCopy extends BodySink {
  /** As text; what was coded is decoded first, up to the same bound. */
  text(coding: string | undefined): string;
}

export function createBodyCopy(bytesMax: number): BodyCopy {
  const pieces: Buffer[] = [];
  let size = 0;
  return {
    data(bytes) {
      if (size >= bytesMax || bytes.length === 0) return;
      const piece = bytes.subarray(0, bytesMax - size);
      pieces.push(piece);
      size += piece.length;
    },
    end: () => undefined,
    text: (coding) => decoded(Buffer.concat(pieces), coding, bytesMax).toString(),
  };
}

/** A cut or broken body gives what could be decoded of it, or the octets as they are. */
function decoded(bytes: Buffer, coding: string | undefined, maxOutputLength: number): Buffer {
  const options = { maxOutputLength, finishFlush: zlib.Z_SYNC_FLUSH };
  try {
    switch (coding?.toLowerCase()) {
      case 'gzip':
        return gunzipSync(bytes, options);
      case 'deflate':
        return inflateSync(bytes, options);
      case 'br':
        return brotliDecompressSync(bytes, {
          maxOutputLength,
          finishFlush: zlib.BROTLI_OPERATION_FLUSH,
        });
      default:
        return bytes;
    }
  } catch {
    // Larger than the bound, or not what the header says: the log shows what was sent.
    return bytes;
  }
}
