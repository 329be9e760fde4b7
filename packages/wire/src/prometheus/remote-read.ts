import {
  type ProtoCursor,
  protoCursor,
  readSignedVarint,
  readTag,
  readVarint,
  skipField,
} from '../protobuf/reader.ts';
import { createProtoWriter, type ProtoWriter } from '../protobuf/writer.ts';
import { crc32c } from './crc32c.ts';
import { type FlatLabels, nested, readText } from './remote-write.ts';
import { CHUNK_SAMPLES, encodeXorChunk } from './xor-chunk.ts';

export interface ReadMatcher {
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly name: string;
  readonly value: string;
}

export interface ReadQuery {
  /** Both inclusive. */
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly ReadMatcher[];
}

export type ReadResponseType = 'samples' | 'streamed-xor-chunks';

export interface ReadRequest {
  readonly queries: readonly ReadQuery[];
  /** In the order of preference; `samples` when the client names none. */
  readonly accepted: readonly ReadResponseType[];
}

/** A series as an answer holds it. `halves` are the values' bits, low half first. */
export interface ReadSeries {
  readonly labels: FlatLabels;
  readonly times: Float64Array;
  readonly halves: Uint32Array;
  /** Messages prometheus.Histogram, as they were written. */
  readonly histograms: readonly Uint8Array[];
}

const QUERIES_MAX = 64;
const MATCHERS_MAX = 64;
const OPERATORS = ['=', '!=', '=~', '!~'] as const;
const TYPES: readonly ReadResponseType[] = ['samples', 'streamed-xor-chunks'];

/** Reads prometheus.ReadRequest. A string says what is malformed. */
export function decodeReadRequest(bytes: Uint8Array): ReadRequest | string {
  const cursor = protoCursor(bytes);
  const queries: ReadQuery[] = [];
  const accepted: ReadResponseType[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) nested(cursor, () => queries.push(readQuery(cursor)));
    else if (tag === 0x10) pushType(accepted, readVarint(cursor));
    else if (tag === 0x12) {
      nested(cursor, () => {
        while (cursor.at < cursor.end) pushType(accepted, readVarint(cursor));
      });
    } else skipField(cursor, tag);
    if (queries.length > QUERIES_MAX) return `more queries than ${QUERIES_MAX}`;
  }
  if (cursor.fault !== '') return cursor.fault;
  if (queries.some(({ matchers }) => matchers.length > MATCHERS_MAX)) {
    return `more matchers than ${MATCHERS_MAX}`;
  }
  return { queries, accepted: accepted.length === 0 ? ['samples'] : accepted };
}

/** Types of newer clients are passed over. */
function pushType(accepted: ReadResponseType[], number: number): void {
  const type = TYPES[number];
  if (type !== undefined && accepted.length < TYPES.length) accepted.push(type);
}

function readQuery(cursor: ProtoCursor): ReadQuery {
  let startMs = 0;
  let endMs = 0;
  const matchers: ReadMatcher[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) startMs = readSignedVarint(cursor);
    else if (tag === 0x10) endMs = readSignedVarint(cursor);
    else if (tag === 0x1a) nested(cursor, () => matchers.push(readMatcher(cursor)));
    else skipField(cursor, tag);
  }
  return { startMs, endMs, matchers };
}

function readMatcher(cursor: ProtoCursor): ReadMatcher {
  let type = 0;
  let name = '';
  let value = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) type = readVarint(cursor);
    else if (tag === 0x12) name = readText(cursor);
    else if (tag === 0x1a) value = readText(cursor);
    else skipField(cursor, tag);
  }
  return { operator: OPERATORS[type] ?? '=', name, value };
}

/** prometheus.ReadResponse, not compressed: a result for each query, in order. */
export function encodeReadResponse(
  results: readonly (readonly ReadSeries[])[],
): Uint8Array<ArrayBuffer> {
  const writer = createProtoWriter();
  for (const result of results) {
    writer.messageField(1, () => {
      for (const series of result) writer.messageField(1, () => writeSeries(writer, series));
    });
  }
  return writer.finish();
}

function writeSeries(writer: ProtoWriter, series: ReadSeries): void {
  const { times, halves } = series;
  writeLabels(writer, series.labels);
  for (let i = 0; i < times.length; i += 1) {
    writer.messageField(2, () => {
      writer.doubleBitsField(1, halves[2 * i] ?? 0, halves[2 * i + 1] ?? 0);
      writer.signedField(2, times[i] ?? 0);
    });
  }
  for (const histogram of series.histograms) writer.bytesField(4, histogram);
}

function writeLabels(writer: ProtoWriter, labels: FlatLabels): void {
  for (let i = 0; i < labels.length; i += 2) {
    writer.messageField(1, () => {
      writer.textField(1, labels[i] ?? '');
      writer.textField(2, labels[i + 1] ?? '');
    });
  }
}

/**
 * Frames of prometheus.ChunkedReadResponse for the series of one query: each has its length, the
 * checksum and at most about `bytesMax` of chunks. Histograms have no place in XOR chunks: a series
 * that has some must be answered with samples.
 */
export function* encodeChunkedFrames(
  series: readonly ReadSeries[],
  queryIndex: number,
  bytesMax: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (const { labels, times, halves } of series) {
    let from = 0;
    while (from < times.length) {
      const writer = createProtoWriter();
      writer.messageField(1, () => {
        writeLabels(writer, labels);
        for (let bytes = 0; from < times.length && bytes < bytesMax; ) {
          const to = Math.min(from + CHUNK_SAMPLES, times.length);
          const chunk = encodeXorChunk(times, halves, from, to);
          writer.messageField(2, () => {
            writer.signedField(1, chunk.startMs);
            writer.signedField(2, chunk.endMs);
            writer.varintField(3, 1);
            writer.bytesField(4, chunk.bytes);
          });
          bytes += chunk.bytes.length;
          from = to;
        }
      });
      writer.varintField(2, queryIndex);
      yield frame(writer.finish());
    }
  }
}

/** Length (varint), CRC-32C (big endian), message. */
function frame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const head: number[] = [];
  let rest = message.length;
  while (rest >= 0x80) {
    head.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  const sum = crc32c(message);
  head.push(rest, sum >>> 24, (sum >>> 16) & 0xff, (sum >>> 8) & 0xff, sum & 0xff);
  const framed = new Uint8Array(head.length + message.length);
  framed.set(head);
  framed.set(message, head.length);
  return framed;
}
