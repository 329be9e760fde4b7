import {
  createListCollector,
  type Decoded,
  type DecodedList,
  decoded,
  invalid,
} from '../decoded.ts';
import { base64 } from '../otlp/any-json.ts';
import {
  readBinary,
  readByte,
  readDouble,
  readI32,
  readI64,
  readList,
  readStruct,
  readText,
  THRIFT_BOOL,
  THRIFT_DOUBLE,
  THRIFT_I32,
  THRIFT_I64,
  THRIFT_LIST,
  THRIFT_STRING,
  THRIFT_STRUCT,
  type ThriftCursor,
  thriftCursor,
} from './thrift-reader.ts';

/** A whole number is a bigint, one with a fraction a number; bytes are base64. */
export type JaegerTag = readonly [name: string, value: string | boolean | number | bigint];

export interface JaegerReference {
  /** Else it follows from the other span. */
  readonly isChildOf: boolean;
  /** 16 or 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
}

export interface JaegerLog {
  /** Microseconds since the epoch. */
  readonly timeUs: number;
  readonly fields: readonly JaegerTag[];
}

/** Source: jaeger-idl, jaeger.thrift. */
export interface JaegerSpan {
  /** 16 or 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  /** As `spanId`; empty for a root. */
  readonly parentSpanId: string;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly JaegerLog[];
}

/** The spans of one process. */
export interface JaegerBatch {
  readonly serviceName: string;
  readonly tags: readonly JaegerTag[];
  readonly spans: DecodedList<JaegerSpan>;
}

const SPANS_MAX = 50_000;
const TAGS_MAX = 256;
const LOGS_MAX = 256;
const REFERENCES_MAX = 64;

/** Decodes a `Batch` in Thrift's binary protocol. Malformed bytes refuse it, a bad span only itself. */
export function decodeJaegerBatch(bytes: Uint8Array): Decoded<JaegerBatch> {
  const cursor = thriftCursor(bytes);
  const spans = createListCollector<JaegerSpan>();
  let serviceName = '';
  let tags: readonly JaegerTag[] = [];
  let count = 0;
  let hasProcess = false;
  readStruct(cursor, (id, type) => {
    if (id === 1 && type === THRIFT_STRUCT) {
      hasProcess = true;
      ({ serviceName, tags } = readProcess(cursor));
    } else if (id === 2 && type === THRIFT_LIST) {
      readList(cursor, THRIFT_STRUCT, () => {
        const span = readSpan(cursor);
        if (typeof span === 'string') spans.refuse(count, span);
        else if (count < SPANS_MAX) spans.keep(span);
        count += 1;
      });
    } else return false;
    return true;
  });
  if (cursor.fault !== '') return invalid(cursor.fault);
  if (!hasProcess) return invalid('no process: not a Batch in the binary protocol');
  if (count > SPANS_MAX) return invalid(`${count} spans, the most is ${SPANS_MAX}`);
  return decoded({ serviceName, tags, spans: spans.list() });
}

function readProcess(cursor: ThriftCursor): Omit<JaegerBatch, 'spans'> {
  let serviceName = '';
  let tags: readonly JaegerTag[] = [];
  readStruct(cursor, (id, type) => {
    if (id === 1 && type === THRIFT_STRING) serviceName = readText(cursor);
    else if (id === 2 && type === THRIFT_LIST) tags = readTags(cursor);
    else return false;
    return true;
  });
  return { serviceName, tags };
}

