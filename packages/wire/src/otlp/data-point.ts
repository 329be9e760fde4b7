import {
  type ProtoCursor,
  readDouble,
  readFixed64,
  readTag,
  readVarint,
} from '../protobuf/reader.ts';
import {
  type AttributeList,
  createAttributeList,
  createRange,
  type Range,
  readAttribute,
  readRange,
  skipOther,
} from './any-value.ts';
import { type MetricKind, readDoubles, readFixed64s, readSint, readVarints } from './metric.ts';
import { nested } from './records.ts';
import { clear, type NanoTime, readTime } from './span.ts';

// The data points of every kind in one view. Source: opentelemetry-proto, metrics/v1/metrics.proto.

export interface OtlpBuckets {
  offset: number;
  counts: number[];
}

/** One data point, reused; which members hold depends on the metric's kind. */
export interface OtlpPoint {
  readonly attributes: AttributeList;
  readonly time: NanoTime;
  flags: number;
  /** gauge, sum. Undefined when the sender gave none. */
  value: number | undefined;
  /** The others. */
  count: number;
  sum: number | undefined;
  /** histogram: one count more than bounds. */
  counts: number[];
  bounds: number[];
  /** exponential */
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  readonly positive: OtlpBuckets;
  readonly negative: OtlpBuckets;
  /** summary: quantile, value, quantile, value, … */
  quantiles: number[];
  exemplars: Range[];
}

export interface OtlpExemplar {
  readonly time: NanoTime;
  value: number;
  readonly traceId: Range;
  readonly spanId: Range;
}

/** flags: the point says that its series has ended. */
export const FLAG_NO_VALUE = 1;

export function createPoint(): OtlpPoint {
  return {
    attributes: createAttributeList(),
    time: { low: 0, high: 0 },
    flags: 0,
    value: undefined,
    count: 0,
    sum: undefined,
    counts: [],
    bounds: [],
    scale: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive: { offset: 0, counts: [] },
    negative: { offset: 0, counts: [] },
    quantiles: [],
    exemplars: [],
  };
}

function clearPoint(point: OtlpPoint): void {
  point.attributes.count = point.flags = point.count = point.scale = point.zeroCount = 0;
  point.time.low = point.time.high = point.zeroThreshold = 0;
  point.value = point.sum = undefined;
  point.counts = [];
  point.bounds = [];
  point.quantiles = [];
  point.exemplars = [];
  point.positive.offset = point.negative.offset = 0;
  point.positive.counts = [];
  point.negative.counts = [];
}

type Read = (cursor: ProtoCursor, point: OtlpPoint, tag: number) => void;

/** What a field of a point does, by kind and field number. Times are fields 2 and 3 everywhere. */
const FIELDS: Readonly<Record<MetricKind, Readonly<Record<number, Read>>>> = {
  none: {},
  gauge: numberFields(),
  sum: numberFields(),
  histogram: {
    4: count,
    5: sum,
    6: (cursor, point, tag) => readFixed64s(cursor, tag, point.counts),
    7: (cursor, point, tag) => readDoubles(cursor, tag, point.bounds),
    8: exemplar,
    9: attribute,
    10: flags,
  },
  exponential: {
    1: attribute,
    4: count,
    5: sum,
    6: (cursor, point) => {
      point.scale = readSint(cursor);
    },
    7: (cursor, point) => {
      point.zeroCount = unsigned(cursor);
    },
    8: (cursor, point) => readBuckets(cursor, point.positive),
    9: (cursor, point) => readBuckets(cursor, point.negative),
    10: flags,
    11: exemplar,
    14: (cursor, point) => {
      point.zeroThreshold = readDouble(cursor);
    },
  },
  summary: {
    4: count,
    5: sum,
    6: (cursor, point) => readQuantile(cursor, point.quantiles),
    7: attribute,
    8: flags,
  },
};

function numberFields(): Readonly<Record<number, Read>> {
  return {
    4: (cursor, point) => {
      point.value = readDouble(cursor);
    },
    5: exemplar,
    6: (cursor, point) => {
      point.value = signed(cursor);
    },
    7: attribute,
    8: flags,
  };
}

