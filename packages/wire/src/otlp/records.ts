import { type ProtoCursor, protoCursor, readLengthEnd, readTag } from '../protobuf/reader.ts';
import {
  type AttributeList,
  createAttributeList,
  createRange,
  type Range,
  readAttribute,
  readRange,
  skipOther,
} from './any-value.ts';

// The envelope that traces, logs and metrics share: resources, in them scopes, in them items.
// Source: opentelemetry-proto, trace.proto, logs.proto, metrics.proto, resource.proto.

export interface OtlpScope {
  readonly name: Range;
  readonly version: Range;
  readonly attributes: AttributeList;
}

export interface RecordVisitor {
  /** Before the resource's scopes, also when the sender left the resource out. Reused. */
  resource(attributes: AttributeList, cursor: ProtoCursor): void;
  /** Before the scope's items, also when there is none. Reused. */
  scope(scope: OtlpScope, cursor: ProtoCursor): void;
  /** The cursor stands at an item's first field and ends with the item. */
  item(cursor: ProtoCursor): void;
}

const FIELD_1 = 10;
const FIELD_2 = 18;
const FIELDS_1_TO_3 = 0b1110;

/**
 * Walks over an export request. Fields may come in any order: a resource or scope behind its items
 * is found first. Answers what is malformed, or ''. Never throws but what the visitor throws.
 */
export function readRecords(bytes: Uint8Array, visitor: RecordVisitor): string {
  const cursor = protoCursor(bytes);
  const attributes = createAttributeList();
  const scope: OtlpScope = {
    name: createRange(),
    version: createRange(),
    attributes: createAttributeList(),
  };

  function resourceAt(): void {
    attributes.count = 0;
    const found = findField1(cursor);
    if (found !== undefined) within(cursor, found, () => readResource(cursor, attributes));
    if (cursor.fault === '') visitor.resource(attributes, cursor);
    eachField2(cursor, scopeAt);
  }

  function scopeAt(): void {
    scope.attributes.count = 0;
    scope.name.from = scope.name.to = scope.version.from = scope.version.to = 0;
    const found = findField1(cursor);
    if (found !== undefined) within(cursor, found, () => readScope(cursor, scope));
    if (cursor.fault === '') visitor.scope(scope, cursor);
    eachField2(cursor, () => visitor.item(cursor));
  }

  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === FIELD_1) nested(cursor, resourceAt);
    else skipOther(cursor, tag, 0b10);
  }
  return cursor.fault;
}

/** Runs `read` on the message at the cursor, then stands behind it. */
export function nested(cursor: ProtoCursor, read: () => void): void {
  const { end } = cursor;
  const last = readLengthEnd(cursor);
  cursor.end = last;
  read();
  cursor.end = end;
  cursor.at = cursor.fault === '' ? last : end;
}

function within(cursor: ProtoCursor, range: Range, read: () => void): void {
  const { at, end } = cursor;
  cursor.at = range.from;
  cursor.end = range.to;
  read();
  cursor.end = end;
  cursor.at = cursor.fault === '' ? at : end;
}

/** The last field 1 of the message; the cursor stays at its start. */
function findField1(cursor: ProtoCursor): Range | undefined {
  const { at } = cursor;
  let found: Range | undefined;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== FIELD_1) {
      if (tag === FIELD_2) cursor.at = readLengthEnd(cursor);
      else skipOther(cursor, tag, FIELDS_1_TO_3 & ~0b1000);
      continue;
    }
    found ??= createRange();
    readRange(cursor, found);
  }
  if (cursor.fault === '') cursor.at = at;
  return found;
}

function eachField2(cursor: ProtoCursor, read: () => void): void {
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === FIELD_2) nested(cursor, read);
    else if (tag === FIELD_1) cursor.at = readLengthEnd(cursor);
    else skipOther(cursor, tag, FIELDS_1_TO_3 & ~0b1000);
  }
}

function readResource(cursor: ProtoCursor, attributes: AttributeList): void {
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === FIELD_1) readAttribute(cursor, attributes);
    else skipOther(cursor, tag, 0b10);
  }
}

function readScope(cursor: ProtoCursor, scope: OtlpScope): void {
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === FIELD_1) readRange(cursor, scope.name);
    else if (tag === FIELD_2) readRange(cursor, scope.version);
    else if (tag === 26) readAttribute(cursor, scope.attributes);
    else skipOther(cursor, tag, FIELDS_1_TO_3);
  }
}
