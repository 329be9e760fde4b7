/** What speaks on a connection whose first bytes are no HTTP/1. */
export type OpaqueReason = 'tls' | 'http2' | 'other';

const HANDSHAKE = 22;
const HTTP2_PREFACE = [...'PRI * HTTP/2.0'].map((character) => character.charCodeAt(0));

/**
 * Names the protocol by its first bytes, which are at `start` up to `end`. A TLS record of type
 * handshake opens a TLS connection (RFC 8446 §5.1: type, version 3.x); `PRI * HTTP/2.0` opens
 * HTTP/2 (RFC 9113 §3.4). Anything else is `other`, also what was joined in the middle.
 */
export function opaqueReason(bytes: Uint8Array, start: number, end: number): OpaqueReason {
  const length = end - start;
  if (length >= 3 && bytes[start] === HANDSHAKE && bytes[start + 1] === 3) return 'tls';
  if (length < HTTP2_PREFACE.length) return 'other';
  return HTTP2_PREFACE.every((code, at) => bytes[start + at] === code) ? 'http2' : 'other';
}
