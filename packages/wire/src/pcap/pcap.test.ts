import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFragmentTable } from './fragments.ts';
import { tcpSegment } from './ip.ts';
import type { CapturedPacket } from './packet.ts';
import { readCapture } from './read-capture.ts';

const seed = 20_260_101;

function uint(value: number, size: number, isLittle: boolean): number[] {
  const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
  return isLittle ? bytes : bytes.reverse();
}

/** A segment from 10.0.0.1:1000 to 10.0.0.2:80 with sequence 7 that says `hi`. */
const tcp = [3, 232, 0, 80, 0, 0, 0, 7, 0, 0, 0, 0, 0x50, 0x18, 0, 0, 0, 0, 0, 0, 0x68, 0x69];
const addresses4 = [10, 0, 0, 1, 10, 0, 0, 2];
const ipv4 = [0x45, 0, 0, 42, 0, 9, 0, 0, 64, 6, 0, 0, ...addresses4, ...tcp];
const address6 = Array.from({ length: 16 }, (_, i) => i);
const ipv6 = [
  0x60,
  0,
  0,
  0,
  0,
  30,
  0,
  64,
  ...address6,
  ...address6,
  6,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  ...tcp,
];
const macs = new Array<number>(12).fill(2);

function segmentOf(linkType: number, frame: readonly number[], fragments = createFragmentTable()) {
  const bytes = Uint8Array.from(frame);
  return tcpSegment({ atNs: 0n, linkType, bytes, wireLength: bytes.length }, fragments);
}

describe('frames', () => {
  test.each([
    { name: 'Ethernet', linkType: 1, frame: [...macs, 8, 0, ...ipv4] },
    { name: 'padded Ethernet', linkType: 1, frame: [...macs, 8, 0, ...ipv4, 0, 0, 0, 0] },
    { name: '802.1Q', linkType: 1, frame: [...macs, 0x81, 0, 0, 5, 8, 0, ...ipv4] },
    { name: 'QinQ', linkType: 1, frame: [...macs, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0, ...ipv4] },
    { name: 'cooked v1', linkType: 113, frame: [...new Array<number>(14).fill(0), 8, 0, ...ipv4] },
    { name: 'cooked v2', linkType: 276, frame: [8, 0, ...new Array<number>(18).fill(0), ...ipv4] },
    { name: 'BSD loopback', linkType: 0, frame: [2, 0, 0, 0, ...ipv4] },
    { name: 'raw', linkType: 101, frame: ipv4 },
    { name: 'raw IPv4', linkType: 228, frame: ipv4 },
    { name: 'raw IPv6 with an extension header', linkType: 229, frame: ipv6 },
  ])('$name holds the segment', ({ linkType, frame }) => {
    expect(segmentOf(linkType, frame)).toMatchObject({
      sourcePort: 1000,
      targetPort: 80,
      sequence: 7,
      length: 2,
      captured: 2,
    });
  });

  test.each([
    { name: 'an unknown link type', linkType: 147, frame: ipv4, is: 'link-type' },
    { name: 'ARP', linkType: 1, frame: [...macs, 8, 6, 0, 1], is: 'not-ip' },
    { name: 'UDP', linkType: 101, frame: ipv4.with(9, 17), is: 'not-tcp' },
    { name: 'a cut header', linkType: 101, frame: ipv4.slice(0, 30), is: 'malformed' },
    {
      name: 'a header length that is too small',
      linkType: 101,
      frame: ipv4.with(0, 0x41),
      is: 'malformed',
    },
  ])('$name is skipped with a reason', ({ linkType, frame, is }) => {
    expect(segmentOf(linkType, frame)).toBe(is);
  });

  test('fragments in any order make the segment, of both IP versions', () => {
    const cut = (more: number, offset: number, data: readonly number[]): number[] => {
      const field = uint((more << 13) | offset, 2, false);
      return [
        0x45,
        0,
        ...uint(20 + data.length, 2, false),
        0,
        9,
        ...field,
        64,
        6,
        0,
        0,
        ...addresses4,
        ...data,
      ];
    };
    const cut6 = (more: number, offset: number, data: readonly number[]): number[] => {
      const head = [0x60, 0, 0, 0, ...uint(8 + data.length, 2, false), 44, 64];
      const field = uint((offset << 3) | more, 2, false);
      return [...head, ...address6, ...address6, 6, 0, ...field, 0, 0, 0, 1, ...data];
    };
    for (const make of [cut, cut6]) {
      const fragments = createFragmentTable();
      expect(segmentOf(101, make(0, 2, tcp.slice(16)), fragments)).toBe('fragment');
      expect(segmentOf(101, make(1, 0, tcp.slice(0, 16)), fragments)).toMatchObject({
        sequence: 7,
        length: 2,
      });
    }
  });

  test('no bytes make it throw', () => {
    const linkType = fc.constantFrom(0, 1, 12, 101, 108, 113, 228, 229, 276);
    fc.assert(
      fc.property(linkType, fc.uint8Array({ maxLength: 120 }), (type, bytes) => {
        expect(() => segmentOf(type, [...bytes])).not.toThrow();
      }),
      { seed, numRuns: 500 },
    );
  });
});

