import { isObject, parseJson } from '../json.ts';
import { readAccessLog } from './access-log.ts';
import type { LogRecord } from './record.ts';

const LINE_JSON = { depthMax: 64, valuesMax: 20_000 };
const encoder = new TextEncoder();

/** The access-log entry of a gateway that a log line of another protocol holds, if it does. */
export function accessLogIn(line: string): LogRecord | undefined {
  if (!line.startsWith('{') || !line.includes('"route_id"')) return undefined;
  const json = parseJson(encoder.encode(line), LINE_JSON);
  if (json.kind === 'invalid' || !isObject(json.value)) return undefined;
  return readAccessLog(json.value, line);
}
