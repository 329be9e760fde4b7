import {
  type ProtoCursor,
  protoCursor,
  readDouble,
  readLengthEnd,
  readTag,
  readVarint,
  readVarintNumber,
  readZigZag,
  skipField,
} from '../protobuf/reader.ts';
import { nested } from './remote-write.ts';

export interface BucketSpan {
  /** Gap to the span before; of the first span its index. */
  readonly offset: number;
  readonly length: number;
}

/** prometheus.Histogram, integer or float, with absolute counts. */
export interface HistogramMessage {
  readonly schema: number;
  readonly sum: number;
  readonly count: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positiveSpans: readonly BucketSpan[];
  readonly positiveCounts: readonly number[];
  readonly negativeSpans: readonly BucketSpan[];
  readonly negativeCounts: readonly number[];
  readonly customValues: readonly number[];
  readonly resetHint: 'unknown' | 'reset' | 'not-reset' | 'gauge';
  readonly timestampMs: number;
}

const RESET_HINTS = ['unknown', 'reset', 'not-reset', 'gauge'] as const;

/** Undefined when the message is malformed or its spans and counts do not agree. */
export function decodeHistogram(bytes: Uint8Array): HistogramMessage | undefined {
  const cursor = protoCursor(bytes);
  const numbers = { sum: 0, count: 0, schema: 0, zeroThreshold: 0, zeroCount: 0, timestampMs: 0 };
  let resetHint: HistogramMessage['resetHint'] = 'unknown';
  const spans = { positive: [] as BucketSpan[], negative: [] as BucketSpan[] };
  const deltas = { positive: [] as number[], negative: [] as number[] };
  const counts = { positive: [] as number[], negative: [] as number[] };
  const customValues: number[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    switch (tag >>> 3) {
      case 1:
        numbers.count = readVarintNumber(cursor);
        break;
      case 2:
        numbers.count = readDouble(cursor);
        break;
      case 3:
        numbers.sum = readDouble(cursor);
        break;
      case 4:
        numbers.schema = readZigZag(cursor);
        break;
      case 5:
        numbers.zeroThreshold = readDouble(cursor);
        break;
      case 6:
        numbers.zeroCount = readVarintNumber(cursor);
        break;
      case 7:
        numbers.zeroCount = readDouble(cursor);
        break;
      case 8:
        nested(cursor, () => readSpan(cursor, spans.negative));
        break;
      case 9:
        readRepeated(cursor, tag, readZigZag, deltas.negative);
        break;
      case 10:
        readRepeated(cursor, tag, readDouble, counts.negative);
        break;
      case 11:
        nested(cursor, () => readSpan(cursor, spans.positive));
        break;
      case 12:
        readRepeated(cursor, tag, readZigZag, deltas.positive);
        break;
      case 13:
        readRepeated(cursor, tag, readDouble, counts.positive);
        break;
      case 14:
        resetHint = RESET_HINTS[readVarint(cursor)] ?? 'unknown';
        break;
      case 15: {
        const low = readVarint(cursor);
        numbers.timestampMs = (cursor.high | 0) * 2 ** 32 + low;
        break;
      }
      case 16:
        readRepeated(cursor, tag, readDouble, customValues);
        break;
      default:
        skipField(cursor, tag);
    }
  }
  if (cursor.fault !== '') return undefined;
  const positiveCounts = counts.positive.length > 0 ? counts.positive : summed(deltas.positive);
  const negativeCounts = counts.negative.length > 0 ? counts.negative : summed(deltas.negative);
  const agree =
    covered(spans.positive) === positiveCounts.length &&
    covered(spans.negative) === negativeCounts.length;
  if (!agree) return undefined;
  return {
    ...numbers,
    resetHint,
    positiveSpans: spans.positive,
    positiveCounts,
    negativeSpans: spans.negative,
    negativeCounts,
    customValues,
  };
}

function readSpan(cursor: ProtoCursor, spans: BucketSpan[]): void {
  let offset = 0;
  let length = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) offset = readZigZag(cursor);
    else if (tag === 0x10) length = readVarint(cursor);
    else skipField(cursor, tag);
  }
  spans.push({ offset, length });
}

/** Packed, or one by one. */
function readRepeated(
  cursor: ProtoCursor,
  tag: number,
  read: (cursor: ProtoCursor) => number,
  values: number[],
): void {
  const isDouble = read === readDouble;
  if ((tag & 7) === (isDouble ? 1 : 0)) {
    values.push(read(cursor));
    return;
  }
  if ((tag & 7) !== 2) {
    skipField(cursor, tag);
    return;
  }
  const outer = cursor.end;
  const end = readLengthEnd(cursor);
  cursor.end = end;
  while (cursor.at < cursor.end) values.push(read(cursor));
  cursor.end = outer;
  if (cursor.fault !== '') cursor.at = outer;
}

/** Counts are deltas to the bucket before. */
function summed(deltas: readonly number[]): number[] {
  let count = 0;
  return deltas.map((delta) => {
    count += delta;
    return count;
  });
}

function covered(spans: readonly BucketSpan[]): number {
  return spans.reduce((sum, { length }) => sum + length, 0);
}
