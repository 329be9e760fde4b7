import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { decodeHistogram } from './histogram.ts';
import {
  decodeLabels,
  decodeWriteRequest,
  METRIC_TYPES,
  type RemoteWriteSink,
} from './remote-write.ts';
import { decodeWriteRequestV2 } from './remote-write-v2.ts';
import { createSnappyDecoder } from './snappy.ts';
import { REMOTE_WRITE_PROTO } from './testing/remote-write-proto.ts';

const root = protobuf.parse(REMOTE_WRITE_PROTO, { keepCase: false }).root;
const WriteRequest = root.lookupType('WriteRequest');
const RequestV2 = root.lookupType('RequestV2');
const HistogramMessage = root.lookupType('Histogram');
const LIMITS = { labelsMax: 64 };
const STALE = [2, 0x7ff00000] as const;

interface Taken {
  labels: readonly string[];
  samples: [ms: number, low: number, high: number][];
  histograms: unknown[];
  exemplars: unknown[];
  metadata: unknown[];
}

interface Collector {
  readonly sink: RemoteWriteSink;
  readonly series: Taken[];
  readonly metadata: unknown[];
  /** Labels as their bytes, for a collector that knows them. */
  readonly spelled: Uint8Array[];
}

/** `known`: labels that it recognises, in this order. */
function collector(known: readonly Uint8Array[] = []): Collector {
  const series: Taken[] = [];
  const metadata: unknown[] = [];
  const spelled: Uint8Array[] = [];
  let isGuess = false;
  let next = 0;
  const begin = (labels: readonly string[]): boolean => {
    // The reader may not follow a guess.
    if (isGuess) series.pop();
    isGuess = false;
    series.push({ labels, samples: [], histograms: [], exemplars: [], metadata: [] });
    return true;
  };
  const sink: RemoteWriteSink = {
    seriesAgain: (view, start, end) => {
      const labels = known[next];
      next += 1;
      if (labels === undefined || labels.length > end - start) return -1;
      const given = new Uint8Array(view.buffer, view.byteOffset + start, labels.length);
      if (Buffer.compare(given, labels) !== 0) return -1;
      isGuess = false;
      begin(decodeLabels(labels, 0, labels.length) ?? ['malformed']);
      isGuess = true;
      return start + labels.length;
    },
    seriesBytes: (bytes, start, end) => {
      spelled.push(bytes.slice(start, end));
      return begin(decodeLabels(bytes, start, end) ?? ['malformed']);
    },
    seriesLabels: begin,
    sample: (...sample) => {
      isGuess = false;
      series.at(-1)?.samples.push(sample);
    },
    histogram: (ms, bytes, start, end) =>
      series.at(-1)?.histograms.push([ms, decodeHistogram(bytes.subarray(start, end))?.count]),
    exemplar: (...exemplar) => series.at(-1)?.exemplars.push(exemplar),
    metadata: (...entry) => (series.at(-1)?.metadata ?? metadata).push(entry),
  };
  return { sink, series, metadata, spelled };
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const time = fc.integer({ min: -(2 ** 40), max: 2 ** 50 });
const double = fc.double({ noNaN: true });
const label = fc.record({ name: text, value: text });
const sample = fc.record({ value: double, timestamp: time });
const exemplar = fc.record({
  labels: fc.array(label, { maxLength: 3 }),
  value: double,
  timestamp: time,
});
const histogram = fc.record({ countInt: fc.nat(1e6), sum: double, timestamp: time });
const timeseries = fc.record({
  labels: fc.array(label, { maxLength: 6 }),
  samples: fc.array(sample, { maxLength: 4 }),
  exemplars: fc.array(exemplar, { maxLength: 2 }),
  histograms: fc.array(histogram, { maxLength: 2 }),
});
const flat = (labels: { name: string; value: string }[]): string[] =>
  labels.flatMap(({ name, value }) => [name, value]);
const bitsOf = (value: number): number[] => [...new Uint32Array(Float64Array.of(value).buffer)];

test('a 1.0 request reads as the official definition does', () => {
  const request = fc.record({ timeseries: fc.array(timeseries, { maxLength: 5 }) });
  fc.assert(
    fc.property(request, (message) => {
      const { sink, series } = collector();
      const bytes = WriteRequest.encode(WriteRequest.fromObject(message)).finish();
      expect(decodeWriteRequest(bytes, sink, LIMITS)).toBe('');
      expect(series).toEqual(
        message.timeseries.map((one) => ({
          labels: flat(one.labels),
          samples: one.samples.map(({ value, timestamp }) => [timestamp, ...bitsOf(value)]),
          histograms: one.histograms.map(({ countInt, timestamp }) => [timestamp, countInt]),
          exemplars: one.exemplars.map((e) => [e.timestamp, e.value, flat(e.labels)]),
          metadata: [],
        })),
      );
    }),
    { seed: 11, numRuns: 200 },
  );
});

test('a series whose labels are known reads as one whose labels are not', () => {
  const now = fc.integer({ min: 2 ** 34, max: 2 ** 43 });
  const floats = fc.record({
    labels: fc.array(label, { maxLength: 3 }),
    samples: fc.array(fc.record({ value: double, timestamp: now }), { maxLength: 3 }),
  });
  const list = fc.array(fc.oneof({ weight: 4, arbitrary: floats }, timeseries), { maxLength: 8 });
  fc.assert(
    fc.property(list, fc.nat(), fc.nat(), (series, cut, stranger) => {
      const bytes = WriteRequest.encode(WriteRequest.fromObject({ timeseries: series })).finish();
      const first = collector();
      expect(decodeWriteRequest(bytes, first.sink, LIMITS)).toBe('');
      const second = collector(first.spelled);
      expect(decodeWriteRequest(bytes, second.sink, LIMITS)).toBe('');
      expect(second.series).toEqual(first.series);
      // Beginnings of labels, and labels of other series, are no labels.
      const wrong = first.spelled.map((labels, at) =>
        at === stranger % 8 ? labels : labels.slice(0, cut),
      );
      const third = collector(wrong);
      expect(decodeWriteRequest(bytes, third.sink, LIMITS)).toBe('');
      expect(third.series).toEqual(first.series);
      const part = bytes.subarray(0, cut % (bytes.length + 1));
      const [one, other] = [collector(), collector(first.spelled)];
      expect(decodeWriteRequest(part, other.sink, LIMITS)).toBe(
        decodeWriteRequest(part, one.sink, LIMITS),
      );
    }),
    { seed: 14, numRuns: 300 },
  );
});

test('a 2.0 request says the same through its symbols, wherever they stand', () => {
  const request = fc.array(timeseries, { maxLength: 5 });
  fc.assert(
    fc.property(request, fc.boolean(), (list, isLate) => {
      const symbols = ['', 'help', 'unit'];
      const refs = (labels: { name: string; value: string }[]): number[] =>
        flat(labels).map((word) => symbols.push(word) - 1);
      const seriesV2 = list.map((one) => ({
        ...one,
        labelsRefs: refs(one.labels),
        exemplars: one.exemplars.map((e) => ({ ...e, labelsRefs: refs(e.labels) })),
        metadata: { type: 1, helpRef: 1, unitRef: 2 },
      }));
      const parts = [
        RequestV2.encode(RequestV2.fromObject({ symbols })).finish(),
        RequestV2.encode(RequestV2.fromObject({ timeseries: seriesV2 })).finish(),
      ];
      if (isLate) parts.reverse();
      const { sink, series } = collector();
      expect(decodeWriteRequestV2(Buffer.concat(parts), sink, LIMITS)).toBe('');
      expect(series).toEqual(
        list.map((one) => ({
          labels: flat(one.labels),
          samples: one.samples.map(({ value, timestamp }) => [timestamp, ...bitsOf(value)]),
          histograms: one.histograms.map(({ countInt, timestamp }) => [timestamp, countInt]),
          exemplars: one.exemplars.map((e) => [e.timestamp, e.value, flat(e.labels)]),
          metadata: [['', 'counter', 'help', 'unit']],
        })),
      );
    }),
    { seed: 12, numRuns: 200 },
  );
});

test('metadata of 1.0 has the type names of Prometheus', () => {
  const metadata = METRIC_TYPES.map((_, type) => ({
    type,
    metricFamilyName: `m${type}`,
    help: 'h',
    unit: 's',
  }));
  const taken = collector();
  const bytes = WriteRequest.encode(WriteRequest.fromObject({ metadata })).finish();
  expect(decodeWriteRequest(bytes, taken.sink, LIMITS)).toBe('');
  expect(taken.metadata).toEqual(METRIC_TYPES.map((type, at) => [`m${at}`, type, 'h', 's']));
});

test('labels behind samples belong to their series all the same', () => {
  const { sink, series } = collector();
  const sampleOnly = WriteRequest.encode(
    WriteRequest.fromObject({ timeseries: [{ samples: [{ value: 1, timestamp: 5 }] }] }),
  ).finish();
  const labelOnly = WriteRequest.encode(
    WriteRequest.fromObject({ timeseries: [{ labels: [{ name: 'a', value: 'b' }] }] }),
  ).finish();
  const body = Buffer.concat([sampleOnly.subarray(2), labelOnly.subarray(2)]);
  const bytes = Buffer.concat([Buffer.from([0x0a, body.length]), body]);
  expect(decodeWriteRequest(bytes, sink, LIMITS)).toBe('');
  expect(series).toMatchObject([{ labels: ['a', 'b'], samples: [[5, ...bitsOf(1)]] }]);
});

test('a stale marker keeps its bits', () => {
  const { sink, series } = collector();
  const bytes = Buffer.from([0x0a, 13, 0x12, 11, 0x09, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f, 0x10, 9]);
  expect(decodeWriteRequest(bytes, sink, LIMITS)).toBe('');
  expect(series[0]?.samples).toEqual([[9, ...STALE]]);
});

test('too many labels, an unknown symbol and a cut message are faults, never a throw', () => {
  const many = Array.from({ length: 65 }, (_, at) => ({ name: `n${at}`, value: 'v' }));
  const encoded = WriteRequest.encode(
    WriteRequest.fromObject({ timeseries: [{ labels: many }] }),
  ).finish();
  expect(decodeWriteRequest(encoded, collector().sink, LIMITS)).toMatch(
    /65 labels, the most is 64/,
  );
  const unknown = RequestV2.encode(
    RequestV2.fromObject({ symbols: [''], timeseries: [{ labelsRefs: [7, 0] }] }),
  ).finish();
  expect(decodeWriteRequestV2(unknown, collector().sink, LIMITS)).toMatch(/symbol 7 of 1/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => {
      decodeWriteRequest(noise, collector().sink, LIMITS);
      decodeWriteRequestV2(noise, collector().sink, LIMITS);
      decodeHistogram(noise);
      decodeWriteRequest(encoded.subarray(0, noise.length), collector().sink, LIMITS);
    }),
    { seed: 13, numRuns: 500 },
  );
});

