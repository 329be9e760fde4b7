import { type Decoded, decoded, invalid } from '../decoded.ts';
import { nested, skipUnknown } from '../protobuf/message.ts';
import {
  type ProtoCursor,
  protoCursor,
  readLengthEnd,
  readSignedVarint,
  readTag,
  readVarintNumber,
  skipField,
  WIRE_LENGTH,
} from '../protobuf/reader.ts';
import { PROFILE_LIMITS, type Profile, type ProfileSample, type SampleType } from './profile.ts';
import { createStackNames, type StackNames } from './stack-names.ts';
import { emptyTables, readTable, type Tables, type TypeIndexes } from './tables.ts';

const SAMPLE_TAG = 0x12;

/**
 * Decodes pprof's `Profile` (not gzipped). Two passes: the tables that samples refer to may come
 * after them. A sample whose location is not there keeps its place as `[unknown]`; one with fewer
 * or more values than there are sample types makes the profile invalid.
 */
export function decodePprof(bytes: Uint8Array): Decoded<Profile> {
  const tables = emptyTables();
  const first = protoCursor(bytes);
  let count = 0;
  for (let tag = readTag(first); tag !== 0; tag = readTag(first)) {
    if (tag === SAMPLE_TAG) {
      skipField(first, WIRE_LENGTH);
      count += 1;
    } else readTable(first, tag, tables);
  }
  if (first.fault !== '') return invalid(first.fault);
  if (count > PROFILE_LIMITS.samplesMax) {
    return invalid(`${count} samples, the most is ${PROFILE_LIMITS.samplesMax}`);
  }
  if (tables.sampleTypes.length === 0) return invalid('no sample types');
  return readSamples(bytes, tables);
}

function readSamples(bytes: Uint8Array, tables: Tables): Decoded<Profile> {
  const names = createStackNames(tables);
  const samples: ProfileSample[] = [];
  const cursor = protoCursor(bytes);
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag !== SAMPLE_TAG) {
      skipUnknown(cursor, tag);
      continue;
    }
    const sample = nested(cursor, (inner) => readSample(inner, tables, names));
    if (cursor.fault !== '') break;
    if (sample.values.length !== tables.sampleTypes.length) {
      const wanted = tables.sampleTypes.length;
      return invalid(
        `sample ${samples.length} has ${sample.values.length} values for ${wanted} types`,
      );
    }
    samples.push(sample);
    if (names.textLength() > PROFILE_LIMITS.stackTextMax) {
      return invalid(`stacks of more than ${PROFILE_LIMITS.stackTextMax} characters`);
    }
  }
  if (cursor.fault !== '') return invalid(cursor.fault);
  return decoded({
    sampleTypes: tables.sampleTypes.map((type) => typeOf(tables, type)),
    samples,
    timeNs: tables.timeNs,
    durationNs: tables.durationNs,
    periodType: typeOf(tables, tables.periodType),
    period: tables.period,
    shortenedStacks: names.shortened(),
  });
}

function typeOf({ strings }: Tables, { type, unit }: TypeIndexes): SampleType {
  return { type: strings[type] ?? '', unit: strings[unit] ?? '' };
}

function readSample(cursor: ProtoCursor, tables: Tables, names: StackNames): ProfileSample {
  const locationIds: number[] = [];
  const values: number[] = [];
  const labels: (readonly [string, string])[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x0a) packed(cursor, () => locationIds.push(readVarintNumber(cursor)));
    else if (tag === 0x08) locationIds.push(readVarintNumber(cursor));
    else if (tag === 0x12) packed(cursor, () => values.push(readSignedVarint(cursor)));
    else if (tag === 0x10) values.push(readSignedVarint(cursor));
    else if (tag === 0x1a) {
      const label = nested(cursor, (inner) => readLabel(inner, tables));
      if (labels.length < PROFILE_LIMITS.labelsMax) labels.push(label);
    } else skipUnknown(cursor, tag);
  }
  return { stack: names.stackOf(locationIds), values, labels };
}

function packed(cursor: ProtoCursor, read: () => void): void {
  const outer = cursor.end;
  cursor.end = readLengthEnd(cursor);
  while (cursor.at < cursor.end) read();
  cursor.end = outer;
  if (cursor.fault !== '') cursor.at = outer;
}

function readLabel(cursor: ProtoCursor, { strings }: Tables): readonly [string, string] {
  let key = 0;
  let text = 0;
  let number = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) key = readVarintNumber(cursor);
    else if (tag === 0x10) text = readVarintNumber(cursor);
    else if (tag === 0x18) number = readSignedVarint(cursor);
    else skipUnknown(cursor, tag);
  }
  return [strings[key] ?? '', text === 0 ? String(number) : (strings[text] ?? '')];
}
