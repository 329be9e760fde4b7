import { expect, test } from 'vitest';
import { opaqueReason } from './opaque.ts';

test.each([
  { name: 'a TLS client hello', bytes: [22, 3, 1, 0, 200, 1], reason: 'tls' },
  { name: 'the preface of HTTP/2', bytes: [...Buffer.from('PRI * HTTP/2.0\r\n')], reason: 'http2' },
  { name: 'a part of that preface', bytes: [...Buffer.from('PRI * HT')], reason: 'other' },
  { name: 'a Redis command', bytes: [...Buffer.from('*1\r\n$4\r\nPING\r\n')], reason: 'other' },
  { name: 'TLS application data, joined in the middle', bytes: [23, 3, 3, 0, 9], reason: 'other' },
  { name: 'nothing', bytes: [], reason: 'other' },
])('$name is $reason', ({ bytes, reason }) => {
  // Not at the beginning of the buffer, as in the ring.
  const held = Uint8Array.from([0, 0, ...bytes, 22, 3, 1]);
  expect(opaqueReason(held, 2, 2 + bytes.length)).toBe(reason);
});
