import {
  applicationLog,
  type LogSearchAnswer,
  type LogSearchQuery,
  qualifiedName,
  SEVERITY_NUMBER,
} from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { QueryOptions, Store } from '../storage/store.ts';

const TABLE = qualifiedName(applicationLog);
/** The first and last severity number of each level. Source: OpenTelemetry, SeverityNumber. */
const LEVELS: Readonly<Record<string, readonly [number, number]>> = {
  trace: [1, 4],
  debug: [5, 8],
  info: [9, 12],
  warn: [13, 16],
  error: [17, 20],
  fatal: [21, 24],
};

/** Where a page ended. `time` and row are enough: no two rows have the same id. */
interface Cursor {
  readonly timestampUs: number;
  readonly id: string;
}

/**
 * Log records that meet all filters, the newest first. A page goes on where the last one ended by
 * (time, id), so records that arrive meanwhile neither repeat nor hide one.
 */
export async function searchLogs(store: Store, query: LogSearchQuery): Promise<LogSearchAnswer> {
  const { where, params } = logFilter(query);
  const after = query.cursor === undefined ? undefined : parseCursor(query.cursor);
  const page =
    after === undefined
      ? ''
      : 'AND (timestamp, _id) < (fromUnixTimestamp64Micro({afterUs:Int64}), {afterId:UInt64})';
  const cursor = after === undefined ? {} : { afterUs: after.timestampUs, afterId: after.id };
  const { rows } = await store.query(
    `SELECT toString(_id) AS id, toUnixTimestamp64Micro(timestamp) AS us, severity_number,
       severity_text, app_service, app_instance, host, _type, receiver, body, trace_id, span_id,
       x_request_id, attribute_names, attribute_values
     FROM ${TABLE} WHERE ${where} ${page}
     ORDER BY timestamp DESC, _id DESC LIMIT {most:UInt32}`,
    { params: { ...params, ...cursor, most: query.limit + 1 } },
  );
  const logs = rows.slice(0, query.limit).map(logOf);
  const last = logs.at(-1);
  const isMore = rows.length > query.limit && last !== undefined;
  return { logs, ...(isMore ? { cursor: `${last.timestampUs}-${last.id}` } : {}) };
}

function logFilter(query: LogSearchQuery): {
  where: string;
  params: NonNullable<QueryOptions['params']>;
} {
  const { start, end, service, level, text, trace_id, request_id, type } = query;
  if (end < start) throw apiError('bad_time_range', { start, end });
  const conditions = [
    'time >= toDateTime(intDiv({start:Int64}, 1000000))',
    'time <= toDateTime(intDiv({end:Int64}, 1000000) + 1)',
    'timestamp >= fromUnixTimestamp64Micro({start:Int64})',
    'timestamp <= fromUnixTimestamp64Micro({end:Int64})',
  ];
  const params: Record<string, string | number | readonly string[]> = { start, end };
  const add = (condition: string, name: string, value: string | readonly string[]): void => {
    conditions.push(condition);
    params[name] = value;
  };
  if (service !== undefined) add('app_service IN {service:Array(String)}', 'service', service);
  if (type !== undefined) add('_type = {type:String}', 'type', type);
  if (trace_id !== undefined) add('trace_id = {traceId:String}', 'traceId', trace_id);
  if (request_id !== undefined) add('x_request_id = {requestId:String}', 'requestId', request_id);
  if (text !== undefined) {
    add('positionCaseInsensitiveUTF8(body, {text:String}) > 0', 'text', text);
  }
  if (level !== undefined) conditions.push(levelCondition(level));
  return { where: conditions.join(' AND '), params };
}

/** Names of levels, checked against the table above: numbers of ours go into the SQL. */
function levelCondition(levels: readonly string[]): string {
  const ranges = levels.map((name) => {
    const range = Object.hasOwn(LEVELS, name) ? LEVELS[name] : undefined;
    if (range === undefined) {
      const reason = `level: ${name.slice(0, 40)} is not ${Object.keys(LEVELS).join(', ')}`;
      throw apiError('bad_request', { reason });
    }
    return `severity_number BETWEEN ${range[0]} AND ${range[1]}`;
  });
  return `(${ranges.join(' OR ')})`;
}

function logOf(row: readonly unknown[]): LogSearchAnswer['logs'][number] {
  const [id, us, severity, word, service, instance, host, type, receiver, ...rest] = row;
  const [body, traceId, spanId, requestId, names, values] = rest;
  const texts = Array.isArray(values) ? values.map(String) : [];
  const attributes = (Array.isArray(names) ? names : []).map((name, at) => ({
    name: String(name),
    value: texts[at] ?? '',
  }));
  return {
    id: String(id),
    timestampUs: Number(us),
    severity: Number(severity),
    level: String(word) || (SEVERITY_NUMBER[Number(severity)] ?? '').toUpperCase(),
    service: String(service),
    instance: String(instance),
    host: String(host),
    type: String(type),
    receiver: String(receiver),
    body: String(body),
    traceId: String(traceId),
    spanId: String(spanId),
    requestId: String(requestId),
    attributes,
  };
}

function parseCursor(text: string): Cursor {
  const [, us, id] = /^(\d{1,17})-(\d{1,20})$/.exec(text) ?? [];
  if (us === undefined || id === undefined) throw apiError('bad_cursor');
  return { timestampUs: Number(us), id };
}
