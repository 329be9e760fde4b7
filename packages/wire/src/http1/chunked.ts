import {
  type Http1Stream,
  PHASE_CHUNK_DATA,
  PHASE_CHUNK_END,
  PHASE_CHUNK_SIZE,
  PHASE_START,
  PHASE_TRAILER,
  PHASE_UNTIL_TURN,
} from './stream.ts';

const CR = 0x0d;
const LF = 0x0a;
/** A chunk-size line with its extensions, and all trailer fields together. */
const LINE_BYTES_MAX = 4096;
const TRAILER_BYTES_MAX = 65_536;
/** 12 hexadecimal digits stay below 2^53. */
const SIZE_MAX = 2 ** 48;

/** A chunked body begins: its first size line comes next. */
export function startChunks(stream: Http1Stream): void {
  stream.phase = PHASE_CHUNK_SIZE;
  stream.remaining = 0;
  stream.lineLength = 0;
  stream.isSizeRead = false;
  stream.trailerBytes = 0;
}

/**
 * Takes bytes of a chunked body from `at` and answers where it stopped. The phase afterwards:
 * START when the body is complete, UNTIL_TURN when its framing is broken, else still chunked.
 * Source: RFC 9112 §7.1.
 */
export function pushChunked(
  stream: Http1Stream,
  bytes: Uint8Array,
  at: number,
  to: number,
): number {
  if (stream.phase === PHASE_CHUNK_DATA) {
    const taken = Math.min(to - at, stream.remaining);
    count(stream, taken);
    stream.bodySize += taken;
    stream.remaining -= taken;
    if (stream.remaining === 0) {
      stream.phase = PHASE_CHUNK_END;
      stream.lineLength = 0;
    }
    return at + taken;
  }
  const byte = bytes[at] ?? 0;
  count(stream, 1);
  if (stream.phase === PHASE_CHUNK_SIZE) takeSizeByte(stream, byte);
  else if (stream.phase === PHASE_CHUNK_END) takeEndByte(stream, byte);
  else takeTrailerByte(stream, byte);
  return at + 1;
}

/** Takes a gap that begins in a chunk's data. Answers whether it ends the body. */
export function gapInChunk(stream: Http1Stream, gapBytes: number): boolean {
  const beyond = gapBytes - stream.remaining;
  if (beyond < 0) {
    stream.bodySize += gapBytes;
    stream.remaining -= gapBytes;
    return false;
  }
  stream.bodySize += stream.remaining;
  stream.remaining = 0;
  // Two bytes more are the chunk's line end. Seven are that and the last chunk, `0 CRLF CRLF`:
  // nobody ends a write between a chunk's size line and its data.
  if (beyond < 2) {
    stream.phase = PHASE_CHUNK_END;
    stream.lineLength = beyond;
  } else if (beyond === 2) {
    startChunks(stream);
  } else if (beyond !== 7) {
    stream.bodySize += beyond;
    stream.phase = PHASE_UNTIL_TURN;
  }
  return beyond === 7;
}

function takeSizeByte(stream: Http1Stream, byte: number): void {
  const digit = stream.isSizeRead ? -1 : hexDigit(byte);
  if (digit >= 0) {
    stream.remaining = stream.remaining * 16 + digit;
    stream.lineLength += 1;
    if (stream.remaining >= SIZE_MAX) stream.phase = PHASE_UNTIL_TURN;
    return;
  }
  if (stream.lineLength === 0 || stream.lineLength > LINE_BYTES_MAX) {
    stream.phase = PHASE_UNTIL_TURN;
    return;
  }
  if (byte === LF) {
    stream.phase = stream.remaining === 0 ? PHASE_TRAILER : PHASE_CHUNK_DATA;
    stream.lineLength = 0;
    return;
  }
  // What follows the digits is white space, an extension, or the line's end.
  const endsDigits = byte === CR || byte === 0x3b || byte === 0x20 || byte === 0x09;
  if (!stream.isSizeRead && !endsDigits) stream.phase = PHASE_UNTIL_TURN;
  stream.isSizeRead = true;
  stream.lineLength += 1;
}

function takeEndByte(stream: Http1Stream, byte: number): void {
  if (byte === LF) {
    stream.phase = PHASE_CHUNK_SIZE;
    stream.lineLength = 0;
    stream.isSizeRead = false;
    stream.remaining = 0;
  } else if (byte === CR && stream.lineLength === 0) stream.lineLength = 1;
  else stream.phase = PHASE_UNTIL_TURN;
}

/** The body ends with the first empty line. */
function takeTrailerByte(stream: Http1Stream, byte: number): void {
  stream.trailerBytes += 1;
  if (byte === LF) {
    if (stream.lineLength === 0) stream.phase = PHASE_START;
    stream.lineLength = 0;
  } else if (byte !== CR) stream.lineLength += 1;
  if (stream.trailerBytes > TRAILER_BYTES_MAX) stream.phase = PHASE_UNTIL_TURN;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function count(stream: Http1Stream, bytes: number): void {
  stream.size += bytes;
  stream.captured += bytes;
}
