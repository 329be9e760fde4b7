import {
  type ProtoCursor,
  readFixed32,
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
import { nested } from './records.ts';

// Span, Event, Link, Status. Source: opentelemetry-proto, trace/v1/trace.proto.

/** A time in nanoseconds since the epoch, as the halves of its 64 bits. */
export interface NanoTime {
  low: number;
  high: number;
}

/** One span, reused from span to span: good until `readSpan` is called again. */
export interface OtlpSpan {
  readonly traceId: Range;
  readonly spanId: Range;
  readonly parentSpanId: Range;
  readonly traceState: Range;
  readonly name: Range;
  kind: number;
  readonly start: NanoTime;
  readonly end: NanoTime;
  readonly attributes: AttributeList;
  readonly events: Range[];
  eventCount: number;
  readonly links: Range[];
  linkCount: number;
  statusCode: number;
  readonly statusMessage: Range;
  droppedAttributes: number;
  droppedEvents: number;
  droppedLinks: number;
  flags: number;
}

export interface OtlpEvent {
  readonly time: NanoTime;
  readonly name: Range;
  readonly attributes: AttributeList;
  droppedAttributes: number;
}

export interface OtlpLink {
  readonly traceId: Range;
  readonly spanId: Range;
  readonly traceState: Range;
  readonly attributes: AttributeList;
  droppedAttributes: number;
  flags: number;
}

export function createSpan(): OtlpSpan {
  return {
    traceId: createRange(),
    spanId: createRange(),
    parentSpanId: createRange(),
    traceState: createRange(),
    name: createRange(),
    kind: 0,
    start: { low: 0, high: 0 },
    end: { low: 0, high: 0 },
    attributes: createAttributeList(),
    events: [],
    eventCount: 0,
    links: [],
    linkCount: 0,
    statusCode: 0,
    statusMessage: createRange(),
    droppedAttributes: 0,
    droppedEvents: 0,
    droppedLinks: 0,
    flags: 0,
  };
}

function clearSpan(span: OtlpSpan): void {
  clear(span.traceId);
  clear(span.spanId);
  clear(span.parentSpanId);
  clear(span.traceState);
  clear(span.name);
  clear(span.statusMessage);
  span.kind = span.statusCode = span.flags = 0;
  span.start.low = span.start.high = span.end.low = span.end.high = 0;
  span.attributes.count = span.eventCount = span.linkCount = 0;
  span.droppedAttributes = span.droppedEvents = span.droppedLinks = 0;
}

export function clear(range: Range): void {
  range.from = 0;
  range.to = 0;
}

export function readTime(cursor: ProtoCursor, time: NanoTime): void {
  time.low = readFixed64(cursor);
  time.high = cursor.high;
}

/** Reads the span at the cursor, to the cursor's end. Faults are the cursor's. */
export function readSpan(cursor: ProtoCursor, span: OtlpSpan): void {
  clearSpan(span);
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    switch (tag) {
      case 10:
        readRange(cursor, span.traceId);
        break;
      case 18:
        readRange(cursor, span.spanId);
        break;
      case 26:
        readRange(cursor, span.traceState);
        break;
      case 34:
        readRange(cursor, span.parentSpanId);
        break;
      case 42:
        readRange(cursor, span.name);
        break;
      case 48:
        span.kind = readVarint(cursor);
        break;
      case 57:
        readTime(cursor, span.start);
        break;
      case 65:
        readTime(cursor, span.end);
        break;
      case 74:
        readAttribute(cursor, span.attributes);
        break;
      case 80:
        span.droppedAttributes = readVarint(cursor);
        break;
      case 90:
        readRange(cursor, slot(span.events, span.eventCount++));
        break;
      case 96:
        span.droppedEvents = readVarint(cursor);
        break;
      case 106:
        readRange(cursor, slot(span.links, span.linkCount++));
        break;
      case 112:
        span.droppedLinks = readVarint(cursor);
        break;
      case 122:
        readStatus(cursor, span);
        break;
      case 133:
        span.flags = readFixed32(cursor);
        break;
      default:
        skipOther(cursor, tag, 0x1fffe);
    }
  }
}

function slot(ranges: Range[], index: number): Range {
  const found = ranges[index];
  if (found !== undefined) return found;
  const made = createRange();
  ranges.push(made);
  return made;
}

function readStatus(cursor: ProtoCursor, span: OtlpSpan): void {
  nested(cursor, () => {
    for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
      if (tag === 18) readRange(cursor, span.statusMessage);
      else if (tag === 24) span.statusCode = readVarint(cursor);
      else skipOther(cursor, tag, 0b1100);
    }
  });
}

export function createEvent(): OtlpEvent {
  return {
    time: { low: 0, high: 0 },
    name: createRange(),
    attributes: createAttributeList(),
    droppedAttributes: 0,
  };
}

/** Reads the event in `range`; the cursor stays where it is. */
export function readEvent(cursor: ProtoCursor, range: Range, event: OtlpEvent): void {
  event.time.low = event.time.high = event.attributes.count = event.droppedAttributes = 0;
  clear(event.name);
  const { at, end } = cursor;
  cursor.at = range.from;
  cursor.end = range.to;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 9) readTime(cursor, event.time);
    else if (tag === 18) readRange(cursor, event.name);
    else if (tag === 26) readAttribute(cursor, event.attributes);
    else if (tag === 32) event.droppedAttributes = readVarint(cursor);
    else skipOther(cursor, tag, 0b11110);
  }
  cursor.end = end;
  cursor.at = cursor.fault === '' ? at : end;
}

export function createLink(): OtlpLink {
  return {
    traceId: createRange(),
    spanId: createRange(),
    traceState: createRange(),
    attributes: createAttributeList(),
    droppedAttributes: 0,
    flags: 0,
  };
}

/** Reads the link in `range`; the cursor stays where it is. */
export function readLink(cursor: ProtoCursor, range: Range, link: OtlpLink): void {
  link.attributes.count = link.droppedAttributes = link.flags = 0;
  clear(link.traceId);
  clear(link.spanId);
  clear(link.traceState);
  const { at, end } = cursor;
  cursor.at = range.from;
  cursor.end = range.to;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 10) readRange(cursor, link.traceId);
    else if (tag === 18) readRange(cursor, link.spanId);
    else if (tag === 26) readRange(cursor, link.traceState);
    else if (tag === 34) readAttribute(cursor, link.attributes);
    else if (tag === 40) link.droppedAttributes = readVarint(cursor);
    else if (tag === 53) link.flags = readFixed32(cursor);
    else skipOther(cursor, tag, 0b1111110);
  }
  cursor.end = end;
  cursor.at = cursor.fault === '' ? at : end;
}

/** Whole microseconds since the epoch, exact until 2255: 2^32 ns are 4,294,967 µs and 296 ns. */
export function microsOf({ low, high }: NanoTime): number {
  return high * 4_294_967 + Math.floor((high * 296 + low) / 1e3);
}

/** The nanoseconds within the microsecond, 0 to 999. */
export function nanosOf({ low, high }: NanoTime): number {
  return (high * 296 + low) % 1e3;
}

/** All digits, as JSON's OTLP writes times. */
export function nanoText(time: NanoTime): string {
  const micros = microsOf(time);
  if (micros === 0 || !Number.isSafeInteger(micros)) {
    return String((BigInt(time.high) << 32n) | BigInt(time.low));
  }
  return `${micros}${String(nanosOf(time)).padStart(3, '0')}`;
}
