import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseProxyHeader } from './proxy-header.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const binary = (command: number, family: number, rest: Buffer) =>
  Buffer.concat([SIGNATURE, Buffer.from([command, family, rest.length >> 8, rest.length]), rest]);
const ends4 = Buffer.from([192, 0, 2, 9, 10, 0, 0, 1, 0x1f, 0x90, 0, 80]);
const ends6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('00000000000000000000000000000001', 'hex'),
  Buffer.from([0x1f, 0x90, 0, 80]),
]);
const seen = (address: string, localAddress: string) => ({
  address,
  localAddress,
  port: 8080,
  localPort: 80,
});

const HEADERS = [
  {
    name: 'a line of IPv4',
    bytes: Buffer.from('PROXY TCP4 192.0.2.9 10.0.0.1 8080 80\r\n'),
    ends: seen('192.0.2.9', '10.0.0.1'),
  },
  {
    name: 'a line of IPv6',
    bytes: Buffer.from('PROXY TCP6 2001:db8::1 ::1 8080 80\r\n'),
    ends: seen('2001:db8::1', '::1'),
  },
  { name: 'a line without addresses', bytes: Buffer.from('PROXY UNKNOWN\r\n'), ends: undefined },
  {
    name: 'version 2, IPv4',
    bytes: binary(0x21, 0x11, ends4),
    ends: seen('192.0.2.9', '10.0.0.1'),
  },
  { name: 'version 2, IPv6', bytes: binary(0x21, 0x21, ends6), ends: seen('2001:db8::1', '::1') },
  {
    name: 'version 2 with extensions',
    bytes: binary(0x21, 0x11, Buffer.concat([ends4, Buffer.from([4, 0, 1, 0])])),
    ends: seen('192.0.2.9', '10.0.0.1'),
  },
  { name: 'version 2, LOCAL', bytes: binary(0x20, 0, Buffer.alloc(0)), ends: undefined },
];

test.each(HEADERS)('$name says who is there, and every shorter piece waits', ({ bytes, ends }) => {
  expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')]))).toEqual({
    kind: 'header',
    size: bytes.length,
    ends,
  });
  for (let size = 0; size < bytes.length; size++) {
    expect(parseProxyHeader(bytes.subarray(0, size)).kind).toBe('need-more');
  }
});

test.each([
  { name: 'a request', bytes: Buffer.from('GET / HTTP/1.1\r\n') },
  { name: 'a family that the address is not of', bytes: Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n') },
  { name: 'a port too large', bytes: Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n') },
  { name: 'two spaces', bytes: Buffer.from('PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n') },
  { name: 'a line without end', bytes: Buffer.from(`PROXY ${'x'.repeat(200)}`) },
  { name: 'another version', bytes: binary(0x11, 0x11, ends4) },
  { name: 'addresses cut short', bytes: binary(0x21, 0x11, ends4.subarray(0, 8)) },
  {
    name: 'a length beyond all extensions',
    bytes: Buffer.concat([SIGNATURE, Buffer.from([0x21, 0x11, 255, 255])]),
  },
])('$name is refused', ({ bytes }) => {
  expect(parseProxyHeader(bytes)).toEqual({ kind: 'invalid' });
});

test('never throws on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (noise, isBinary) => {
      const bytes = Buffer.from(noise);
      parseProxyHeader(isBinary ? Buffer.concat([SIGNATURE, bytes]) : bytes);
    }),
  );
});
