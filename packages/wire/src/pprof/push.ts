import { type Decoded, decoded, invalid } from '../decoded.ts';
import { nested, readText, skipUnknown } from '../protobuf/message.ts';
import { type ProtoCursor, protoCursor, readBytes, readTag } from '../protobuf/reader.ts';

/** Profiles under one set of labels. */
export interface PushedSeries {
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** pprof, mostly gzipped: views of the body. */
  readonly profiles: readonly Uint8Array[];
}

const SERIES_MAX = 10_000;

/** Decodes `push.v1.PushRequest`. Source: Grafana Pyroscope, push/v1/push.proto. */
export function decodePyroscopePush(bytes: Uint8Array): Decoded<readonly PushedSeries[]> {
  const cursor = protoCursor(bytes);
  const series: PushedSeries[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== 0x0a) {
      skipUnknown(cursor, tag);
      continue;
    }
    if (series.length === SERIES_MAX) return invalid(`more than ${SERIES_MAX} series`);
    series.push(nested(cursor, readSeries));
  }
  return cursor.fault === '' ? decoded(series) : invalid(cursor.fault);
}

function readSeries(cursor: ProtoCursor): PushedSeries {
  const labels: (readonly [string, string])[] = [];
  const profiles: Uint8Array[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) labels.push(nested(cursor, readLabel));
    else if (tag === 0x12) profiles.push(nested(cursor, readSample));
    else skipUnknown(cursor, tag);
  }
  return { labels, profiles };
}

function readLabel(cursor: ProtoCursor): readonly [string, string] {
  let name = '';
  let value = '';
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) name = readText(cursor);
    else if (tag === 0x12) value = readText(cursor);
    else skipUnknown(cursor, tag);
  }
  return [name, value];
}

function readSample(cursor: ProtoCursor): Uint8Array {
  let profile: Uint8Array = new Uint8Array();
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) profile = readBytes(cursor);
    else skipUnknown(cursor, tag);
  }
  return profile;
}
