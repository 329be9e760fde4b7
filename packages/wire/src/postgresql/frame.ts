const STARTUP_SIZE_MAX = 10_000;
export const HEADER_SIZE = 5;
/** A longer message is likelier noise. Source: PostgreSQL, PQ_LARGE_MESSAGE_LIMIT. */
export const MESSAGE_SIZE_MAX = 2 ** 30 - 1;
const VERSION_3 = 3;
/** Source: the manual, "Message Formats": CancelRequest, SSLRequest, GSSENCRequest. */
const CANCEL = 80_877_102;
const SSL = 80_877_103;
const GSS = 80_877_104;

/** Tags of the messages that a client sends. */
export const CLIENT_TAGS = new Set([...'QPBEDSCHFXpdcf'].map((tag) => tag.charCodeAt(0)));
/** Of those that a server sends. */
export const SERVER_TAGS = new Set([...'RSKZCDTENAIn123stGHWVvdc'].map((tag) => tag.charCodeAt(0)));

export function uint32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export type Startup = 'startup' | 'encryption' | 'cancel';

/** What a message without a tag is, by its length and its code; undefined when it is none. */
export function startupKind(length: number, code: number): Startup | undefined {
  if (length === 8 && (code === SSL || code === GSS)) return 'encryption';
  if (length >= 16 && length <= 272 && code === CANCEL) return 'cancel';
  const isVersion = code >>> 16 === VERSION_3 && (code & 0xffff) < 16;
  return isVersion && length >= 9 && length <= STARTUP_SIZE_MAX ? 'startup' : undefined;
}

/**
 * Whether what a client sends begins here: a start-up, or whole messages up to the end of a request.
 * `bytes[from, to)` may be a prefix of what was sent, `length` bytes in all.
 */
export function looksLikePostgresql(
  bytes: Uint8Array,
  from: number,
  to: number,
  length: number,
): boolean {
  if (to - from < 8) return to - from >= HEADER_SIZE && isRequest(bytes, from, to, length);
  const size = uint32(bytes, from);
  if (size === length && startupKind(size, uint32(bytes, from + 4)) !== undefined) return true;
  return isRequest(bytes, from, to, length);
}

const FIRST_TAGS = new Set([...'QPB'].map((tag) => tag.charCodeAt(0)));
const MESSAGES_MAX = 64;

/** A tag and a length that ends just where the bytes end: 32 bits hardly agree by chance. */
function isRequest(bytes: Uint8Array, from: number, to: number, length: number): boolean {
  if (!FIRST_TAGS.has(bytes[from] ?? 0)) return false;
  let at = from;
  let count = 0;
  for (; count < MESSAGES_MAX && at + HEADER_SIZE <= to; count += 1) {
    const size = uint32(bytes, at + 1);
    if (!CLIENT_TAGS.has(bytes[at] ?? 0) || size < 4) return false;
    at += 1 + size;
    if (at - from > length) return false;
    if (at - from === length) return true;
  }
  // The rest was not captured: what was looks right.
  return count > 0 && to - from < length;
}
