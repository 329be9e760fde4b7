import {
  createListCollector,
  type Decoded,
  type DecodedList,
  decoded,
  invalid,
} from '../decoded.ts';
import { nested, readText, skipUnknown } from '../protobuf/message.ts';
import {
  type ProtoCursor,
  protoCursor,
  readSignedVarint,
  readTag,
  readVarint,
  readVarintNumber,
} from '../protobuf/reader.ts';
import {
  LAYERS,
  SKYWALKING_LIMITS,
  type SkywalkingLog,
  type SkywalkingReference,
  type SkywalkingSegment,
  type SkywalkingSpan,
  type SkywalkingTag,
  SPAN_TYPES,
  segmentFault,
} from './segment.ts';

/** Decodes `SegmentObject`, a message of the stream `TraceSegmentReportService/collect`. */
export function decodeSegment(bytes: Uint8Array): Decoded<DecodedList<SkywalkingSegment>> {
  const cursor = protoCursor(bytes);
  const segments = createListCollector<SkywalkingSegment>();
  take(readSegment(cursor), 0, segments);
  return cursor.fault === '' ? decoded(segments.list()) : invalid(cursor.fault);
}

/** Decodes `SegmentCollection`, the message of `TraceSegmentReportService/collectInSync`. */
export function decodeSegmentCollection(
  bytes: Uint8Array,
): Decoded<DecodedList<SkywalkingSegment>> {
  const cursor = protoCursor(bytes);
  const segments = createListCollector<SkywalkingSegment>();
  let at = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== 0x0a) {
      skipUnknown(cursor, tag);
      continue;
    }
    if (at === SKYWALKING_LIMITS.segmentsMax) return invalid(`more than ${at} segments`);
    take(nested(cursor, readSegment), at, segments);
    at += 1;
  }
  return cursor.fault === '' ? decoded(segments.list()) : invalid(cursor.fault);
}

function take(
  segment: SkywalkingSegment,
  at: number,
  segments: ReturnType<typeof createListCollector<SkywalkingSegment>>,
): void {
  const fault = segmentFault(segment);
  if (fault === undefined) segments.keep(segment);
  else segments.refuse(at, fault);
}

function readSegment(cursor: ProtoCursor): SkywalkingSegment {
  let traceId = '';
  let segmentId = '';
  let service = '';
  let instance = '';
  const spans: SkywalkingSpan[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) traceId = readText(cursor);
    else if (tag === 0x12) segmentId = readText(cursor);
    else if (tag === 0x1a) keep(spans, nested(cursor, readSpan), SKYWALKING_LIMITS.spansMax + 1);
    else if (tag === 0x22) service = readText(cursor);
    else if (tag === 0x2a) instance = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  return { traceId, segmentId, service, instance, spans };
}

function readSpan(cursor: ProtoCursor): SkywalkingSpan {
  let index = 0;
  let parentIndex = 0;
  let startMs = 0;
  let endMs = 0;
  const references: SkywalkingReference[] = [];
  let operationName = '';
  let peer = '';
  let type = 0;
  let layer = 0;
  let componentId = 0;
  let isError = false;
  const tags: SkywalkingTag[] = [];
  const logs: SkywalkingLog[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) index = readSignedVarint(cursor);
    else if (tag === 0x10) parentIndex = readSignedVarint(cursor);
    else if (tag === 0x18) startMs = readVarintNumber(cursor);
    else if (tag === 0x20) endMs = readVarintNumber(cursor);
    else if (tag === 0x2a) {
      keep(references, nested(cursor, readReference), SKYWALKING_LIMITS.referencesMax);
    } else if (tag === 0x32) operationName = readText(cursor);
    else if (tag === 0x3a) peer = readText(cursor);
    else if (tag === 0x40) type = readVarint(cursor);
    else if (tag === 0x48) layer = readVarint(cursor);
    else if (tag === 0x50) componentId = readSignedVarint(cursor);
    else if (tag === 0x58) isError = readVarint(cursor) !== 0;
    else if (tag === 0x62) keep(tags, nested(cursor, readPair), SKYWALKING_LIMITS.tagsMax);
    else if (tag === 0x6a) keep(logs, nested(cursor, readLog), SKYWALKING_LIMITS.logsMax);
    else skipUnknown(cursor, tag);
  }
  return {
    index,
    parentIndex,
    startMs,
    endMs,
    references,
    operationName,
    peer,
    type: SPAN_TYPES[type] ?? 'Local',
    layer: LAYERS[layer] ?? 'Unknown',
    componentId,
    isError,
    tags,
    logs,
  };
}

function readReference(cursor: ProtoCursor): SkywalkingReference {
  let isCrossThread = false;
  let parentSpanIndex = 0;
  const texts = { traceId: '', segment: '', service: '', instance: '', endpoint: '', peer: '' };
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) isCrossThread = readVarint(cursor) === 1;
    else if (tag === 0x12) texts.traceId = readText(cursor);
    else if (tag === 0x1a) texts.segment = readText(cursor);
    else if (tag === 0x20) parentSpanIndex = readSignedVarint(cursor);
    else if (tag === 0x2a) texts.service = readText(cursor);
    else if (tag === 0x32) texts.instance = readText(cursor);
    else if (tag === 0x3a) texts.endpoint = readText(cursor);
    else if (tag === 0x42) texts.peer = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  return {
    isCrossThread,
    traceId: texts.traceId,
    parentSegmentId: texts.segment,
    parentSpanIndex,
    parentService: texts.service,
    parentInstance: texts.instance,
    parentEndpoint: texts.endpoint,
    peer: texts.peer,
  };
}

function readLog(cursor: ProtoCursor): SkywalkingLog {
  let timeMs = 0;
  const data: SkywalkingTag[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) timeMs = readVarintNumber(cursor);
    else if (tag === 0x12) keep(data, nested(cursor, readPair), SKYWALKING_LIMITS.tagsMax);
    else skipUnknown(cursor, tag);
  }
  return { timeMs, data };
}

/** `KeyStringValuePair`. */
export function readPair(cursor: ProtoCursor): SkywalkingTag {
  let key = '';
  let value = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) key = readText(cursor);
    else if (tag === 0x12) value = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  return [key, value];
}

function keep<Item>(items: Item[], item: Item, most: number): void {
  if (items.length < most) items.push(item);
}
