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
  readBytes,
  readFixed64,
  readTag,
  readVarint,
  readVarintNumber,
} from '../protobuf/reader.ts';
import {
  NO_ENDPOINT,
  normalId,
  ZIPKIN_LIMITS,
  type ZipkinAnnotation,
  type ZipkinEndpoint,
  type ZipkinKind,
  type ZipkinSpan,
} from './span.ts';

/** Source: zipkin.proto, enum Span.Kind. */
const KINDS: readonly (ZipkinKind | undefined)[] = [
  undefined,
  'CLIENT',
  'SERVER',
  'PRODUCER',
  'CONSUMER',
];

/** Decodes `ListOfSpans`. Malformed protobuf refuses the body, a bad id only its span. */
export function decodeZipkinProto(bytes: Uint8Array): Decoded<DecodedList<ZipkinSpan>> {
  const cursor = protoCursor(bytes);
  const spans = createListCollector<ZipkinSpan>();
  let at = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== 0x0a) {
      skipUnknown(cursor, tag);
      continue;
    }
    if (at === ZIPKIN_LIMITS.spansMax) return invalid(`more than ${at} spans`);
    const span = nested(cursor, readSpan);
    if (typeof span === 'string') spans.refuse(at, span);
    else spans.keep(span);
    at += 1;
  }
  return cursor.fault === '' ? decoded(spans.list()) : invalid(cursor.fault);
}

function readSpan(cursor: ProtoCursor): ZipkinSpan | string {
  let traceId = '';
  let parentId = '';
  let id = '';
  let kind: ZipkinKind | undefined;
  let name = '';
  let timestampUs = 0;
  let durationUs = 0;
  let local = NO_ENDPOINT;
  let remote = NO_ENDPOINT;
  const annotations: ZipkinAnnotation[] = [];
  const tags: (readonly [string, string])[] = [];
  let isDebug = false;
  let isShared = false;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) traceId = hexOf(readBytes(cursor));
    else if (tag === 0x12) parentId = hexOf(readBytes(cursor));
    else if (tag === 0x1a) id = hexOf(readBytes(cursor));
    else if (tag === 0x20) kind = KINDS[readVarint(cursor)];
    else if (tag === 0x2a) name = readText(cursor);
    else if (tag === 0x31) timestampUs = readFixed64(cursor) + cursor.high * 2 ** 32;
    else if (tag === 0x38) durationUs = readVarintNumber(cursor);
    else if (tag === 0x42) local = nested(cursor, readEndpoint);
    else if (tag === 0x4a) remote = nested(cursor, readEndpoint);
    else if (tag === 0x52) {
      const annotation = nested(cursor, readAnnotation);
      if (annotations.length < ZIPKIN_LIMITS.annotationsMax) annotations.push(annotation);
    } else if (tag === 0x5a) {
      const entry = nested(cursor, readEntry);
      if (tags.length < ZIPKIN_LIMITS.tagsMax) tags.push(entry);
    } else if (tag === 0x60) isDebug = readVarint(cursor) !== 0;
    else if (tag === 0x68) isShared = readVarint(cursor) !== 0;
    else skipUnknown(cursor, tag);
  }
  const ids = {
    traceId: normalId(traceId, 32),
    id: normalId(id, 16),
    parentId: parentId === '' ? '' : normalId(parentId, 16),
  };
  if (ids.traceId === undefined) return 'trace_id is not 8 or 16 bytes, or is zero';
  if (ids.id === undefined) return 'id is not 8 bytes, or is zero';
  if (ids.parentId === undefined) return 'parent_id is not 8 bytes, or is zero';
  return {
    traceId: ids.traceId,
    id: ids.id,
    parentId: ids.parentId === ids.id ? '' : ids.parentId,
    kind,
    name,
    timestampUs,
    durationUs,
    local,
    remote,
    annotations,
    tags,
    isShared,
    isDebug,
  };
}

function readEndpoint(cursor: ProtoCursor): ZipkinEndpoint {
  let serviceName = '';
  let ip = '';
  let port = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) serviceName = readText(cursor);
    else if (tag === 0x12) ip = ipv4Of(readBytes(cursor)) || ip;
    else if (tag === 0x1a) ip ||= ipv6Of(readBytes(cursor));
    else if (tag === 0x20) port = readVarint(cursor) & 0xffff;
    else skipUnknown(cursor, tag);
  }
  return { serviceName, ip, port };
}

function readAnnotation(cursor: ProtoCursor): ZipkinAnnotation {
  let timestampUs = 0;
  let value = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x09) timestampUs = readFixed64(cursor) + cursor.high * 2 ** 32;
    else if (tag === 0x12) value = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  return { timestampUs, value };
}

function readEntry(cursor: ProtoCursor): readonly [string, string] {
  let name = '';
  let value = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) name = readText(cursor);
    else if (tag === 0x12) value = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  return [name, value];
}

function hexOf(bytes: Uint8Array): string {
  if (bytes.length > 16) return 'too long';
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

function ipv4Of(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : '';
}

function ipv6Of(bytes: Uint8Array): string {
  if (bytes.length !== 16) return '';
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  }
  // The longest run of zero groups, at least two, is written as `::`. Source: RFC 5952 §4.2.
  const zeros = /(^|:)0(:0)+(:|$)/g;
  const text = groups.join(':');
  const runs = [...text.matchAll(zeros)].sort((a, b) => b[0].length - a[0].length);
  const run = runs[0];
  if (run === undefined) return text;
  return `${text.slice(0, run.index)}::${text.slice(run.index + run[0].length)}`;
}
