import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';
import { decodeReadRequest, encodeChunkedFrames, encodeReadResponse } from './remote-read.ts';
import { REMOTE_WRITE_PROTO } from './testing/remote-write-proto.ts';
import { decodeXorChunk } from './testing/xor-chunk-reader.ts';
import { encodeXorChunk } from './xor-chunk.ts';

const root = protobuf.parse(REMOTE_WRITE_PROTO).root;
const type = (name: string): protobuf.Type => root.lookupType(name);
const halvesOf = (values: readonly number[]): Uint32Array =>
  new Uint32Array(Float64Array.from(values).buffer);

const samples = fc
  .array(
    fc.record({
      step: fc.oneof(
        fc.integer({ min: 1, max: 100 }),
        fc.constant(15_000),
        fc.integer({ min: 1, max: 2 ** 34 }),
      ),
      value: fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1, Number.NaN)),
    }),
    { minLength: 1, maxLength: 130 },
  )
  .map((list) => {
    let at = 1_700_000_000_000;
    const times = list.map(({ step }) => {
      at += step;
      return at;
    });
    return { times, values: list.map(({ value }) => value) };
  });

test('a chunk reads back as the times and the bits that went in', () => {
  fc.assert(
    fc.property(samples, ({ times, values }) => {
      const halves = halvesOf(values);
      const chunk = encodeXorChunk(Float64Array.from(times), halves, 0, times.length);
      expect(decodeXorChunk(chunk.bytes)).toEqual({ times, halves: [...halves] });
      expect([chunk.startMs, chunk.endMs]).toEqual([times[0], times.at(-1)]);
    }),
    { seed: 31, numRuns: 300 },
  );
});

test('a stale marker comes through both kinds of answer bit by bit', () => {
  const series = {
    labels: ['__name__', 'up'],
    times: Float64Array.of(1_000),
    halves: Uint32Array.of(2, 0x7ff00000),
    histograms: [],
  };
  const bytes = Buffer.from(encodeReadResponse([[series]]));
  expect(bytes.includes(Buffer.from([0x09, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f]))).toBe(true);
  const chunk = encodeXorChunk(series.times, series.halves, 0, 1);
  expect(decodeXorChunk(chunk.bytes).halves).toEqual([2, 0x7ff00000]);
});

test('a request reads as the official definition does', () => {
  const message = {
    queries: [
      {
        startTimestampMs: -5,
        endTimestampMs: 1_795_346_007_746,
        matchers: [
          { type: 0, name: '__name__', value: 'up' },
          { type: 3, name: 'job', value: 'a|b' },
        ],
      },
    ],
    acceptedResponseTypes: [1, 0, 9],
  };
  const bytes = type('ReadRequest').encode(type('ReadRequest').fromObject(message)).finish();
  expect(decodeReadRequest(bytes)).toEqual({
    queries: [
      {
        startMs: -5,
        endMs: 1_795_346_007_746,
        matchers: [
          { operator: '=', name: '__name__', value: 'up' },
          { operator: '!~', name: 'job', value: 'a|b' },
        ],
      },
    ],
    accepted: ['streamed-xor-chunks', 'samples'],
  });
  expect(decodeReadRequest(bytes.subarray(0, 20))).toMatch(/past the end/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => void decodeReadRequest(noise)),
    { seed: 32 },
  );
});

test('both answers hold the samples by the official definition', () => {
  const times = Float64Array.from({ length: 300 }, (_, at) => 1_000 * at);
  const values = [...times].map((time) => time / 7);
  const series = { labels: ['a', 'b'], times, halves: halvesOf(values), histograms: [] };
  const whole = type('ReadResponse').toObject(
    type('ReadResponse').decode(encodeReadResponse([[series], []])),
    { longs: Number, defaults: true },
  );
  expect(whole['results']).toMatchObject([
    {
      timeseries: [
        {
          labels: [{ name: 'a', value: 'b' }],
          samples: values.map((value, at) => ({ value, timestamp: times[at] })),
        },
      ],
    },
    { timeseries: [] },
  ]);
  const read: number[] = [];
  for (const frame of encodeChunkedFrames([series], 3, 500)) {
    const reader = protobuf.Reader.create(frame);
    const size = reader.uint32();
    const message = frame.subarray(reader.pos + 4);
    expect(message.length).toBe(size);
    expect(Buffer.from(frame).readUInt32BE(reader.pos)).toBe(crc32c(message));
    const chunked = type('ChunkedReadResponse').toObject(
      type('ChunkedReadResponse').decode(message),
      { longs: Number },
    );
    expect(chunked['queryIndex']).toBe(3);
    for (const { data } of chunked['chunkedSeries'][0].chunks) {
      read.push(...decodeXorChunk(data).times);
    }
  }
  expect(read).toEqual([...times]);
});

test('the checksum is the one of the standard', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
});
