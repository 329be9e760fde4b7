/** What an octet may stand for. Source: RFC 9110 §5.6.2 (token), §5.5 (field value), RFC 9112 §3.2. */
export const TOKEN = table(
  "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
);
/** Token characters in lower case; 0 for every other octet. */
export const LOWER_TOKEN = TOKEN.map((isToken, code) =>
  isToken === 1 ? String.fromCharCode(code).toLowerCase().charCodeAt(0) : 0,
);
/** Octets of a field value: HTAB, SP, VCHAR and obs-text. */
export const FIELD_VALUE = range((code) => code === 9 || (code >= 0x20 && code !== 0x7f));
/**
 * Octets of a request target. Octets above 0x7f are let through, as nginx does. A target has no
 * fragment: readers would disagree about where its path ends.
 */
export const TARGET = range((code) => code > 0x20 && code !== 0x7f && code !== 0x23);

export const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const TAB = 9;
export const COLON = 58;

function table(characters: string): Uint8Array {
  return range((code) => code < 0x80 && characters.includes(String.fromCharCode(code)));
}

function range(holds: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (holds(code) ? 1 : 0));
}

/** The index past the octets from `from` on that are all of `table`. */
export function pastAll(bytes: Buffer, from: number, table: Uint8Array): number {
  let at = from;
  while (table[bytes[at] ?? 0] === 1) at += 1;
  return at;
}
