import { isObject, type JsonObject, printed, textOf } from '../json.ts';
import { readTrace } from '../trace-headers/read.ts';
import { parseTraceparent } from '../trace-headers/traceparent.ts';
import { LOG_LIMITS, type LogAttribute, type LogLevel, type LogRecord } from './record.ts';
import { withoutSecrets } from './secrets.ts';
import { readTimestampUs } from './timestamp.ts';

/** Where an entry says which trace it belongs to; the gateway's own id before what came in. */
const TRACE_ID_KEYS = [
  'opentelemetry_trace_id',
  'zipkin_trace_id',
  'trace_id',
  'traceId',
  'traceid',
];
const SPAN_ID_KEYS = ['opentelemetry_span_id', 'zipkin_span_id', 'span_id', 'spanId', 'spanid'];
const REQUEST_ID_KEYS = [
  'x_request_id',
  'x-request-id',
  'http_x_request_id',
  'request_id',
  'req_id',
  'requestId',
];
const TIME_KEYS = ['start_time', '@timestamp', 'timestamp', 'time', 'time_iso8601', 'msec'];

/**
 * Reads a gateway's access-log entry: APISIX's default format (`request`, `response`, `start_time`,
 * latencies in milliseconds), or fields that a `log_format` chose. The entry's JSON is the body, with
 * secret headers masked. Undefined when nothing in it speaks of a request.
 */
export function readAccessLog(given: JsonObject, raw: string): LogRecord | undefined {
  const { entry, found } = withoutSecrets(given, raw);
  const request = isObject(entry['request']) ? entry['request'] : undefined;
  const response = isObject(entry['response']) ? entry['response'] : undefined;
  const speaks =
    request !== undefined ||
    ['request', 'uri', 'status', 'route_id'].some((key) => entry[key] !== undefined);
  if (!speaks) return undefined;
  const headers = headersOf(request);
  const answered = headersOf(response);
  const ids = readIds(entry, headers, answered);
  const attributes: LogAttribute[] = [];
  const metrics: (readonly [string, number])[] = [];
  if (request !== undefined) defaultFormat(entry, request, response, attributes);
  else chosenFormat(entry, attributes);
  collectMetrics(entry, metrics);
  const time = TIME_KEYS.find((key) => entry[key] !== undefined);
  const server = isObject(entry['server']) ? entry['server'] : {};
  const isApisix = entry['route_id'] !== undefined || entry['apisix_latency'] !== undefined;
  return {
    timeUs: time === undefined ? undefined : readTimestampUs(entry[time]),
    type: 'access',
    level: levelOf(Number(response?.['status'] ?? entry['status'])),
    body: found ? JSON.stringify(entry) : raw,
    service: textOf(entry['app_service']) || (isApisix ? 'apisix' : ''),
    instance: textOf(server['hostname']) || textOf(entry['hostname']),
    ...ids,
    attributes: attributes.slice(0, LOG_LIMITS.attributesMax),
    metrics,
  };
}

function defaultFormat(
  entry: JsonObject,
  request: JsonObject,
  response: JsonObject | undefined,
  attributes: LogAttribute[],
): void {
  const headers = isObject(request['headers']) ? request['headers'] : {};
  const uri = printed(request['uri']);
  const consumer = isObject(entry['consumer']) ? entry['consumer'] : {};
  const found: Readonly<Record<string, unknown>> = {
    'http.request.method': request['method'],
    'url.full': request['url'],
    'url.path': uri.split('?', 1)[0],
    'http.request.size': request['size'],
    'http.response.status_code': response?.['status'],
    'http.response.size': response?.['size'],
    'server.address': firstOf(headers['host']),
    'user_agent.original': firstOf(headers['user-agent']),
    'client.address': entry['client_ip'],
    'apisix.upstream': entry['upstream'],
    'apisix.route_id': entry['route_id'],
    'apisix.service_id': entry['service_id'],
    'apisix.consumer': consumer['username'],
  };
  for (const name in found) add(attributes, name, found[name]);
  const known = ['request', 'response', 'server', 'consumer', 'client_ip', 'upstream'];
  const skipped = new Set([...known, 'route_id', 'service_id', 'start_time']);
  for (const name in entry) {
    if (!skipped.has(name) && typeof entry[name] !== 'number') add(attributes, name, entry[name]);
  }
}

