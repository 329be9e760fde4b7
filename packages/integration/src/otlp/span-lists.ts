import {
  attributesJson,
  createAnyView,
  createEvent,
  createLink,
  nanoText,
  type OtlpEvent,
  type OtlpLink,
  type OtlpSpan,
  type ProtoCursor,
  type Range,
  readAnyValue,
  readEvent,
  readLink,
} from '@thalweg/wire';
import { decodeText } from './decode-text.ts';
import { JSON_UNITS_MAX } from './resource.ts';

/** Events or links as a JSON array, and how many did not fit. */
export interface ListJson {
  readonly json: string;
  readonly dropped: number;
}
const EMPTY: ListJson = { json: '', dropped: 0 };

export interface SpanLists {
  /** `[{"time_unix_nano": "…", "name", "attributes", "dropped_attributes_count"}]`. */
  events(cursor: ProtoCursor, span: OtlpSpan): ListJson;
  /** `[{"trace_id", "span_id", "trace_state", "attributes", "dropped_attributes_count"}]`. */
  links(cursor: ProtoCursor, span: OtlpSpan): ListJson;
  /** Message of the span's first exception event, else its type; '' when there is none. */
  exception(cursor: ProtoCursor, span: OtlpSpan): string;
}

export function createSpanLists(): SpanLists {
  const event = createEvent();
  const link = createLink();

  function exception(cursor: ProtoCursor, span: OtlpSpan): string {
    for (let i = 0; i < span.eventCount; i++) {
      const range = span.events[i];
      if (range === undefined) break;
      readEvent(cursor, range, event);
      if (decodeText(cursor.bytes, event.name.from, event.name.to) !== 'exception') continue;
      const message = attributeText(cursor, event, 'exception.message');
      return message === '' ? attributeText(cursor, event, 'exception.type') : message;
    }
    return '';
  }

  // Made once: a function for each span would be garbage, and most have neither.
  const eventAt = (cursor: ProtoCursor, range: Range): string => {
    readEvent(cursor, range, event);
    return eventJson(cursor, event);
  };
  const linkAt = (cursor: ProtoCursor, range: Range): string => {
    readLink(cursor, range, link);
    return linkJson(cursor, link);
  };
  return {
    events: (cursor, { events, eventCount }) => listJson(cursor, events, eventCount, eventAt),
    links: (cursor, { links, linkCount }) => listJson(cursor, links, linkCount, linkAt),
    exception,
  };
}

function listJson(
  cursor: ProtoCursor,
  ranges: readonly Range[],
  count: number,
  jsonAt: (cursor: ProtoCursor, range: Range) => string,
): ListJson {
  if (count === 0) return EMPTY;
  const items: string[] = [];
  let units = 2;
  for (let i = 0; i < count; i++) {
    const range = ranges[i];
    if (range === undefined) break;
    const json = jsonAt(cursor, range);
    units += json.length + 1;
    if (units > JSON_UNITS_MAX) return { json: `[${items.join(',')}]`, dropped: count - i };
    items.push(json);
  }
  return { json: `[${items.join(',')}]`, dropped: 0 };
}

function eventJson(cursor: ProtoCursor, event: OtlpEvent): string {
  const name = decodeText(cursor.bytes, event.name.from, event.name.to);
  const members = [`"time_unix_nano":"${nanoText(event.time)}"`, `"name":${JSON.stringify(name)}`];
  return `{${[...members, ...attributeMembers(cursor, event)].join(',')}}`;
}

function linkJson(cursor: ProtoCursor, link: OtlpLink): string {
  const state = decodeText(cursor.bytes, link.traceState.from, link.traceState.to);
  const members = [
    `"trace_id":"${hexText(cursor.bytes, link.traceId)}"`,
    `"span_id":"${hexText(cursor.bytes, link.spanId)}"`,
    ...(state === '' ? [] : [`"trace_state":${JSON.stringify(state)}`]),
    ...(link.flags === 0 ? [] : [`"flags":${link.flags}`]),
  ];
  return `{${[...members, ...attributeMembers(cursor, link)].join(',')}}`;
}

function attributeMembers(cursor: ProtoCursor, holder: OtlpEvent | OtlpLink): string[] {
  const { attributes, droppedAttributes } = holder;
  return [
    ...(attributes.count === 0
      ? []
      : [`"attributes":${attributesJson(cursor, attributes, decodeText)}`]),
    ...(droppedAttributes === 0 ? [] : [`"dropped_attributes_count":${droppedAttributes}`]),
  ];
}

function attributeText(cursor: ProtoCursor, { attributes }: OtlpEvent, name: string): string {
  const view = createAnyView();
  for (let i = 0; i < attributes.count; i++) {
    const from = attributes.keyFrom[i] ?? 0;
    if (decodeText(cursor.bytes, from, attributes.keyTo[i] ?? 0) !== name) continue;
    readAnyValue(cursor, attributes.valueFrom[i] ?? 0, attributes.valueTo[i] ?? 0, view);
    return view.kind === 'text' ? decodeText(cursor.bytes, view.from, view.to) : '';
  }
  return '';
}

function hexText(bytes: Uint8Array, { from, to }: Range): string {
  let text = '';
  for (let i = from; i < to; i++) text += (bytes[i] ?? 0).toString(16).padStart(2, '0');
  return text;
}
