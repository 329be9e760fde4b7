import { INFLUX_LIMITS, type InfluxPoint, type InfluxValue } from './point.ts';

/** A place in one line; `fault` says why reading stopped. */
interface Cursor {
  readonly text: string;
  at: number;
  fault: string;
}

const INT64 = { min: -(1n << 63n), max: (1n << 63n) - 1n };
const UINT64_MAX = (1n << 64n) - 1n;
const FLOAT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const TRUE = new Set(['t', 'T', 'true', 'True', 'TRUE']);
const FALSE = new Set(['f', 'F', 'false', 'False', 'FALSE']);

/**
 * Reads `measurement[,tag=value…] field=value[,field=value…] [timestamp]`, or says why it cannot.
 * A backslash escapes a comma, a space and, outside the measurement, an equals sign; before anything
 * else it stands for itself. Source: InfluxDB, "Line protocol".
 */
export function readInfluxLine(text: string, unitNs: bigint): InfluxPoint | string {
  const cursor: Cursor = { text, at: 0, fault: '' };
  const measurement = readName(cursor, ', ');
  if (measurement === '') return 'missing measurement';
  const tags = readTags(cursor);
  if (cursor.fault !== '') return cursor.fault;
  skipSpaces(cursor);
  if (cursor.at >= text.length) return 'missing fields';
  const fields = readFields(cursor);
  if (cursor.fault !== '') return cursor.fault;
  skipSpaces(cursor);
  const stamp = text.slice(cursor.at).trimEnd();
  if (stamp === '') return { measurement, tags, fields, timestampNs: undefined };
  if (!/^-?\d{1,19}$/.test(stamp)) return `bad timestamp ${shortened(stamp)}`;
  const timestampNs = BigInt(stamp) * unitNs;
  if (timestampNs < INT64.min || timestampNs > INT64.max) return 'timestamp out of range';
  return { measurement, tags, fields, timestampNs };
}

function readTags(cursor: Cursor): readonly (readonly [string, string])[] {
  const tags: (readonly [string, string])[] = [];
  while (cursor.text[cursor.at] === ',') {
    cursor.at += 1;
    const key = readName(cursor, '=, ');
    if (key === '') return fail(cursor, 'missing tag key');
    if (cursor.text[cursor.at] !== '=')
      return fail(cursor, `missing value of tag ${shortened(key)}`);
    cursor.at += 1;
    const value = readName(cursor, ', =');
    if (cursor.text[cursor.at] === '=') return fail(cursor, `tag ${shortened(key)} has a bare =`);
    if (value === '') return fail(cursor, `missing value of tag ${shortened(key)}`);
    if (tags.length === INFLUX_LIMITS.tagsMax) {
      return fail(cursor, `more than ${INFLUX_LIMITS.tagsMax} tags`);
    }
    if (tags.some(([name]) => name === key)) return fail(cursor, `tag ${shortened(key)} twice`);
    tags.push([key, value]);
  }
  return tags;
}

function readFields(cursor: Cursor): readonly (readonly [string, InfluxValue])[] {
  const fields: (readonly [string, InfluxValue])[] = [];
  for (;;) {
    const key = readName(cursor, '=, ');
    if (key === '') return fail(cursor, 'missing field key');
    if (cursor.text[cursor.at] !== '=') return fail(cursor, `field ${shortened(key)} has no value`);
    cursor.at += 1;
    const value = cursor.text[cursor.at] === '"' ? readString(cursor) : readBare(cursor);
    if (typeof value === 'string') return fail(cursor, `field ${shortened(key)}: ${value}`);
    if (fields.length === INFLUX_LIMITS.fieldsMax) {
      return fail(cursor, `more than ${INFLUX_LIMITS.fieldsMax} fields`);
    }
    fields.push([key, value]);
    const next = cursor.text[cursor.at];
    if (next === undefined || next === ' ') return fields;
    if (next !== ',') return fail(cursor, `field ${shortened(key)} is followed by more`);
    cursor.at += 1;
  }
}

/** Up to one of `ends`, which is not consumed; escapes resolved. */
function readName(cursor: Cursor, ends: string): string {
  const { text } = cursor;
  let name = '';
  let from = cursor.at;
  for (;;) {
    const letter = text[cursor.at];
    if (letter === undefined || ends.includes(letter)) break;
    const escaped = text[cursor.at + 1];
    if (letter === '\\' && escaped !== undefined && ',= '.includes(escaped)) {
      name += text.slice(from, cursor.at);
      from = cursor.at + 1;
      cursor.at += 1;
    }
    cursor.at += 1;
  }
  return name + text.slice(from, cursor.at);
}

/** In quotes only `\"` and `\\` are escapes. */
function readString(cursor: Cursor): InfluxValue | string {
  const { text } = cursor;
  let value = '';
  cursor.at += 1;
  let from = cursor.at;
  for (;;) {
    const letter = text[cursor.at];
    if (letter === undefined) return 'unbalanced quotes';
    if (letter === '"') break;
    const escaped = text[cursor.at + 1];
    if (letter === '\\' && (escaped === '"' || escaped === '\\')) {
      value += text.slice(from, cursor.at);
      from = cursor.at + 1;
      cursor.at += 1;
    }
    cursor.at += 1;
  }
  value += text.slice(from, cursor.at);
  cursor.at += 1;
  return { kind: 'string', text: value };
}

function readBare(cursor: Cursor): InfluxValue | string {
  const from = cursor.at;
  while (cursor.at < cursor.text.length && !', '.includes(cursor.text[cursor.at] ?? '')) {
    cursor.at += 1;
  }
  const raw = cursor.text.slice(from, cursor.at);
  if (raw === '') return 'missing value';
  if (TRUE.has(raw)) return { kind: 'boolean', isTrue: true };
  if (FALSE.has(raw)) return { kind: 'boolean', isTrue: false };
  if (/^[+-]?\d{1,20}i$/.test(raw)) return integer(raw, 'integer', INT64.min, INT64.max);
  if (/^\d{1,20}u$/.test(raw)) return integer(raw, 'unsigned', 0n, UINT64_MAX);
  if (!FLOAT.test(raw)) return `${shortened(raw)} is no float, integer, boolean or string`;
  const number = Number(raw);
  return Number.isFinite(number) ? { kind: 'float', number } : `${shortened(raw)} is out of range`;
}

function integer(
  raw: string,
  kind: 'integer' | 'unsigned',
  min: bigint,
  max: bigint,
): InfluxValue | string {
  const wide = BigInt(raw.slice(0, -1).replace(/^\+/, ''));
  if (wide < min || wide > max) return `${shortened(raw)} is out of range`;
  return { kind, number: Number(wide), digits: wide.toString() };
}

function skipSpaces(cursor: Cursor): void {
  while (cursor.text[cursor.at] === ' ') cursor.at += 1;
}

function fail(cursor: Cursor, fault: string): [] {
  cursor.fault ||= fault;
  return [];
}

function shortened(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