test('a histogram gives absolute counts, integer or float, as the definition says', () => {
  const spans = [
    { offset: -2, length: 2 },
    { offset: 3, length: 1 },
  ];
  const integer = {
    schema: 3,
    countInt: 9,
    sum: 1.5,
    zeroCountInt: 1,
    zeroThreshold: 0.1,
    positiveSpans: spans,
    positiveDeltas: [2, 1, -1],
    resetHint: 2,
    timestamp: 77,
  };
  const float = {
    schema: -53,
    countFloat: 4.5,
    sum: -1,
    negativeSpans: [{ offset: 0, length: 2 }],
    negativeCounts: [1.5, 3],
    customValues: [0.1, 1],
    timestamp: 78,
  };
  const read = (message: object) =>
    decodeHistogram(HistogramMessage.encode(HistogramMessage.fromObject(message)).finish());
  expect(read(integer)).toMatchObject({
    schema: 3,
    count: 9,
    zeroCount: 1,
    positiveCounts: [2, 3, 2],
    positiveSpans: spans,
    resetHint: 'not-reset',
    timestampMs: 77,
  });
  expect(read(float)).toMatchObject({
    schema: -53,
    count: 4.5,
    negativeCounts: [1.5, 3],
    customValues: [0.1, 1],
  });
  expect(read({ ...integer, positiveDeltas: [2] })).toBeUndefined();
});

