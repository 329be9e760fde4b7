import { nested, readText, skipUnknown } from '../protobuf/message.ts';
import {
  type ProtoCursor,
  protoFault,
  readSignedVarint,
  readTag,
  readVarintNumber,
} from '../protobuf/reader.ts';
import { PROFILE_LIMITS } from './profile.ts';

/** A type and unit as indexes into the string table. */
export interface TypeIndexes {
  readonly type: number;
  readonly unit: number;
}

export interface Location {
  readonly mappingId: number;
  readonly address: number;
  /** Innermost first: the last is the function that holds the inlined ones. */
  readonly functionIds: readonly number[];
}

/** Everything that samples refer to by number. A profile may name it after its samples. */
export interface Tables {
  readonly strings: string[];
  readonly functionNames: Map<number, number>;
  readonly mappingFiles: Map<number, number>;
  readonly locations: Map<number, Location>;
  readonly sampleTypes: TypeIndexes[];
  periodType: TypeIndexes;
  period: number;
  timeNs: number;
  durationNs: number;
}

export function emptyTables(): Tables {
  return {
    strings: [],
    functionNames: new Map(),
    mappingFiles: new Map(),
    locations: new Map(),
    sampleTypes: [],
    periodType: { type: 0, unit: 0 },
    period: 0,
    timeNs: 0,
    durationNs: 0,
  };
}

/**
 * Reads the field behind `tag` when it is not a sample. Ids above 2^53 are taken as the nearest
 * double. Source: pprof's proto/profile.proto.
 */
export function readTable(cursor: ProtoCursor, tag: number, tables: Tables): void {
  if (tag === 0x0a) {
    mind(cursor, tables.sampleTypes.length, PROFILE_LIMITS.sampleTypesMax, 'sample types');
    tables.sampleTypes.push(nested(cursor, readValueType));
  } else if (tag === 0x1a) {
    mind(cursor, tables.mappingFiles.size, PROFILE_LIMITS.entriesMax, 'mappings');
    const { id, value } = nested(cursor, readMapping);
    tables.mappingFiles.set(id, value);
  } else if (tag === 0x22) {
    mind(cursor, tables.locations.size, PROFILE_LIMITS.entriesMax, 'locations');
    const { id, location } = nested(cursor, readLocation);
    tables.locations.set(id, location);
  } else if (tag === 0x2a) {
    mind(cursor, tables.functionNames.size, PROFILE_LIMITS.entriesMax, 'functions');
    const { id, value } = nested(cursor, readFunction);
    tables.functionNames.set(id, value);
  } else if (tag === 0x32) {
    mind(cursor, tables.strings.length, PROFILE_LIMITS.entriesMax, 'strings');
    tables.strings.push(readText(cursor));
  } else if (tag === 0x48) tables.timeNs = readSignedVarint(cursor);
  else if (tag === 0x50) tables.durationNs = readSignedVarint(cursor);
  else if (tag === 0x5a) tables.periodType = nested(cursor, readValueType);
  else if (tag === 0x60) tables.period = readSignedVarint(cursor);
  else skipUnknown(cursor, tag);
}

function mind(cursor: ProtoCursor, count: number, most: number, what: string): void {
  if (count >= most) protoFault(cursor, `more than ${most} ${what}`);
}

function readValueType(cursor: ProtoCursor): TypeIndexes {
  let type = 0;
  let unit = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) type = readVarintNumber(cursor);
    else if (tag === 0x10) unit = readVarintNumber(cursor);
    else skipUnknown(cursor, tag);
  }
  return { type, unit };
}

/** Its file name. */
function readMapping(cursor: ProtoCursor): { id: number; value: number } {
  let id = 0;
  let value = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) id = readVarintNumber(cursor);
    else if (tag === 0x28) value = readVarintNumber(cursor);
    else skipUnknown(cursor, tag);
  }
  return { id, value };
}

function readLocation(cursor: ProtoCursor): { id: number; location: Location } {
  let id = 0;
  let mappingId = 0;
  let address = 0;
  const functionIds: number[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) id = readVarintNumber(cursor);
    else if (tag === 0x10) mappingId = readVarintNumber(cursor);
    else if (tag === 0x18) address = readVarintNumber(cursor);
    else if (tag === 0x22) {
      const functionId = nested(cursor, readLine);
      if (functionIds.length < PROFILE_LIMITS.framesMax) functionIds.push(functionId);
    } else skipUnknown(cursor, tag);
  }
  return { id, location: { mappingId, address, functionIds } };
}

/** The function of a line; the line's number is not kept. */
function readLine(cursor: ProtoCursor): number {
  let functionId = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) functionId = readVarintNumber(cursor);
    else skipUnknown(cursor, tag);
  }
  return functionId;
}

/** Its name, else its system name. */
function readFunction(cursor: ProtoCursor): { id: number; value: number } {
  let id = 0;
  let name = 0;
  let systemName = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) id = readVarintNumber(cursor);
    else if (tag === 0x10) name = readVarintNumber(cursor);
    else if (tag === 0x18) systemName = readVarintNumber(cursor);
    else skipUnknown(cursor, tag);
  }
  return { id, value: name === 0 ? systemName : name };
}
