import {
  type ProtoCursor,
  protoCursor,
  protoFault,
  readDouble,
  readFixed64,
  readLengthEnd,
  readSignedVarint,
  readTag,
  readVarint,
  skipField,
} from '../protobuf/reader.ts';
import { type KnownSeries, readKnownSeries } from './known-series.ts';

/** Types of metrics, at the number that both versions of the protocol give them. */
export const METRIC_TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

/** Flat: name, value, name, value, … as the sender ordered them. */
export type FlatLabels = readonly string[];

/**
 * Takes what a request holds, in its order. `bytes` is the message; offsets are good during the call
 * only.
 */
export interface RemoteWriteSink extends KnownSeries {
  /**
   * A series begins; its labels are the `Label` fields in `bytes` from `start` to `end`, the same
   * bytes in each request of a sender: a key that needs no decoding. False: skip its content.
   */
  seriesBytes(bytes: Uint8Array, start: number, end: number): boolean;
  /** A series of version 2.0 begins: labels were spelled through the table of symbols. */
  seriesLabels(labels: FlatLabels): boolean;
  /** The value as its 64 bits: a stale marker is a NaN that a number may not carry. */
  sample(timestampMs: number, low: number, high: number): void;
  /** The message `Histogram` from `start` to `end`; both versions spell it alike. */
  histogram(timestampMs: number, bytes: Uint8Array, start: number, end: number): void;
  exemplar(timestampMs: number, value: number, labels: FlatLabels): void;
  /** Of a metric (1.0) or of the series that began last (2.0: `metric` is ''). */
  metadata(metric: string, type: MetricType, help: string, unit: string): void;
}

export interface RemoteWriteLimits {
  /** Labels of one series or exemplar. */
  readonly labelsMax: number;
}

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

const SERIES = 0x0a;
const METADATA = 0x1a;
const LABEL = 0x0a;

/**
 * Reads prometheus.WriteRequest (remote write 1.0). Answers what is malformed, or ''. What came
 * before the fault has gone to the sink: the caller drops it all.
 */
export function decodeWriteRequest(
  bytes: Uint8Array,
  sink: RemoteWriteSink,
  limits: RemoteWriteLimits,
): string {
  const cursor = protoCursor(bytes);
  const next = (): number => {
    cursor.at = readKnownSeries(cursor.view, cursor.at, sink);
    return readTag(cursor);
  };
  for (let tag = next(); tag !== 0; tag = next()) {
    if (tag === SERIES) {
      // As `nested`, without a closure for each series.
      const end = readLengthEnd(cursor);
      cursor.end = end;
      readSeries(cursor, sink, limits);
      cursor.end = bytes.length;
      cursor.at = cursor.fault === '' ? end : bytes.length;
    } else if (tag === METADATA) nested(cursor, () => readMetadata(cursor, sink));
    else skipField(cursor, tag);
  }
  return cursor.fault;
}

/** Reads a message behind its length. A fault leaves the cursor at its end. */
export function nested(cursor: ProtoCursor, read: () => void): void {
  const outer = cursor.end;
  const end = readLengthEnd(cursor);
  cursor.end = end;
  read();
  cursor.end = outer;
  cursor.at = cursor.fault === '' ? end : outer;
}

function readSeries(cursor: ProtoCursor, sink: RemoteWriteSink, limits: RemoteWriteLimits): void {
  const { bytes } = cursor;
  const start = cursor.at;
  let count = 0;
  // Senders write all labels first, one behind the other.
  while (cursor.at < cursor.end && bytes[cursor.at] === LABEL) {
    cursor.at += 1;
    cursor.at = readLengthEnd(cursor);
    count += 1;
  }
  if (count > limits.labelsMax) {
    protoFault(cursor, `a series of ${count} labels, the most is ${limits.labelsMax}`);
  }
  if (cursor.fault !== '') return;
  const labelsEnd = cursor.at;
  if (hasLaterLabel(cursor)) {
    readSeries(protoLabelsFirst(cursor, start), sink, limits);
    return;
  }
  if (!sink.seriesBytes(bytes, start, labelsEnd)) {
    cursor.at = cursor.end;
    return;
  }
  readPoints(cursor, sink);
}

function readPoints(cursor: ProtoCursor, sink: RemoteWriteSink): void {
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    switch (tag) {
      case 0x12:
        readSample(cursor, sink);
        break;
      case 0x1a:
        nested(cursor, () => readExemplar(cursor, sink));
        break;
      case 0x22:
        nested(cursor, () => readHistogram(cursor, sink));
        break;
      default:
        skipField(cursor, tag);
    }
  }
}

