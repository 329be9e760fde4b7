import type { DecodeText } from '../text.ts';
import type { Http1Head } from './head.ts';

export const HEAD_INCOMPLETE = -1;
export const HEAD_INVALID = -2;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const SLASH = 0x2f;
/** The longest registered method (UPDATEREDIRECTREF) has 17 letters. */
const METHOD_LENGTH_MAX = 32;
const HTTP_1 = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e]; // `HTTP/1.`

/** 1 for the characters of a token. Source: RFC 9110 §5.6.2. */
export const TOKEN: Uint8Array = tokenTable();

function tokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  const tokens = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (let i = 0; i < tokens.length; i += 1) table[tokens.charCodeAt(i)] = 1;
  return table;
}

/**
 * Reads a request line or a status line into `head`. Answers the offset after its line feed,
 * `HEAD_INCOMPLETE` or `HEAD_INVALID`; says invalid as soon as a byte rules HTTP/1 out. With
 * `isCut` nothing follows `to`: a request line with a method and a part of the target will do.
 */
export function parseStartLine(
  bytes: Uint8Array,
  from: number,
  to: number,
  isCut: boolean,
  text: DecodeText,
  head: Http1Head,
): number {
  // `/` is no token character, so no method can begin like a version.
  const matched = matchVersion(bytes, from, to);
  if (matched === HTTP_1.length) return parseStatusLine(bytes, from, to, isCut, text, head);
  if (from + matched === to) return isCut ? HEAD_INVALID : HEAD_INCOMPLETE;
  return parseRequestLine(bytes, from, to, isCut, text, head);
}

function matchVersion(bytes: Uint8Array, from: number, to: number): number {
  let i = 0;
  while (i < HTTP_1.length && from + i < to && bytes[from + i] === HTTP_1[i]) i += 1;
  return i;
}

function parseStatusLine(
  bytes: Uint8Array,
  from: number,
  to: number,
  isCut: boolean,
  text: DecodeText,
  head: Http1Head,
): number {
  // `HTTP/1.1 200` is 12 bytes.
  if (to - from < 12) return isCut ? HEAD_INVALID : HEAD_INCOMPLETE;
  const minor = (bytes[from + 7] ?? 0) - 0x30;
  const hundreds = (bytes[from + 9] ?? 0) - 0x30;
  const tens = (bytes[from + 10] ?? 0) - 0x30;
  const ones = (bytes[from + 11] ?? 0) - 0x30;
  if (minor < 0 || minor > 9 || bytes[from + 8] !== SP) return HEAD_INVALID;
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) {
    return HEAD_INVALID;
  }
  head.isRequest = false;
  head.version = minor === 1 ? '1.1' : minor === 0 ? '1.0' : `1.${minor}`;
  head.status = hundreds * 100 + tens * 10 + ones;
  let at = from + 12;
  if (at < to && bytes[at] !== SP && bytes[at] !== CR && bytes[at] !== LF) return HEAD_INVALID;
  if (bytes[at] === SP) at += 1;
  let end = at;
  while (end < to && bytes[end] !== LF) end += 1;
  if (end >= to && !isCut) return HEAD_INCOMPLETE;
  const reasonEnd = end > at && bytes[end - 1] === CR ? end - 1 : end;
  head.reason = text(bytes, at, reasonEnd);
  return Math.min(end + 1, to);
}

function parseRequestLine(
  bytes: Uint8Array,
  from: number,
  to: number,
  isCut: boolean,
  text: DecodeText,
  head: Http1Head,
): number {
  let methodEnd = from;
  while (methodEnd < to && isMethodByte(bytes[methodEnd] ?? 0)) methodEnd += 1;
  if (methodEnd - from > METHOD_LENGTH_MAX) return HEAD_INVALID;
  if (methodEnd === to) return isCut ? HEAD_INVALID : HEAD_INCOMPLETE;
  if (methodEnd === from || bytes[methodEnd] !== SP) return HEAD_INVALID;

  const targetFrom = methodEnd + 1;
  let targetEnd = targetFrom;
  while (targetEnd < to && (bytes[targetEnd] ?? 0) > SP && bytes[targetEnd] !== 0x7f) {
    targetEnd += 1;
  }
  if (targetEnd === to && !isCut) return HEAD_INCOMPLETE;
  if (targetEnd === targetFrom) return HEAD_INVALID;
  if (targetEnd < to && bytes[targetEnd] !== SP) return HEAD_INVALID;

  const versionEnd = parseVersion(bytes, targetEnd + 1, to, isCut, head);
  if (versionEnd < 0) return versionEnd;
  // A cut line lacks the proof of its version, so at least the target must look like one.
  if (head.version === '' && bytes[targetFrom] !== SLASH) return HEAD_INVALID;
  head.isRequest = true;
  head.method = text(bytes, from, methodEnd);
  setTarget(bytes, targetFrom, targetEnd, text, head);
  return versionEnd;
}

/**
 * Capital letters, `-` and `_`: narrower than a token, but all registered methods, and it tells a
 * request from most of what else may begin a stream that is seen from its middle.
 */
function isMethodByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x2d || byte === 0x5f;
}

/** Reads `HTTP/1.1` and the line's end; a cut line leaves the version empty. */
function parseVersion(
  bytes: Uint8Array,
  from: number,
  to: number,
  isCut: boolean,
  head: Http1Head,
): number {
  head.version = '';
  const matched = matchVersion(bytes, from, to);
  if (matched < HTTP_1.length) {
    if (from + matched < to) return HEAD_INVALID;
    return isCut ? to : HEAD_INCOMPLETE;
  }
  let at = from + HTTP_1.length;
  if (at >= to) return isCut ? to : HEAD_INCOMPLETE;
  const minor = (bytes[at] ?? 0) - 0x30;
  if (minor < 0 || minor > 9) return HEAD_INVALID;
  head.version = minor === 1 ? '1.1' : minor === 0 ? '1.0' : `1.${minor}`;
  at += 1;
  if (at < to && bytes[at] === CR) at += 1;
  if (at >= to) return isCut ? to : HEAD_INCOMPLETE;
  return bytes[at] === LF ? at + 1 : HEAD_INVALID;
}

/** Splits the four forms of a target. Source: RFC 9112 §3.2. */
function setTarget(
  bytes: Uint8Array,
  from: number,
  to: number,
  text: DecodeText,
  head: Http1Head,
): void {
  head.host = '';
  head.path = text(bytes, from, to);
  const first = bytes[from];
  if (first === SLASH || (first === 0x2a && to - from === 1)) return;
  if (head.method === 'CONNECT') {
    head.host = head.path;
    return;
  }
  const scheme = head.path.indexOf('://');
  if (scheme <= 0) return;
  const target = head.path;
  let authorityEnd = scheme + 3;
  while (authorityEnd < target.length && !'/?#'.includes(target.charAt(authorityEnd))) {
    authorityEnd += 1;
  }
  const authority = target.slice(scheme + 3, authorityEnd);
  // Credentials before `@` are secrets and no part of the host.
  head.host = authority.slice(authority.lastIndexOf('@') + 1);
  const rest = target.slice(authorityEnd);
  head.path = rest.startsWith('/') ? rest : `/${rest}`;
}
