import {
  createListCollector,
  type Decoded,
  type DecodedList,
  decoded,
  invalid,
} from '../decoded.ts';
import { isObject, type JsonObject, parseJson, printed, textOf, wholeNumberOf } from '../json.ts';
import { nested, readText, skipUnknown } from '../protobuf/message.ts';
import { type ProtoCursor, protoCursor, readSignedVarint, readTag } from '../protobuf/reader.ts';
import { tagsOf } from '../skywalking/json.ts';
import { readPair } from '../skywalking/proto.ts';
import { accessLogIn } from './access-log-line.ts';
import { LOG_LIMITS, type LogAttribute, type LogRecord, readLevel } from './record.ts';

/** A log of SkyWalking's protocol. Source: SkyWalking data collect protocol, logging/Logging.proto. */
interface SkywalkingLog {
  readonly timeMs: number;
  readonly service: string;
  readonly instance: string;
  readonly endpoint: string;
  readonly body: string;
  readonly traceId: string;
  readonly segmentId: string;
  readonly spanIndex: number;
  readonly tags: readonly LogAttribute[];
  readonly layer: string;
}

/** Decodes `/v3/logs`: an array of LogData, or one. */
export function decodeSkywalkingLogs(bytes: Uint8Array): Decoded<DecodedList<LogRecord>> {
  const json = parseJson(bytes);
  if (json.kind === 'invalid') return json;
  const list: readonly unknown[] = Array.isArray(json.value) ? json.value : [json.value];
  if (list.length > LOG_LIMITS.recordsMax)
    return invalid(`more than ${LOG_LIMITS.recordsMax} logs`);
  const records = createListCollector<LogRecord>();
  for (const [at, item] of list.entries()) {
    const log = isObject(item) ? logOf(item) : undefined;
    if (log === undefined || log.body === '')
      records.refuse(at, 'a log has a body of text or JSON');
    else records.keep(recordOf(log));
  }
  return decoded(records.list());
}

function logOf(item: JsonObject): SkywalkingLog {
  const body = isObject(item['body']) ? item['body'] : {};
  const part = (kind: string): string => {
    const inner = body[kind];
    return isObject(inner) ? printed(inner[kind]) : '';
  };
  const trace = isObject(item['traceContext']) ? item['traceContext'] : {};
  const tags = isObject(item['tags']) ? item['tags'] : {};
  return {
    timeMs: wholeNumberOf(item['timestamp']) ?? 0,
    service: textOf(item['service']),
    instance: textOf(item['serviceInstance']),
    endpoint: textOf(item['endpoint']),
    body: part('text') || part('json') || part('yaml'),
    traceId: textOf(trace['traceId']),
    segmentId: textOf(trace['traceSegmentId']),
    spanIndex: wholeNumberOf(trace['spanId'] ?? 0) ?? 0,
    tags: tagsOf(tags['data']),
    layer: textOf(item['layer']),
  };
}

/** Decodes `LogData`, a message of the stream `LogReportService/collect`. */
export function decodeSkywalkingLog(bytes: Uint8Array): Decoded<DecodedList<LogRecord>> {
  const cursor = protoCursor(bytes);
  let timeMs = 0;
  const texts = { service: '', instance: '', endpoint: '', body: '', layer: '' };
  let trace = { traceId: '', segmentId: '', spanIndex: 0 };
  let tags: readonly LogAttribute[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) timeMs = readSignedVarint(cursor);
    else if (tag === 0x12) texts.service = readText(cursor);
    else if (tag === 0x1a) texts.instance = readText(cursor);
    else if (tag === 0x22) texts.endpoint = readText(cursor);
    else if (tag === 0x2a) texts.body = nested(cursor, readBody);
    else if (tag === 0x32) trace = nested(cursor, readTraceContext);
    else if (tag === 0x3a) tags = nested(cursor, readTags);
    else if (tag === 0x42) texts.layer = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  if (cursor.fault !== '') return invalid(cursor.fault);
  const records = createListCollector<LogRecord>();
  if (texts.body === '') records.refuse(0, 'a log has a body of text or JSON');
  else records.keep(recordOf({ timeMs, ...texts, ...trace, tags }));
  return decoded(records.list());
}

/** `LogDataBody`: its type, then a text, JSON or YAML, each a message around one text. */
function readBody(cursor: ProtoCursor): string {
  let body = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x12 || tag === 0x1a || tag === 0x22) body = nested(cursor, readInner);
    else skipUnknown(cursor, tag);
  }
  return body;
}

function readInner(cursor: ProtoCursor): string {
  let text = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) text = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  return text;
}

function readTraceContext(cursor: ProtoCursor): {
  traceId: string;
  segmentId: string;
  spanIndex: number;
} {
  let traceId = '';
  let segmentId = '';
  let spanIndex = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) traceId = readText(cursor);
    else if (tag === 0x12) segmentId = readText(cursor);
    else if (tag === 0x18) spanIndex = readSignedVarint(cursor);
    else skipUnknown(cursor, tag);
  }
  return { traceId, segmentId, spanIndex };
}

function readTags(cursor: ProtoCursor): readonly LogAttribute[] {
  const tags: LogAttribute[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== 0x0a) skipUnknown(cursor, tag);
    else {
      const pair = nested(cursor, readPair);
      if (tags.length < LOG_LIMITS.attributesMax) tags.push(pair);
    }
  }
  return tags;
}

/** A body that is a gateway's access-log entry is read as one. */
function recordOf(log: SkywalkingLog): LogRecord {
  const access = accessLogIn(log.body);
  const level = log.tags.find(([key]) => key.toLowerCase() === 'level')?.[1] ?? '';
  const isTraced = log.traceId !== '' && log.segmentId !== '';
  const own: LogAttribute[] = [
    ['skywalking.endpoint', log.endpoint],
    ['skywalking.layer', log.layer],
  ];
  const attributes = [...log.tags, ...own.filter(([, value]) => value !== '')];
  return {
    timeUs: log.timeMs > 0 ? log.timeMs * 1e3 : access?.timeUs,
    type: access?.type ?? 'user',
    level: readLevel(level) ?? access?.level,
    body: access?.body ?? log.body,
    service: log.service || (access?.service ?? ''),
    instance: log.instance || (access?.instance ?? ''),
    traceId: log.traceId || (access?.traceId ?? ''),
    spanId: isTraced ? `${log.segmentId}-${log.spanIndex}` : (access?.spanId ?? ''),
    requestId: access?.requestId ?? '',
    attributes: [...attributes, ...(access?.attributes ?? [])].slice(0, LOG_LIMITS.attributesMax),
    metrics: access?.metrics ?? [],
  };
}
