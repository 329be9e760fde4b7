export { anyValueJson, attributesJson, base64, doubleText, intText } from './any-json.ts';
export {
  ANY_DEPTH_MAX,
  type AnyKind,
  type AnyView,
  type AttributeList,
  createAnyView,
  createAttributeList,
  createRange,
  type Range,
  readAnyValue,
  readAttribute,
  readFirstItem,
  readRange,
  skipOther,
} from './any-value.ts';
export {
  createExemplar,
  createPoint,
  FLAG_NO_VALUE,
  type OtlpBuckets,
  type OtlpPoint,
  readExemplar,
  readPoint,
} from './data-point.ts';
export { type JsonResult, otlpJsonToProtobuf } from './json.ts';
export type { OtlpSignal } from './json-schema.ts';
export { createLogRecord, type OtlpLogRecord, readLogRecord } from './log-record.ts';
export { createMetric, type OtlpMetric, readMetric, TEMPORALITY_DELTA } from './metric.ts';
export { nested, type OtlpScope, type RecordVisitor, readRecords } from './records.ts';
export {
  createEvent,
  createLink,
  createSpan,
  microsOf,
  type NanoTime,
  nanosOf,
  nanoText,
  type OtlpEvent,
  type OtlpLink,
  type OtlpSpan,
  readEvent,
  readLink,
  readSpan,
  readTime,
} from './span.ts';
export {
  type AttributeValue,
  hexOctets,
  type OctetText,
  type SpanToWrite,
  spanAttribute,
  spanOctets,
  tracesRequest,
  type WrittenAttributes,
} from './span-writer.ts';
