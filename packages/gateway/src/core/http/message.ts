import type { HeaderFields } from './header-fields.ts';

/** Fields of one connection, never passed on. Source: RFC 9110 §7.6.1. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'upgrade',
]);

/** Whether a field (lower case) concerns one connection only. */
export function isHopByHop(key: string): boolean {
  return HOP_BY_HOP.has(key);
}

/** Whether a field (lower case) may be passed on as a trailer. */
export function isTrailer(key: string): boolean {
  return !NOT_IN_TRAILERS.has(key);
}

/** Field lines as text, without those of one connection, those of `without`, and those it lists. */
export function fieldLines(
  { names, keys, values }: HeaderFields,
  without: ReadonlySet<string>,
  listed: readonly string[],
): string {
  let text = '';
  for (let i = 0; i < names.length; i++) {
    const key = keys[i] ?? '';
    if (HOP_BY_HOP.has(key) || without.has(key) || listed.includes(key)) continue;
    text += `${names[i]}: ${values[i]}\r\n`;
  }
  return text;
}

/**
 * Trailer fields that may be passed on: none that frames, routes, authenticates, changes how the
 * message is taken, or tells who the client is; some readers merge them into the head.
 * Source: RFC 9110 §6.5.1.
 */
export function trailerLines(trailers: HeaderFields | undefined): string {
  return trailers === undefined ? '' : fieldLines(trailers, NOT_IN_TRAILERS, []);
}

const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  ...['content-length', 'content-encoding', 'content-type', 'content-range', 'trailer', 'host'],
  ...['authorization', 'proxy-authorization', 'www-authenticate', 'cookie', 'set-cookie', 'apikey'],
  ...['expect', 'range', 'max-forwards', 'if-match', 'if-none-match', 'cache-control', 'pragma'],
  ...['forwarded', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'],
  ...['x-forwarded-port', 'x-consumer-username', 'x-consumer-custom-id'],
  ...['x-credential-identifier', 'x-userinfo', 'x-access-token', 'location', 'age', 'vary'],
]);

/** `Date`, made once a second: the same text serves every answer within it. */
export function createDateText(): (nowMs: number) => string {
  let second = -1;
  let text = '';
  return (nowMs) => {
    const now = Math.floor(nowMs / 1_000);
    if (now !== second) {
      second = now;
      text = new Date(nowMs).toUTCString();
    }
    return text;
  };
}
