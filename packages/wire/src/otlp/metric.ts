import {
  type ProtoCursor,
  readDouble,
  readFixed64,
  readTag,
  readVarint,
  readVarintNumber,
  readZigZag,
} from '../protobuf/reader.ts';
import { createRange, type Range, readRange, skipOther } from './any-value.ts';
import { nested } from './records.ts';
import { clear } from './span.ts';

// Metric and its kinds. Source: opentelemetry-proto, metrics/v1/metrics.proto.

export type MetricKind = 'gauge' | 'sum' | 'histogram' | 'exponential' | 'summary' | 'none';

/** Source: metrics.proto, AggregationTemporality. */
export const TEMPORALITY_DELTA = 1;

/** One metric, reused from metric to metric; its points are read one by one. */
export interface OtlpMetric {
  readonly name: Range;
  readonly description: Range;
  readonly unit: Range;
  kind: MetricKind;
  temporality: number;
  isMonotonic: boolean;
  readonly points: Range[];
  pointCount: number;
}

export function createMetric(): OtlpMetric {
  return {
    name: createRange(),
    description: createRange(),
    unit: createRange(),
    kind: 'none',
    temporality: 0,
    isMonotonic: false,
    points: [],
    pointCount: 0,
  };
}

const KINDS: Readonly<Record<number, MetricKind>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential',
  11: 'summary',
};

/** Reads the metric at the cursor, to the cursor's end. Faults are the cursor's. */
export function readMetric(cursor: ProtoCursor, metric: OtlpMetric): void {
  clear(metric.name);
  clear(metric.description);
  clear(metric.unit);
  metric.kind = 'none';
  metric.temporality = metric.pointCount = 0;
  metric.isMonotonic = false;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    const kind = (tag & 7) === 2 ? KINDS[tag >>> 3] : undefined;
    if (tag === 10) readRange(cursor, metric.name);
    else if (tag === 18) readRange(cursor, metric.description);
    else if (tag === 26) readRange(cursor, metric.unit);
    else if (kind !== undefined) nested(cursor, () => readData(cursor, metric, kind));
    else skipOther(cursor, tag, 0b1110_1010_1110);
  }
}

function readData(cursor: ProtoCursor, metric: OtlpMetric, kind: MetricKind): void {
  metric.kind = kind;
  metric.pointCount = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 10) {
      let range = metric.points[metric.pointCount];
      if (range === undefined) {
        range = createRange();
        metric.points.push(range);
      }
      metric.pointCount += 1;
      readRange(cursor, range);
    } else if (tag === 16) metric.temporality = readVarint(cursor);
    else if (tag === 24) metric.isMonotonic = readVarint(cursor) !== 0;
    else skipOther(cursor, tag, 0b10);
  }
}

/** Packed or one by one: both are valid for repeated numbers. */
export function readFixed64s(cursor: ProtoCursor, tag: number, into: number[]): void {
  repeated(cursor, tag, () => {
    const low = readFixed64(cursor);
    into.push(cursor.high * 2 ** 32 + low);
  });
}

export function readDoubles(cursor: ProtoCursor, tag: number, into: number[]): void {
  repeated(cursor, tag, () => into.push(readDouble(cursor)));
}

export function readVarints(cursor: ProtoCursor, tag: number, into: number[]): void {
  repeated(cursor, tag, () => into.push(readVarintNumber(cursor)));
}

/** sint32, as the nearest number. */
export function readSint(cursor: ProtoCursor): number {
  return readZigZag(cursor);
}

function repeated(cursor: ProtoCursor, tag: number, readOne: () => void): void {
  if ((tag & 7) !== 2) {
    readOne();
    return;
  }
  nested(cursor, () => {
    while (cursor.at < cursor.end && cursor.fault === '') readOne();
  });
}
