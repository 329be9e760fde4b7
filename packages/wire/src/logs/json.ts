import { createListCollector, type Decoded, type DecodedList, decoded } from '../decoded.ts';
import { isObject, parseJson } from '../json.ts';
import { splitJson } from '../json-items.ts';
import { readAccessLog } from './access-log.ts';
import { LOG_LIMITS, type LogRecord } from './record.ts';
import { readVectorLog } from './vector.ts';

const RECORD_JSON = { depthMax: 64, valuesMax: 20_000 };
const decoder = new TextDecoder('utf-8', { ignoreBOM: false });

/**
 * Decodes a JSON array, one object, or one object a line. Each is a log as Vector shapes it (it has
 * a `message`), or a gateway's access-log entry, whose JSON text becomes the body. What is neither
 * is refused by itself.
 */
export function decodeLogJson(bytes: Uint8Array): Decoded<DecodedList<LogRecord>> {
  const items = splitJson(bytes, LOG_LIMITS.recordsMax);
  if (items.kind === 'invalid') return items;
  const records = createListCollector<LogRecord>();
  for (const [at, { from, to }] of items.value.entries()) {
    const record = recordIn(bytes.subarray(from, to));
    if (typeof record === 'string') records.refuse(at, record);
    else records.keep(record);
  }
  return decoded(records.list());
}

/** The record, or why the piece is none. */
function recordIn(piece: Uint8Array): LogRecord | string {
  const json = parseJson(piece, RECORD_JSON);
  if (json.kind === 'invalid') return json.reason;
  if (!isObject(json.value)) return 'a log is an object';
  return (
    readVectorLog(json.value) ??
    readAccessLog(json.value, decoder.decode(piece)) ??
    'no message, and neither request, uri nor status'
  );
}
