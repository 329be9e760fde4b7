import {
  createListCollector,
  type Decoded,
  type DecodedList,
  decoded,
  invalid,
} from '../decoded.ts';
import { isObject, type JsonObject, parseJson, printed } from '../json.ts';
import { nested, readText, skipUnknown } from '../protobuf/message.ts';
import {
  type ProtoCursor,
  protoCursor,
  readSignedVarint,
  readTag,
  readVarint,
} from '../protobuf/reader.ts';
import { accessLogIn } from './access-log-line.ts';
import { parseLabels } from './loki-labels.ts';
import { LOG_LIMITS, type LogAttribute, type LogRecord, readLevel } from './record.ts';

const JSON_LIMITS = { depthMax: 16, valuesMax: 2_000_000 };
const SERVICE_LABELS = ['service_name', 'service', 'app', 'application', 'job', 'container'];
const LEVEL_NAMES = ['level', 'detected_level', 'severity', 'severity_text', 'lvl'];
const TRACE_NAMES = ['trace_id', 'traceID', 'traceId', 'traceid'];
const SPAN_NAMES = ['span_id', 'spanID', 'spanId', 'spanid'];

interface Entry {
  readonly timeUs: number;
  readonly line: string;
  readonly metadata: readonly LogAttribute[];
}

/**
 * Decodes the JSON body of `/loki/api/v1/push`: streams of `[nanoseconds, line, metadata?]`.
 * Source: Grafana Loki's HTTP API.
 */
export function decodeLokiJson(bytes: Uint8Array): Decoded<DecodedList<LogRecord>> {
  const json = parseJson(bytes, JSON_LIMITS);
  if (json.kind === 'invalid') return json;
  const streams = isObject(json.value) ? json.value['streams'] : undefined;
  if (!Array.isArray(streams)) return invalid('no streams');
  const records = createListCollector<LogRecord>();
  let at = 0;
  for (const stream of streams as readonly unknown[]) {
    const values = isObject(stream) ? stream['values'] : undefined;
    if (!isObject(stream) || !isObject(stream['stream']) || !Array.isArray(values)) {
      records.refuse(at++, 'a stream has stream and values');
      continue;
    }
    const labels = attributesOf(stream['stream']);
    for (const value of values as readonly unknown[]) {
      if (at === LOG_LIMITS.recordsMax) return invalid(`more than ${at} entries`);
      const entry = entryOf(value);
      if (typeof entry === 'string') records.refuse(at, entry);
      else records.keep(recordOf(labels, entry));
      at += 1;
    }
  }
  return decoded(records.list());
}

function entryOf(value: unknown): Entry | string {
  if (!Array.isArray(value)) return 'a value is [nanoseconds, line]';
  const [stamp, line, metadata] = value as readonly unknown[];
  if (typeof stamp !== 'string' || !/^\d{1,19}$/.test(stamp)) {
    return 'the time is not nanoseconds as text';
  }
  if (typeof line !== 'string') return 'the line is no text';
  const timeUs = Number(BigInt(stamp) / 1_000n);
  return { timeUs, line, metadata: isObject(metadata) ? attributesOf(metadata) : [] };
}

function attributesOf(item: JsonObject): readonly LogAttribute[] {
  return Object.entries(item)
    .slice(0, LOG_LIMITS.attributesMax)
    .map(([name, value]) => [name, printed(value)]);
}

/** Decodes `logproto.PushRequest`, out of its snappy block. */
export function decodeLokiProto(bytes: Uint8Array): Decoded<DecodedList<LogRecord>> {
  const cursor = protoCursor(bytes);
  const records = createListCollector<LogRecord>();
  let at = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== 0x0a) {
      skipUnknown(cursor, tag);
      continue;
    }
    const { labels: text, entries } = nested(cursor, readStream);
    const labels = parseLabels(text);
    if (at + entries.length > LOG_LIMITS.recordsMax) {
      return invalid(`more than ${LOG_LIMITS.recordsMax} entries`);
    }
    for (const entry of entries) {
      if (typeof labels === 'string') records.refuse(at, labels);
      else records.keep(recordOf(labels, entry));
      at += 1;
    }
  }
  return cursor.fault === '' ? decoded(records.list()) : invalid(cursor.fault);
}

function readStream(cursor: ProtoCursor): { labels: string; entries: readonly Entry[] } {
  let labels = '';
  const entries: Entry[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) labels = readText(cursor);
    else if (tag === 0x12) {
      const entry = nested(cursor, readEntry);
      if (entries.length <= LOG_LIMITS.recordsMax) entries.push(entry);
    } else skipUnknown(cursor, tag);
  }
  return { labels, entries };
}

function readEntry(cursor: ProtoCursor): Entry {
  let timeUs = 0;
  let line = '';
  const metadata: LogAttribute[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) timeUs = nested(cursor, readTime);
    else if (tag === 0x12) line = readText(cursor);
    else if (tag === 0x1a) {
      const pair = nested(cursor, readPair);
      if (metadata.length < LOG_LIMITS.attributesMax) metadata.push(pair);
    } else skipUnknown(cursor, tag);
  }
  return { timeUs, line, metadata };
}

/** `google.protobuf.Timestamp` in microseconds. */
function readTime(cursor: ProtoCursor): number {
  let seconds = 0;
  let nanos = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) seconds = readSignedVarint(cursor);
    else if (tag === 0x10) nanos = readVarint(cursor);
    else skipUnknown(cursor, tag);
  }
  return Math.max(0, seconds * 1e6 + Math.floor(nanos / 1e3));
}

function readPair(cursor: ProtoCursor): LogAttribute {
  let name = '';
  let value = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) name = readText(cursor);
    else if (tag === 0x12) value = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  return [name, value];
}

/** A line that is a gateway's access-log entry is read as one; its stream's labels stay. */
function recordOf(labels: readonly LogAttribute[], { timeUs, line, metadata }: Entry): LogRecord {
  const find = (names: readonly string[]): string => {
    const all = [...metadata, ...labels];
    return names.map((name) => all.find(([key]) => key === name)?.[1] ?? '').find(Boolean) ?? '';
  };
  const access = accessLogIn(line);
  const service = find(SERVICE_LABELS);
  return {
    timeUs,
    type: access?.type ?? 'user',
    level: readLevel(find(LEVEL_NAMES)) ?? access?.level,
    body: access?.body ?? line,
    service: service || (access?.service ?? ''),
    instance: find(['instance', 'pod', 'host', 'hostname']) || (access?.instance ?? ''),
    traceId: find(TRACE_NAMES) || (access?.traceId ?? ''),
    spanId: find(SPAN_NAMES) || (access?.spanId ?? ''),
    requestId: access?.requestId ?? '',
    attributes: [...labels, ...metadata, ...(access?.attributes ?? [])].slice(
      0,
      LOG_LIMITS.attributesMax,
    ),
    metrics: access?.metrics ?? [],
  };
}