/** Names that a log_format often chooses, under OpenTelemetry's; the others keep their own. */
const CHOSEN: Readonly<Record<string, string>> = {
  method: 'http.request.method',
  request_method: 'http.request.method',
  status: 'http.response.status_code',
  uri: 'url.path',
  args: 'url.query',
  host: 'server.address',
  client_ip: 'client.address',
  remote_addr: 'client.address',
  http_user_agent: 'user_agent.original',
  request_length: 'http.request.size',
  bytes_sent: 'http.response.size',
  upstream_addr: 'apisix.upstream',
  upstream_status: 'apisix.upstream_status',
  route_id: 'apisix.route_id',
  route_name: 'apisix.route_name',
  service_id: 'apisix.service_id',
  service_name: 'apisix.service_name',
  consumer: 'apisix.consumer',
  consumer_name: 'apisix.consumer',
};

function chosenFormat(entry: JsonObject, attributes: LogAttribute[]): void {
  const line = /^([A-Z]{1,16}) (\S+) HTTP\/([\d.]+)$/.exec(textOf(entry['request']));
  if (line !== null && entry['method'] === undefined && entry['request_method'] === undefined) {
    add(attributes, 'http.request.method', line[1]);
  }
  if (line !== null && entry['uri'] === undefined) {
    add(attributes, 'url.path', line[2]?.split('?', 1)[0]);
  }
  for (const name in entry) {
    add(attributes, CHOSEN[name] ?? name, entry[name]);
  }
}

function collectMetrics(entry: JsonObject, metrics: (readonly [string, number])[]): void {
  const names = ['latency', 'upstream_latency', 'apisix_latency'];
  const times = ['request_time', 'upstream_response_time', 'request_length', 'bytes_sent'];
  for (const name of [...names, ...times]) {
    const value = entry[name];
    if (typeof value === 'number' && Number.isFinite(value)) metrics.push([name, value]);
  }
}

function readIds(
  entry: JsonObject,
  headers: Headers,
  answered: Headers,
): { traceId: string; spanId: string; requestId: string } {
  const requestId =
    firstText(entry, REQUEST_ID_KEYS) ||
    (answered.find(([name]) => name === 'x-request-id')?.[1] ?? '') ||
    (headers.find(([name]) => name === 'x-request-id')?.[1] ?? '');
  const traceId = firstText(entry, TRACE_ID_KEYS);
  if (traceId !== '') return { traceId, spanId: firstText(entry, SPAN_ID_KEYS), requestId };
  const context = readTrace(headers) ?? contextIn(entry);
  return { traceId: context?.traceId ?? '', spanId: context?.spanId ?? '', requestId };
}

/** A field of any name may hold a whole traceparent or sw8 header. */
function contextIn(entry: JsonObject): ReturnType<typeof parseTraceparent> {
  for (const name in entry) {
    const value = entry[name];
    if (typeof value !== 'string') continue;
    const context =
      parseTraceparent(value) ?? (/sw8/.test(name) ? readTrace([['sw8', value]]) : undefined);
    if (context !== undefined) return context;
  }
  return undefined;
}

function firstText(entry: JsonObject, keys: readonly string[]): string {
  for (const key of keys) {
    const text = textOf(entry[key]);
    if (text !== '' && text !== '-' && text.length <= 256) return text;
  }
  return '';
}

type Headers = readonly (readonly [name: string, value: string])[];

function headersOf(message: JsonObject | undefined): Headers {
  const headers = message?.['headers'];
  if (!isObject(headers)) return [];
  return Object.entries(headers).map(([name, value]) => [name.toLowerCase(), firstOf(value)]);
}

/** Of a header that was sent more than once, APISIX logs a list. */
function firstOf(value: unknown): string {
  return printed(Array.isArray(value) ? value[0] : value);
}

function add(attributes: LogAttribute[], name: string, value: unknown): void {
  const text = printed(value);
  if (text !== '') attributes.push([name, text]);
}

function levelOf(status: number): LogLevel {
  if (status >= 500) return 'ERROR';
  return status >= 400 ? 'WARN' : 'INFO';
}
