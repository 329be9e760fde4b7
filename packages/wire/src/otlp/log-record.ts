import { type ProtoCursor, readFixed32, readTag, readVarint } from '../protobuf/reader.ts';
import {
  type AttributeList,
  createAttributeList,
  createRange,
  type Range,
  readAttribute,
  readRange,
  skipOther,
} from './any-value.ts';
import { clear, type NanoTime, readTime } from './span.ts';

// Source: opentelemetry-proto, logs/v1/logs.proto.

/** One log record, reused from record to record. */
export interface OtlpLogRecord {
  readonly time: NanoTime;
  readonly observedTime: NanoTime;
  severityNumber: number;
  readonly severityText: Range;
  /** An AnyValue. */
  readonly body: Range;
  readonly attributes: AttributeList;
  droppedAttributes: number;
  flags: number;
  readonly traceId: Range;
  readonly spanId: Range;
  readonly eventName: Range;
}

export function createLogRecord(): OtlpLogRecord {
  return {
    time: { low: 0, high: 0 },
    observedTime: { low: 0, high: 0 },
    severityNumber: 0,
    severityText: createRange(),
    body: createRange(),
    attributes: createAttributeList(),
    droppedAttributes: 0,
    flags: 0,
    traceId: createRange(),
    spanId: createRange(),
    eventName: createRange(),
  };
}

/** Reads the record at the cursor, to the cursor's end. Faults are the cursor's. */
export function readLogRecord(cursor: ProtoCursor, record: OtlpLogRecord): void {
  clearRecord(record);
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    switch (tag) {
      case 9:
        readTime(cursor, record.time);
        break;
      case 16:
        record.severityNumber = readVarint(cursor);
        break;
      case 26:
        readRange(cursor, record.severityText);
        break;
      case 42:
        readRange(cursor, record.body);
        break;
      case 50:
        readAttribute(cursor, record.attributes);
        break;
      case 56:
        record.droppedAttributes = readVarint(cursor);
        break;
      case 69:
        record.flags = readFixed32(cursor);
        break;
      case 74:
        readRange(cursor, record.traceId);
        break;
      case 82:
        readRange(cursor, record.spanId);
        break;
      case 89:
        readTime(cursor, record.observedTime);
        break;
      case 98:
        readRange(cursor, record.eventName);
        break;
      default:
        skipOther(cursor, tag, 0b1_1111_1110_1110);
    }
  }
}

function clearRecord(record: OtlpLogRecord): void {
  record.time.low = record.time.high = record.observedTime.low = record.observedTime.high = 0;
  record.severityNumber = record.droppedAttributes = record.flags = record.attributes.count = 0;
  clear(record.severityText);
  clear(record.body);
  clear(record.traceId);
  clear(record.spanId);
  clear(record.eventName);
}
