import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeConnect } from './connect-packet.ts';

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function connectPacket(level: number, clientId: string): Buffer {
  const properties = level >= 5 ? [5, 0x11, 0, 0, 0, 10] : [];
  const rest = Buffer.concat([
    text('MQTT'),
    Buffer.from([level, 2, 0, 60, ...properties]),
    text(clientId),
  ]);
  const length = rest.length < 128 ? [rest.length] : [(rest.length & 127) | 128, rest.length >> 7];
  return Buffer.concat([Buffer.from([0x10, ...length]), rest]);
}

test.each([
  { level: 4, clientId: 'sensor-1' },
  { level: 5, clientId: 'ü'.repeat(100) },
  { level: 4, clientId: '' },
])('every cut of a packet of level $level needs more, the whole is read', ({ level, clientId }) => {
  const packet = connectPacket(level, clientId);
  for (let size = 0; size < packet.length; size++) {
    expect(decodeConnect(packet.subarray(0, size))).toBe('need-more');
  }
  const whole = { protocolName: 'MQTT', protocolLevel: level, clientId };
  expect(decodeConnect(Buffer.concat([packet, Buffer.from('next')]))).toEqual(whole);
});

test.each([
  { name: 'another packet', bytes: [0x20, 2, 0, 0] },
  { name: 'a length of five octets', bytes: [0x10, 255, 255, 255, 255, 1] },
  { name: 'a packet above the bound', bytes: [0x10, 255, 255, 255, 127] },
  { name: 'a name longer than the packet', bytes: [0x10, 3, 0, 9, 1] },
])('$name is invalid', ({ bytes }) => {
  expect(decodeConnect(Buffer.from(bytes))).toBe('invalid');
});

test('never throws on arbitrary octets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      void decodeConnect(Buffer.from([0x10, ...bytes]));
    }),
    { seed: 41 },
  );
});
