import {
  createListCollector,
  type Decoded,
  type DecodedList,
  decoded,
  invalid,
} from '../decoded.ts';
import { isObject, type JsonObject, parseJson, printed, textOf, wholeNumberOf } from '../json.ts';
import {
  NO_ENDPOINT,
  normalId,
  ZIPKIN_LIMITS,
  type ZipkinAnnotation,
  type ZipkinEndpoint,
  type ZipkinKind,
  type ZipkinSpan,
} from './span.ts';

const KINDS: readonly ZipkinKind[] = ['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'];

/** Decodes a JSON array of v2 spans. A span that is none is refused by itself. */
export function decodeZipkinJson(bytes: Uint8Array): Decoded<DecodedList<ZipkinSpan>> {
  const json = parseJson(bytes);
  if (json.kind === 'invalid') return json;
  if (!Array.isArray(json.value)) return invalid('not an array of spans');
  if (json.value.length > ZIPKIN_LIMITS.spansMax) {
    return invalid(`${json.value.length} spans, the most is ${ZIPKIN_LIMITS.spansMax}`);
  }
  const spans = createListCollector<ZipkinSpan>();
  json.value.forEach((item: unknown, at) => {
    const span = isObject(item) ? spanOf(item) : 'a span is an object';
    if (typeof span === 'string') spans.refuse(at, span);
    else spans.keep(span);
  });
  return decoded(spans.list());
}

/** The span, or why it is none. */
function spanOf(item: JsonObject): ZipkinSpan | string {
  const traceId = normalId(textOf(item['traceId']), 32);
  if (traceId === undefined) return 'traceId is not 1 to 32 hex digits, or is zero';
  const id = normalId(textOf(item['id']), 16);
  if (id === undefined) return 'id is not 1 to 16 hex digits, or is zero';
  const parent = item['parentId'];
  const isRoot = parent === undefined || parent === null || parent === '';
  const parentId = isRoot ? '' : normalId(textOf(parent), 16);
  if (parentId === undefined) return 'parentId is not 1 to 16 hex digits, or is zero';
  const timestampUs = wholeNumberOf(item['timestamp'] ?? 0);
  if (timestampUs === undefined || timestampUs < 0) return 'timestamp is not microseconds';
  const durationUs = wholeNumberOf(item['duration'] ?? 0);
  if (durationUs === undefined || durationUs < 0) return 'duration is not microseconds';
  return {
    traceId,
    id,
    parentId: parentId === id ? '' : parentId,
    kind: KINDS.find((kind) => kind === item['kind']),
    name: textOf(item['name']),
    timestampUs,
    durationUs,
    local: endpointOf(item['localEndpoint']),
    remote: endpointOf(item['remoteEndpoint']),
    annotations: annotationsOf(item['annotations']),
    tags: tagsOf(item['tags']),
    isShared: item['shared'] === true,
    isDebug: item['debug'] === true,
  };
}

function endpointOf(value: unknown): ZipkinEndpoint {
  if (!isObject(value)) return NO_ENDPOINT;
  const port = wholeNumberOf(value['port'] ?? 0) ?? 0;
  return {
    serviceName: textOf(value['serviceName']),
    ip: textOf(value['ipv4']) || textOf(value['ipv6']),
    port: port > 0 && port < 65_536 ? port : 0,
  };
}

function annotationsOf(value: unknown): readonly ZipkinAnnotation[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, ZIPKIN_LIMITS.annotationsMax).flatMap((item: unknown) => {
    if (!isObject(item)) return [];
    return { timestampUs: wholeNumberOf(item['timestamp']) ?? 0, value: textOf(item['value']) };
  });
}

function tagsOf(value: unknown): readonly (readonly [string, string])[] {
  if (!isObject(value)) return [];
  const tags: (readonly [string, string])[] = [];
  for (const name in value) {
    if (tags.length === ZIPKIN_LIMITS.tagsMax) break;
    tags.push([name, printed(value[name])]);
  }
  return tags;
}
