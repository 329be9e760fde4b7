import { COLON, CR, FIELD_VALUE, LF, LOWER_TOKEN, pastAll, SPACE, TAB } from './characters.ts';
import { nameAt, nextHash } from './field-name.ts';
import type { HeadLimits, HeadReading } from './head-reading.ts';
import { Field, type HeaderFields } from './header-fields.ts';
import { type Refused, refused } from './refused.ts';

/** As `parseFields`, unless the lines are those that the last message had. */
export function fieldsAt(
  bytes: Buffer,
  from: number,
  reading: HeadReading,
  fields: HeaderFields,
): number | Refused {
  const again = reading.recall(bytes, from, fields);
  if (again > 0) return again;
  const end = parseFields(bytes, from, reading.limits, fields);
  if (typeof end === 'number') reading.keep(bytes, from, end, fields);
  return end;
}

/** Takes the field lines from `from` on into `fields`; answers where the empty line ends. */
export function parseFields(
  bytes: Buffer,
  from: number,
  limits: HeadLimits,
  fields: HeaderFields,
): number | Refused {
  let at = from;
  while (bytes[at] !== CR) {
    const end = takeLine(bytes, at, from, fields);
    if (end === undefined) return refused(400, 'bad field line');
    if (end - at > limits.lineBytesMax) return refused(431, 'field line too long');
    if (fields.list.length > limits.fieldsMax) return refused(431, 'too many fields');
    at = end;
  }
  if (bytes[at + 1] !== LF) return refused(400, 'bare CR');
  fields.settle(bytes.toString('latin1', from, at));
  return at + 2;
}

/** The line at `at` as one more field of what began at `from`: where it ends, or undefined. */
function takeLine(
  bytes: Buffer,
  at: number,
  from: number,
  fields: HeaderFields,
): number | undefined {
  // obs-fold and space before the colon fall out here: neither SP nor HTAB is a token character.
  let nameEnd = at;
  let hash = 0;
  for (let octet = LOWER_TOKEN[bytes[at] ?? 0] ?? 0; octet !== 0; ) {
    hash = nextHash(hash, octet);
    nameEnd += 1;
    octet = LOWER_TOKEN[bytes[nameEnd] ?? 0] ?? 0;
  }
  if (bytes[nameEnd] !== COLON || nameEnd === at) return undefined;
  let valueStart = nameEnd + 1;
  while (isBlank(bytes[valueStart])) valueStart += 1;
  const lineEnd = pastAll(bytes, valueStart, FIELD_VALUE);
  if (bytes[lineEnd] !== CR || bytes[lineEnd + 1] !== LF) return undefined;
  let valueEnd = lineEnd;
  while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd -= 1;
  const name = nameAt(bytes, at, nameEnd, hash);
  const isPlain = valueStart === nameEnd + 2 && bytes[nameEnd + 1] === SPACE;
  if (isPlain && valueEnd === lineEnd) {
    fields.take(new Field(name, '', at - from, lineEnd + 2 - from));
  } else {
    const value = bytes.toString('latin1', valueStart, valueEnd);
    fields.push(bytes.toString('latin1', at, nameEnd), name.key, value);
  }
  return lineEnd + 2;
}

function isBlank(code: number | undefined): boolean {
  return code === SPACE || code === TAB;
}