/** The span, or why it is none. */
function readSpan(cursor: ThriftCursor): JaegerSpan | string {
  let [traceLow, traceHigh, spanId, parentSpanId, startUs, durationUs] = [0n, 0n, 0n, 0n, 0n, 0n];
  let operationName = '';
  let references: readonly JaegerReference[] = [];
  let tags: readonly JaegerTag[] = [];
  let logs: readonly JaegerLog[] = [];
  readStruct(cursor, (id, type) => {
    if (type === THRIFT_I64 && id === 1) traceLow = readI64(cursor);
    else if (type === THRIFT_I64 && id === 2) traceHigh = readI64(cursor);
    else if (type === THRIFT_I64 && id === 3) spanId = readI64(cursor);
    else if (type === THRIFT_I64 && id === 4) parentSpanId = readI64(cursor);
    else if (type === THRIFT_STRING && id === 5) operationName = readText(cursor);
    else if (type === THRIFT_LIST && id === 6) references = readReferences(cursor);
    else if (type === THRIFT_I64 && id === 8) startUs = readI64(cursor);
    else if (type === THRIFT_I64 && id === 9) durationUs = readI64(cursor);
    else if (type === THRIFT_LIST && id === 10) tags = readTags(cursor);
    else if (type === THRIFT_LIST && id === 11) logs = readLogs(cursor);
    else return false;
    return true;
  });
  if (traceHigh === 0n && traceLow === 0n) return 'the trace id is zero';
  if (spanId === 0n) return 'the span id is zero';
  if (startUs < 0n || durationUs < 0n) return 'a negative time';
  return {
    traceId: traceHex(traceHigh, traceLow),
    spanId: hex(spanId),
    parentSpanId: parentSpanId === 0n ? '' : hex(parentSpanId),
    operationName,
    references,
    startUs: Number(startUs),
    durationUs: Number(durationUs),
    tags,
    logs,
  };
}

function readReferences(cursor: ThriftCursor): JaegerReference[] {
  const references: JaegerReference[] = [];
  readList(cursor, THRIFT_STRUCT, () => {
    let kind = 0;
    let [low, high, spanId] = [0n, 0n, 0n];
    readStruct(cursor, (id, type) => {
      if (id === 1 && type === THRIFT_I32) kind = readI32(cursor);
      else if (id === 2 && type === THRIFT_I64) low = readI64(cursor);
      else if (id === 3 && type === THRIFT_I64) high = readI64(cursor);
      else if (id === 4 && type === THRIFT_I64) spanId = readI64(cursor);
      else return false;
      return true;
    });
    if (references.length === REFERENCES_MAX) return;
    references.push({ isChildOf: kind === 0, traceId: traceHex(high, low), spanId: hex(spanId) });
  });
  return references;
}

function readLogs(cursor: ThriftCursor): JaegerLog[] {
  const logs: JaegerLog[] = [];
  readList(cursor, THRIFT_STRUCT, () => {
    let timeUs = 0n;
    let fields: readonly JaegerTag[] = [];
    readStruct(cursor, (id, type) => {
      if (id === 1 && type === THRIFT_I64) timeUs = readI64(cursor);
      else if (id === 2 && type === THRIFT_LIST) fields = readTags(cursor);
      else return false;
      return true;
    });
    if (logs.length < LOGS_MAX) logs.push({ timeUs: Number(timeUs), fields });
  });
  return logs;
}

function readTags(cursor: ThriftCursor): JaegerTag[] {
  const tags: JaegerTag[] = [];
  readList(cursor, THRIFT_STRUCT, () => {
    let name = '';
    let kind = 0;
    // By kind. Clients write all of them, and the kind says which one is meant.
    const values: JaegerTag[1][] = ['', 0, false, 0n, ''];
    readStruct(cursor, (id, type) => {
      if (id === 1 && type === THRIFT_STRING) name = readText(cursor);
      else if (id === 2 && type === THRIFT_I32) kind = readI32(cursor);
      else if (id === 3 && type === THRIFT_STRING) values[0] = readText(cursor);
      else if (id === 4 && type === THRIFT_DOUBLE) values[1] = readDouble(cursor);
      else if (id === 5 && type === THRIFT_BOOL) values[2] = readByte(cursor) !== 0;
      else if (id === 6 && type === THRIFT_I64) values[3] = readI64(cursor);
      else if (id === 7 && type === THRIFT_STRING) values[4] = readBase64(cursor);
      else return false;
      return true;
    });
    if (tags.length < TAGS_MAX) tags.push([name, values[kind] ?? '']);
  });
  return tags;
}

function readBase64(cursor: ThriftCursor): string {
  const bytes = readBinary(cursor);
  return base64(bytes, 0, bytes.length);
}

const hex = (id: bigint): string => BigInt.asUintN(64, id).toString(16).padStart(16, '0');
const traceHex = (high: bigint, low: bigint): string => (high === 0n ? '' : hex(high)) + hex(low);
