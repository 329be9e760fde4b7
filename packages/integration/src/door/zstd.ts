import { setImmediate as nextTurn } from 'node:timers/promises';
import { Decompress } from 'fzstd';

/** What is unpacked takes the main thread's time, where zlib has a pool of its own. */
export const ZSTD_BYTES_MAX = 16 * 2 ** 20;
/** The most that a decoder must take. Source: RFC 8878 §3.1.1.1.2. */
const WINDOW_BYTES_MAX = 8 * 2 ** 20;
/** Each block moves its frame's window: 16 MiB in blocks of 128 KiB under the largest window. */
const MOVED_BYTES_MAX = 2 ** 30;
/** Unpacked in a millisecond or few; other work has a turn in between. */
const PIECE_BYTES = 2 ** 15;

const MAGIC = 0xfd2fb528;
const SKIPPED_MAGIC = 0x184d2a50;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const BLOCK_HEAD_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE = 1;

/**
 * Unpacks frames of zstd, which Node 20 cannot; checksums are passed over. Rejects as Node's zlib
 * does, with the code `ERR_BUFFER_TOO_LARGE` past `bytesMax`, and with any other error where the
 * bytes are no zstd, need a dictionary or a window above 8 MiB, or are many blocks of almost nothing.
 * Source: RFC 8878.
 */
export async function unpackZstd(packed: Uint8Array, bytesMax: number): Promise<Buffer> {
  checkFrames(Buffer.from(packed.buffer, packed.byteOffset, packed.length));
  const pieces: Uint8Array[] = [];
  let size = 0;
  const decoder = new Decompress((piece) => {
    size += piece.length;
    if (size > bytesMax) {
      const tooLarge = new RangeError(`more than ${bytesMax} bytes`);
      throw Object.assign(tooLarge, { code: 'ERR_BUFFER_TOO_LARGE' });
    }
    pieces.push(piece);
  });
  for (let at = 0; at < packed.length; at += PIECE_BYTES) {
    if (at > 0) await nextTurn();
    decoder.push(packed.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= packed.length);
  }
  return Buffer.concat(pieces, size);
}

/** Looks at heads only, so that what the decoder allocates and moves is known before it starts. */
function checkFrames(packed: Buffer): void {
  if (packed.length === 0) throw new Error('no bytes');
  let moved = 0;
  for (let at = 0; at < packed.length; ) {
    if ((numberAt(packed, at, 4) & 0xfffffff0) >>> 0 === SKIPPED_MAGIC) {
      at += 8 + numberAt(packed, at + 4, 4);
      continue;
    }
    const frame = readFrame(packed, at);
    moved += frame.windowBytes * frame.blocks;
    if (moved > MOVED_BYTES_MAX) throw new Error('too many blocks for their window');
    at = frame.end;
  }
}

function readFrame(
  packed: Buffer,
  start: number,
): { readonly windowBytes: number; readonly blocks: number; readonly end: number } {
  if (numberAt(packed, start, 4) !== MAGIC) throw new Error('no frame of zstd');
  const descriptor = numberAt(packed, start + 4, 1);
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionaryBytes = DICTIONARY_ID_BYTES[descriptor & 3] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && isSingle ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
  let at = start + 5;
  let windowBytes = 0;
  if (!isSingle) {
    const window = numberAt(packed, at, 1);
    windowBytes = 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
    at += 1;
  }
  if (numberAt(packed, at, dictionaryBytes) !== 0) throw new Error('it needs a dictionary');
  at += dictionaryBytes;
  if (isSingle) windowBytes = numberAt(packed, at, sizeBytes) + (sizeFlag === 1 ? 256 : 0);
  if (windowBytes > WINDOW_BYTES_MAX) {
    throw new Error(`a window of ${windowBytes} bytes, the most is ${WINDOW_BYTES_MAX}`);
  }
  at += sizeBytes;
  for (let blocks = 1; ; blocks += 1) {
    const head = numberAt(packed, at, BLOCK_HEAD_BYTES);
    const bytes = ((head >> 1) & 3) === RLE ? 1 : head >> 3;
    at += BLOCK_HEAD_BYTES + bytes;
    if ((head & 1) === 0) continue;
    const end = at + ((descriptor & 4) === 0 ? 0 : CHECKSUM_BYTES);
    if (end > packed.length) throw new Error('it ends early');
    return { windowBytes, blocks, end };
  }
}

/** Little-endian. */
function numberAt(packed: Buffer, at: number, bytes: number): number {
  if (at + bytes > packed.length) throw new Error('it ends early');
  let number = 0;
  for (let i = bytes - 1; i >= 0; i -= 1) number = 256 * number + (packed[at + i] ?? 0);
  return number;
}
