import { isObject, type JsonObject } from '../json.ts';

/** Headers whose values are never stored. */
const SECRET_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'apikey',
]);
const REDACTED = '[redacted]';
const SUSPECT = /authorization|cookie|api[-_]?key/i;

/**
 * The entry without the values of secret headers, wherever they are in it, and whether there were
 * any. `raw` is the entry's JSON: most hold no such word and are answered as they are.
 */
export function withoutSecrets(
  entry: JsonObject,
  raw: string,
): { entry: JsonObject; found: boolean } {
  if (!SUSPECT.test(raw)) return { entry, found: false };
  let found = false;
  const text = JSON.stringify(entry, (key, value: unknown) => {
    if (!SECRET_HEADERS.has(headerName(key))) return value;
    found = true;
    return REDACTED;
  });
  const masked: unknown = found ? JSON.parse(text) : entry;
  return { entry: isObject(masked) ? masked : entry, found };
}

/** `http_x_api_key`, as nginx names the header's variable, is `x-api-key`. */
function headerName(key: string): string {
  return key
    .toLowerCase()
    .replace(/^(sent_)?http_/, '')
    .replaceAll('_', '-');
}
