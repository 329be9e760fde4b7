import {
  createListCollector,
  type Decoded,
  type DecodedList,
  decoded,
  invalid,
} from '../decoded.ts';
import { isObject, type JsonObject, parseJson, printed, textOf, wholeNumberOf } from '../json.ts';
import {
  LAYERS,
  SKYWALKING_LIMITS,
  type SkywalkingReference,
  type SkywalkingSegment,
  type SkywalkingSpan,
  type SkywalkingTag,
  SPAN_TYPES,
  segmentFault,
} from './segment.ts';

/**
 * Decodes one segment (`/v3/segment`) or an array of them (`/v3/segments`). Enum values come as
 * names, as protobuf's JSON has them, or as numbers. A segment that is none is refused by itself.
 */
export function decodeSkywalkingJson(bytes: Uint8Array): Decoded<DecodedList<SkywalkingSegment>> {
  const json = parseJson(bytes);
  if (json.kind === 'invalid') return json;
  const list: readonly unknown[] = Array.isArray(json.value) ? json.value : [json.value];
  const { segmentsMax } = SKYWALKING_LIMITS;
  if (list.length > segmentsMax) {
    return invalid(`${list.length} segments, the most is ${segmentsMax}`);
  }
  const segments = createListCollector<SkywalkingSegment>();
  for (const [at, item] of list.entries()) {
    const segment = isObject(item) ? segmentOf(item) : undefined;
    const fault = segment === undefined ? 'a segment is an object' : segmentFault(segment);
    if (segment !== undefined && fault === undefined) segments.keep(segment);
    else segments.refuse(at, fault ?? '');
  }
  return decoded(segments.list());
}

function segmentOf(item: JsonObject): SkywalkingSegment {
  return {
    traceId: textOf(item['traceId']),
    segmentId: textOf(item['traceSegmentId']),
    service: textOf(item['service']),
    instance: textOf(item['serviceInstance']),
    spans: objectsOf(item['spans'], SKYWALKING_LIMITS.spansMax + 1).map(spanOf),
  };
}

function spanOf(item: JsonObject): SkywalkingSpan {
  return {
    index: wholeNumberOf(item['spanId'] ?? 0) ?? -1,
    parentIndex: wholeNumberOf(item['parentSpanId'] ?? 0) ?? -1,
    startMs: wholeNumberOf(item['startTime']) ?? 0,
    endMs: wholeNumberOf(item['endTime']) ?? 0,
    references: objectsOf(item['refs'], SKYWALKING_LIMITS.referencesMax).map(referenceOf),
    operationName: textOf(item['operationName']),
    peer: textOf(item['peer']),
    type: enumOf(SPAN_TYPES, item['spanType']),
    layer: enumOf(LAYERS, item['spanLayer']),
    componentId: wholeNumberOf(item['componentId']) ?? 0,
    isError: item['isError'] === true,
    tags: tagsOf(item['tags']),
    logs: objectsOf(item['logs'], SKYWALKING_LIMITS.logsMax).map((log) => ({
      timeMs: wholeNumberOf(log['time']) ?? 0,
      data: tagsOf(log['data']),
    })),
  };
}

function referenceOf(item: JsonObject): SkywalkingReference {
  return {
    isCrossThread: item['refType'] === 'CrossThread' || item['refType'] === 1,
    traceId: textOf(item['traceId']),
    parentSegmentId: textOf(item['parentTraceSegmentId']),
    parentSpanIndex: wholeNumberOf(item['parentSpanId'] ?? 0) ?? 0,
    parentService: textOf(item['parentService']),
    parentInstance: textOf(item['parentServiceInstance']),
    parentEndpoint: textOf(item['parentEndpoint']),
    peer: textOf(item['networkAddressUsedAtPeer']),
  };
}

/** APISIX sends some values as numbers. */
export function tagsOf(value: unknown): readonly SkywalkingTag[] {
  const items = objectsOf(value, SKYWALKING_LIMITS.tagsMax);
  return items.map((item) => [textOf(item['key']), printed(item['value'])] as const);
}

function objectsOf(value: unknown, most: number): readonly JsonObject[] {
  return Array.isArray(value) ? value.slice(0, most).filter(isObject) : [];
}

/** The first name stands for what is missing, as in proto3. */
function enumOf<const Name extends string>(
  names: readonly [Name, ...Name[]] | readonly Name[],
  value: unknown,
): Name {
  const found = typeof value === 'number' ? names[value] : names.find((name) => name === value);
  const first = names[0];
  if (first === undefined) throw new Error('BUG: an enum without names');
  return found ?? first;
}