const PAYLOADS = new URL(
  '../../../../../shared/conformance/apisix/payloads/remote-write/',
  import.meta.url,
);

test.each([
  '01-samples-first',
  '02-samples-middle',
  '03-metadata',
  '05-small-relabelled',
  '06-small-relabelled-stale',
])('what a real Prometheus sent is counted as it was recorded: %s', (name) => {
  if (!existsSync(PAYLOADS)) {
    throw new Error(`${PAYLOADS.pathname} is missing: check out ../shared beside the project`);
  }
  const recorded: unknown = JSON.parse(
    readFileSync(new URL(`${name}.request.json`, PAYLOADS), 'utf8'),
  );
  const plain = createSnappyDecoder(1e6).decode(readFileSync(new URL(`${name}.snappy`, PAYLOADS)));
  if (plain.kind === 'invalid') throw new Error(plain.message);
  const { sink, series, metadata } = collector();
  expect(decodeWriteRequest(plain.bytes, sink, LIMITS)).toBe('');
  const samples = series.flatMap((one) => one.samples);
  const read: Record<string, number> = {
    uncompressed_bytes: plain.bytes.length,
    timeseries: series.length,
    samples: samples.length,
    metadata: metadata.length,
    stale_markers: samples.filter(([, low, high]) => low === STALE[0] && high === STALE[1]).length,
  };
  // Not every recording counts everything.
  const told = Object.entries(recorded as object).filter(([key]) => key in read);
  expect(told.length).toBeGreaterThanOrEqual(3);
  expect(read).toMatchObject(Object.fromEntries(told));
});