/** Wire types of the fields above: those that are not here come with a length. */
const WIRE_TYPES: Readonly<Record<MetricKind, Readonly<Record<number, number>>>> = {
  none: {},
  gauge: { 4: 1, 6: 1, 8: 0 },
  sum: { 4: 1, 6: 1, 8: 0 },
  histogram: { 4: 1, 5: 1, 10: 0 },
  exponential: { 4: 1, 5: 1, 6: 0, 7: 1, 10: 0, 14: 1 },
  summary: { 4: 1, 5: 1, 8: 0 },
};
/** Repeated numbers may come one by one. */
const ALSO_FIXED64: Readonly<Record<MetricKind, readonly number[]>> = {
  none: [],
  gauge: [],
  sum: [],
  histogram: [6, 7],
  exponential: [],
  summary: [],
};

/** Reads the point in `range`; the cursor stays where it is. */
export function readPoint(
  cursor: ProtoCursor,
  range: Range,
  kind: MetricKind,
  point: OtlpPoint,
): void {
  clearPoint(point);
  const { at, end } = cursor;
  cursor.at = range.from;
  cursor.end = range.to;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    const field = tag >>> 3;
    const read = FIELDS[kind][field];
    const wireType = WIRE_TYPES[kind][field] ?? 2;
    if (tag === 25) readTime(cursor, point.time);
    else if (read === undefined) skipOther(cursor, tag, 0b1000);
    else if (wireType === (tag & 7)) read(cursor, point, tag);
    else if ((tag & 7) === 1 && ALSO_FIXED64[kind].includes(field)) read(cursor, point, tag);
    else skipOther(cursor, tag, 0xffff_fffe);
  }
  cursor.end = end;
  cursor.at = cursor.fault === '' ? at : end;
}

export function createExemplar(): OtlpExemplar {
  return { time: { low: 0, high: 0 }, value: 0, traceId: createRange(), spanId: createRange() };
}

/** Reads the exemplar in `range`; the cursor stays where it is. */
export function readExemplar(cursor: ProtoCursor, range: Range, one: OtlpExemplar): void {
  one.time.low = one.time.high = one.value = 0;
  clear(one.traceId);
  clear(one.spanId);
  const { at, end } = cursor;
  cursor.at = range.from;
  cursor.end = range.to;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 17) readTime(cursor, one.time);
    else if (tag === 25) one.value = readDouble(cursor);
    else if (tag === 34) readRange(cursor, one.spanId);
    else if (tag === 42) readRange(cursor, one.traceId);
    else if (tag === 49) one.value = signed(cursor);
    else skipOther(cursor, tag, 0b111_1100);
  }
  cursor.end = end;
  cursor.at = cursor.fault === '' ? at : end;
}

function attribute(cursor: ProtoCursor, point: OtlpPoint): void {
  readAttribute(cursor, point.attributes);
}

function exemplar(cursor: ProtoCursor, point: OtlpPoint): void {
  const range = createRange();
  readRange(cursor, range);
  point.exemplars.push(range);
}

function flags(cursor: ProtoCursor, point: OtlpPoint): void {
  point.flags = readVarint(cursor);
}

function count(cursor: ProtoCursor, point: OtlpPoint): void {
  point.count = unsigned(cursor);
}

function sum(cursor: ProtoCursor, point: OtlpPoint): void {
  point.sum = readDouble(cursor);
}

function unsigned(cursor: ProtoCursor): number {
  const low = readFixed64(cursor);
  return cursor.high * 2 ** 32 + low;
}

function signed(cursor: ProtoCursor): number {
  const low = readFixed64(cursor);
  return (cursor.high | 0) * 2 ** 32 + low;
}

function readBuckets(cursor: ProtoCursor, buckets: OtlpBuckets): void {
  nested(cursor, () => {
    for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
      if (tag === 8) buckets.offset = readSint(cursor);
      else if (tag === 18 || tag === 16) readVarints(cursor, tag, buckets.counts);
      else skipOther(cursor, tag, 0b110);
    }
  });
}

function readQuantile(cursor: ProtoCursor, quantiles: number[]): void {
  let quantile = 0;
  let value = 0;
  nested(cursor, () => {
    for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
      if (tag === 9) quantile = readDouble(cursor);
      else if (tag === 17) value = readDouble(cursor);
      else skipOther(cursor, tag, 0b110);
    }
  });
  quantiles.push(quantile, value);
}