function classic(magic: number, isLittle: boolean, fraction: number): number[] {
  const word = (value: number) => uint(value, 4, isLittle);
  const header = [
    ...word(magic),
    2,
    0,
    4,
    0,
    ...word(0),
    ...word(0),
    ...word(65_535),
    ...word(101),
  ];
  const length = word(ipv4.length);
  return [...header, ...word(1), ...word(fraction), ...length, ...length, ...ipv4];
}

function block(type: number, isLittle: boolean, body: readonly number[]): number[] {
  const length = uint(body.length + 12, 4, isLittle);
  return [...uint(type, 4, isLittle), ...length, ...body, ...length];
}

function pcapng(isLittle: boolean, resolution: number, units: number): number[] {
  const word = (value: number) => uint(value, 4, isLittle);
  const half = (value: number) => uint(value, 2, isLittle);
  const section = [
    ...word(0x1a2b3c4d),
    ...half(1),
    ...half(0),
    ...word(2 ** 32 - 1),
    ...word(2 ** 32 - 1),
  ];
  const option = [...half(9), ...half(1), resolution, 0, 0, 0, ...half(0), ...half(0)];
  const described = [...half(101), ...half(0), ...word(0), ...option];
  const time = [...word(Math.floor(units / 2 ** 32)), ...word(units % 2 ** 32)];
  const padded = [...ipv4, 0, 0];
  const length = word(ipv4.length);
  return [
    ...block(0x0a0d0d0a, isLittle, section),
    ...block(1, isLittle, described),
    ...block(6, isLittle, [...word(0), ...time, ...length, ...length, ...padded]),
    ...block(3, isLittle, [...length, ...padded]),
  ];
}

function read(bytes: readonly number[]) {
  const packets: CapturedPacket[] = [];
  const error = readCapture(Uint8Array.from(bytes), (packet) => packets.push(packet));
  return { error, packets, times: packets.map(({ atNs }) => atNs) };
}

describe('files', () => {
  test.each([
    { name: 'pcap, µs, little', bytes: classic(0xa1b2c3d4, true, 5), times: [1_000_005_000n] },
    { name: 'pcap, µs, big', bytes: classic(0xa1b2c3d4, false, 5), times: [1_000_005_000n] },
    { name: 'pcap, ns, little', bytes: classic(0xa1b23c4d, true, 5), times: [1_000_000_005n] },
    {
      name: 'pcapng, little, ns',
      bytes: pcapng(true, 9, 5e9),
      times: [5_000_000_000n, 5_000_000_000n],
    },
    {
      name: 'pcapng, two sections of other byte order and resolution',
      bytes: [...pcapng(false, 6, 3), ...pcapng(true, 0x8a, 512)],
      times: [3000n, 3000n, 500_000_000n, 500_000_000n],
    },
  ])('$name', ({ bytes, times }) => {
    const { error, packets, times: readTimes } = read(bytes);
    expect(error).toBeUndefined();
    expect(readTimes).toEqual(times);
    expect([...(packets[0]?.bytes ?? [])]).toEqual(ipv4);
  });

  test('a file cut anywhere keeps its packets and says that it is cut', () => {
    const whole = pcapng(true, 9, 1);
    for (let at = 4; at < whole.length; at += 1) {
      const { error } = read(whole.slice(0, at));
      expect([undefined, 'truncated']).toContain(error?.code);
    }
    expect(read(whole.slice(0, -5))).toMatchObject({ error: { code: 'truncated' }, times: [1n] });
  });

  test('garbage answers a code and never throws', () => {
    expect(read([1, 2, 3, 4]).error?.code).toBe('not-a-capture');
    const files = fc.constantFrom(pcapng(true, 9, 1), classic(0xa1b2c3d4, false, 1));
    fc.assert(
      fc.property(files, fc.nat(), fc.nat(255), (file, at, byte) => {
        expect(() => read(file.with(at % file.length, byte))).not.toThrow();
      }),
      { seed, numRuns: 500 },
    );
  });
});