/** Whether a label stands behind other fields: legal, and nobody does it. */
function hasLaterLabel(cursor: ProtoCursor): boolean {
  const { at } = cursor;
  let isLater = false;
  for (let tag = readTag(cursor); tag !== 0 && !isLater; tag = readTag(cursor)) {
    isLater = tag === LABEL;
    skipField(cursor, tag);
  }
  if (cursor.fault === '') cursor.at = at;
  return isLater && cursor.fault === '';
}

/** The same message with its labels in front. */
function protoLabelsFirst(cursor: ProtoCursor, start: number): ProtoCursor {
  const { bytes, end } = cursor;
  const labels: Uint8Array[] = [];
  const others: Uint8Array[] = [];
  cursor.at = start;
  for (let from = start; from < end; from = cursor.at) {
    const tag = readTag(cursor);
    skipField(cursor, tag);
    (tag === LABEL ? labels : others).push(bytes.subarray(from, cursor.at));
  }
  const sorted = new Uint8Array(end - start);
  let at = 0;
  for (const part of [...labels, ...others]) {
    sorted.set(part, at);
    at += part.length;
  }
  return protoCursor(sorted);
}

/** A `Sample`: value 1 (double), timestamp 2 (int64). Hot. */
export function readSample(cursor: ProtoCursor, sink: RemoteWriteSink): void {
  const outer = cursor.end;
  const end = readLengthEnd(cursor);
  cursor.end = end;
  let timestampMs = 0;
  let low = 0;
  let high = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x09) {
      low = readFixed64(cursor);
      high = cursor.high;
    } else if (tag === 0x10) timestampMs = readSignedVarint(cursor);
    else skipField(cursor, tag);
  }
  cursor.end = outer;
  if (cursor.fault === '') sink.sample(timestampMs, low, high);
  else cursor.at = outer;
}

/** Only the timestamp (15) is looked for: the message is kept as it is. */
export function readHistogram(cursor: ProtoCursor, sink: RemoteWriteSink): void {
  const start = cursor.at;
  let timestampMs = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x78) timestampMs = readSignedVarint(cursor);
    else skipField(cursor, tag);
  }
  if (cursor.fault === '') sink.histogram(timestampMs, cursor.bytes, start, cursor.end);
}

function readExemplar(cursor: ProtoCursor, sink: RemoteWriteSink): void {
  const labels: string[] = [];
  let value = 0;
  let timestampMs = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) nested(cursor, () => readLabel(cursor, labels));
    else if (tag === 0x11) value = readDouble(cursor);
    else if (tag === 0x18) timestampMs = readSignedVarint(cursor);
    else skipField(cursor, tag);
  }
  if (cursor.fault === '') sink.exemplar(timestampMs, value, labels);
}

function readLabel(cursor: ProtoCursor, labels: string[]): void {
  let name = '';
  let value = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) name = readText(cursor);
    else if (tag === 0x12) value = readText(cursor);
    else skipField(cursor, tag);
  }
  labels.push(name, value);
}

/** Labels of a series that `seriesBytes` named. Undefined when they are malformed. */
export function decodeLabels(
  bytes: Uint8Array,
  start: number,
  end: number,
): FlatLabels | undefined {
  const cursor = protoCursor(bytes);
  cursor.at = start;
  cursor.end = end;
  const labels: string[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    nested(cursor, () => readLabel(cursor, labels));
  }
  return cursor.fault === '' ? labels : undefined;
}

function readMetadata(cursor: ProtoCursor, sink: RemoteWriteSink): void {
  let type = 0;
  let metric = '';
  let help = '';
  let unit = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) type = readVarint(cursor);
    else if (tag === 0x12) metric = readText(cursor);
    else if (tag === 0x22) help = readText(cursor);
    else if (tag === 0x2a) unit = readText(cursor);
    else skipField(cursor, tag);
  }
  if (cursor.fault === '') sink.metadata(metric, METRIC_TYPES[type] ?? 'unknown', help, unit);
}

/** UTF-8; what is not becomes U+FFFD. */
export function readText(cursor: ProtoCursor): string {
  const end = readLengthEnd(cursor);
  const text = decoder.decode(cursor.bytes.subarray(cursor.at, end));
  cursor.at = end;
  return text;
}
