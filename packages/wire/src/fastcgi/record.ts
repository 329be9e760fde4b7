/** Source: FastCGI 1.0 §3.3 and §8: a record is a header of 8 bytes, content and padding. */
export const HEADER_SIZE = 8;
const VERSION = 1;

export const BEGIN_REQUEST = 1;
export const ABORT_REQUEST = 2;
export const END_REQUEST = 3;
export const PARAMS = 4;
export const STDIN = 5;
export const STDOUT = 6;
const STDERR = 7;
const DATA = 8;
const GET_VALUES = 9;
const GET_VALUES_RESULT = 10;
const UNKNOWN_TYPE = 11;

/** Records that a web server sends, and those that an application sends. */
const ASKING = new Set([BEGIN_REQUEST, ABORT_REQUEST, PARAMS, STDIN, DATA, GET_VALUES]);
const ANSWERING = new Set([END_REQUEST, STDOUT, STDERR, GET_VALUES_RESULT, UNKNOWN_TYPE]);
/** Of BEGIN_REQUEST and END_REQUEST. */
const BODY_SIZE = 8;

/** Whether the 8 bytes at `at` are the header of a record that passes in this direction. */
export function isRecord(bytes: Uint8Array, at: number, isAsking: boolean): boolean {
  const type = bytes[at + 1] ?? 0;
  if (bytes[at] !== VERSION || !(isAsking ? ASKING : ANSWERING).has(type)) return false;
  const isFixed = type === BEGIN_REQUEST || type === END_REQUEST;
  return !isFixed || contentSize(bytes, at) === BODY_SIZE;
}

export function contentSize(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 4] ?? 0) << 8) | (bytes[at + 5] ?? 0);
}

/** Whether `bytes[from, to)` begins a request: PHP reads the header of its first record alone. */
export function looksLikeFastcgi(bytes: Uint8Array, from: number, to: number): boolean {
  return (
    to - from >= HEADER_SIZE && bytes[from + 1] === BEGIN_REQUEST && isRecord(bytes, from, true)
  );
}
