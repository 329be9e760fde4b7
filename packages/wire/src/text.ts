/** Makes a string of `bytes[from, to)`. UTF-8; what is not valid becomes U+FFFD. */
export type DecodeText = (bytes: Uint8Array, from: number, to: number) => string;

/** Slots of the cache of short texts: 2048 × 64 characters is at most 128 KiB. */
const SLOTS = 2048;
const CACHED_LENGTH_MAX = 64;

/** Decodes with the host's own TextDecoder: right everywhere, a little slow for short texts. */
export function createTextDecoder(): DecodeText {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return (bytes, from, to) => decoder.decode(bytes.subarray(from, to));
}

/**
 * Answers the same string again for the same bytes: hosts, methods and user agents repeat, so most
 * calls allocate nothing. A slot holds the last text that hashed to it, so memory is bounded.
 */
export function createTextCache(decode: DecodeText): DecodeText {
  const slots: string[] = new Array<string>(SLOTS).fill('');

  return (bytes, from, to) => {
    const length = to - from;
    if (length <= 0) return '';
    if (length > CACHED_LENGTH_MAX) return decode(bytes, from, to);
    const slot = slotOf(bytes, from, to);
    const known = slots[slot] ?? '';
    if (known.length === length && isSame(known, bytes, from)) return known;
    const text = decode(bytes, from, to);
    slots[slot] = text;
    return text;
  };
}

/** Looks at five bytes: both ends and the middle tell apart what HTTP repeats. */
function slotOf(bytes: Uint8Array, from: number, to: number): number {
  const middle = (from + to) >> 1;
  let hash = to - from;
  hash = Math.imul(hash, 31) + (bytes[from] ?? 0);
  hash = Math.imul(hash, 31) + (bytes[middle] ?? 0);
  hash = Math.imul(hash, 31) + (bytes[middle + 1] ?? 0);
  hash = Math.imul(hash, 31) + (bytes[to - 2] ?? 0);
  hash = Math.imul(hash, 31) + (bytes[to - 1] ?? 0);
  return (hash ^ (hash >>> 11)) & (SLOTS - 1);
}

function isSame(text: string, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) !== bytes[from + i]) return false;
  }
  return true;
}
