import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExchangeRecord } from './exchange-record.ts';
import { replayBytes } from './replay.ts';

const seed = 20_260_101;
const encoder = new TextEncoder();
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

interface Segment {
  readonly isClient: boolean;
  readonly sequence: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
}

/** A pcap file of raw IPv4 packets, 1 ms apart, between 10.0.0.1:4000 and 10.0.0.2:80. */
function capture(segments: readonly Segment[]): Uint8Array {
  const packets = segments.map(({ isClient, sequence, flags = ACK, payload }, i) => {
    const length = payload?.length ?? 0;
    const packet = new Uint8Array(16 + 40 + length);
    const view = new DataView(packet.buffer);
    view.setUint32(0, 1_700_000_000, true);
    view.setUint32(4, i * 1000, true);
    view.setUint32(8, 40 + length, true);
    view.setUint32(12, 40 + length, true);
    packet[16] = 0x45;
    view.setUint16(18, 40 + length);
    packet[25] = 6;
    packet.set(isClient ? [10, 0, 0, 1, 10, 0, 0, 2] : [10, 0, 0, 2, 10, 0, 0, 1], 28);
    view.setUint16(36, isClient ? 4000 : 80);
    view.setUint16(38, isClient ? 80 : 4000);
    view.setUint32(40, sequence >>> 0);
    packet[48] = 0x50;
    packet[49] = flags;
    if (payload !== undefined) packet.set(payload, 56);
    return packet;
  });
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint32(20, 101, true);
  return Uint8Array.from([header, ...packets].flatMap((piece) => [...piece]));
}

function replayed(segments: readonly Segment[]) {
  const records: ExchangeRecord[] = [];
  const summary = replayBytes(capture(segments), { onExchange: (one) => records.push(one) });
  return { records, summary, said: records.map((r) => `${r.type} ${r.path} ${r.status ?? '-'}`) };
}

const get = encoder.encode('GET /a/b/c?d HTTP/1.1\r\nHost: h\r\n\r\n');
const ok = encoder.encode('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
const syn: Segment = { isClient: true, sequence: 99, flags: SYN };
const accept: Segment = { isClient: false, sequence: 499, flags: SYN | ACK };
const ask: Segment = { isClient: true, sequence: 100, payload: get };
const answer: Segment = { isClient: false, sequence: 500, payload: ok };

describe('a capture', () => {
  test('gives one record for a request and its answer', () => {
    const { records, summary } = replayed([syn, accept, ask, answer]);
    expect(records).toEqual([
      {
        start_time: '2023-11-14T22:13:20.002000000Z',
        duration_us: 1000,
        type: 'session',
        protocol: 'http1',
        client: '10.0.0.1:4000',
        server: '10.0.0.2:80',
        method: 'GET',
        path: '/a/b/c?d',
        host: 'h',
        endpoint: '/a/b',
        version: '1.1',
        status: 200,
        outcome: 'success',
        reason: 'OK',
        result: '',
        trace_id: '',
        span_id: '',
        parent_span_id: '',
        x_request_id_0: '',
        x_request_id_1: '',
        client_ip: '',
        request_length: undefined,
        response_length: 2,
        request_headers: [['host', 'h']],
        response_headers: [['content-length', '2']],
        is_lossy: false,
      },
    ]);
    expect(summary).toMatchObject({ packets: 4, connections: 1, exchanges: 1 });
  });

  test.each([
    { name: 'begins in the middle', segments: [ask, answer] },
    { name: 'begins with the answer to SYN', segments: [accept, ask, answer] },
    {
      name: 'begins with the end of another answer',
      segments: [{ ...answer, sequence: 490, payload: encoder.encode('0123456789') }, ask, answer],
    },
  ])('that $name still tells the client', ({ segments }) => {
    const { records } = replayed(segments);
    expect(records).toMatchObject([{ type: 'session', client: '10.0.0.1:4000' }]);
  });

  test('with ports used again has two connections', () => {
    const fin: Segment = { isClient: true, sequence: 100 + get.length, flags: FIN | ACK };
    const again = { ...syn, sequence: 8999 };
    const second = { ...ask, sequence: 9000 };
    const { said, summary } = replayed([syn, accept, ask, answer, fin, again, second]);
    expect(said).toEqual(['session /a/b/c?d 200', 'request /a/b/c?d -']);
    expect(summary.connections).toBe(2);
  });

  test('with a reset ends the request without an answer', () => {
    const reset: Segment = { isClient: false, sequence: 500, flags: RST };
    const both = [reset, { ...reset, isClient: true, sequence: 100 + get.length }];
    expect(replayed([syn, accept, ask, ...both]).said).toEqual(['request /a/b/c?d -']);
  });

  test('with a hole that is never filled goes on after it, marked', () => {
    const long = encoder.encode(`HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n${'x'.repeat(300)}`);
    const first = { ...answer, payload: long.subarray(0, 100) };
    const last = { ...answer, sequence: 500 + 200, payload: long.subarray(200) };
    const { records, summary } = replayed([syn, accept, ask, first, last]);
    expect(records).toMatchObject([{ type: 'session', status: 200, is_lossy: true }]);
    expect(summary.reassembly.gaps).toBe(1);
  });
});

describe('laws', () => {
  const piece = fc.record({ at: fc.nat(), length: fc.nat(30), order: fc.nat() });
  const pieces = fc.array(piece, { maxLength: 8 });

  /** All of `bytes` in segments of 10, more that overlap them, in an order by chance. */
  function shuffled(
    isClient: boolean,
    start: number,
    bytes: Uint8Array,
    extra: readonly { at: number; length: number; order: number }[],
  ): Segment[] {
    const cuts = Array.from({ length: Math.ceil(bytes.length / 10) }, (_, i) => ({
      from: i * 10,
      to: Math.min(i * 10 + 10, bytes.length),
      order: extra[i % Math.max(1, extra.length)]?.order ?? i,
    }));
    const overlaps = extra.map(({ at, length, order }) => {
      const from = at % bytes.length;
      return { from, to: Math.min(from + length + 1, bytes.length), order: order + 1 };
    });
    return [...cuts, ...overlaps]
      .sort((a, b) => a.order - b.order)
      .map(({ from, to }) => ({
        isClient,
        sequence: start + from,
        payload: bytes.subarray(from, to),
      }));
  }

  test('any order, repetition and overlap of segments gives the same exchanges', () => {
    const starts = fc.constantFrom(100, 2 ** 31 - 20, 2 ** 32 - 1, 2 ** 32 - 20);
    fc.assert(
      fc.property(starts, starts, pieces, pieces, (client, server, asked, answered) => {
        const { records, summary } = replayed([
          { ...syn, sequence: client - 1 },
          { ...accept, sequence: server - 1 },
          ...shuffled(true, client, get, asked),
          ...shuffled(false, server, ok, answered),
          ...shuffled(true, client + get.length, get, answered),
          ...shuffled(false, server + ok.length, ok, asked),
        ]);
        expect(
          records.map(({ type, path, status, is_lossy }) => [type, path, status, is_lossy]),
        ).toEqual([
          ['session', '/a/b/c?d', 200, false],
          ['session', '/a/b/c?d', 200, false],
        ]);
        expect(summary.reassembly.gaps).toBe(0);
      }),
      { seed, numRuns: 200 },
    );
  });
});
