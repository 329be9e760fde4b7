/** What is known of a field by its name. */
export interface FieldName {
  /** In lower case. */
  readonly key: string;
  /** What it is, as a sum of the kinds below. */
  readonly kinds: number;
}

/** Of one connection, never passed on. Source: RFC 9110 §7.6.1. */
export const HOP_BY_HOP = 1;
/** Written by the gateway itself towards a node, or of the client's connection alone. */
export const WRITTEN_ANEW = 2;
/**
 * None of a trailer: it frames, routes, authenticates, changes how the message is taken, or tells who
 * the client is; some readers merge trailers into the head. Source: RFC 9110 §6.5.1.
 */
export const NOT_IN_TRAILERS = 4;
/** It says where a message ends, who it is for or how it goes on: each of these has a kind of its own. */
export const HOST = 8;
export const CONTENT_LENGTH = 16;
export const TRANSFER_ENCODING = 32;
export const CONNECTION = 64;
export const EXPECT = 128;
export const UPGRADE = 256;
/** Says where a request came to, and for whom. */
export const FORWARDED = 512;

const KINDS: readonly (readonly [number, readonly string[]])[] = [
  [
    HOP_BY_HOP,
    ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'upgrade'],
  ],
  [WRITTEN_ANEW, ['host', 'content-length', 'expect', 'forwarded', 'x-real-ip', 'x-forwarded-for']],
  [
    NOT_IN_TRAILERS,
    [
      ...['content-length', 'content-encoding', 'content-type', 'content-range', 'trailer', 'host'],
      ...['authorization', 'proxy-authorization', 'www-authenticate', 'cookie', 'set-cookie'],
      ...['expect', 'range', 'max-forwards', 'if-match', 'if-none-match', 'cache-control'],
      ...['forwarded', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'],
      ...['x-forwarded-port', 'x-consumer-username', 'x-consumer-custom-id', 'apikey', 'pragma'],
      ...['x-credential-identifier', 'x-userinfo', 'x-access-token', 'location', 'age', 'vary'],
    ],
  ],
  [HOST, ['host']],
  [CONTENT_LENGTH, ['content-length']],
  [TRANSFER_ENCODING, ['transfer-encoding']],
  [CONNECTION, ['connection']],
  [EXPECT, ['expect']],
  [UPGRADE, ['upgrade']],
  [FORWARDED, ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port']],
];

/** Names that are kept: past it each costs a little more. */
const NAMES_MAX = 1_024;
const NAME_BYTES_MAX = 64;
/** Twice as many places: most names are found at the first. */
const PLACES = 2 * NAMES_MAX;
const PROBES_MAX = 8;

const kindsOf = new Map<string, number>();
for (const [kind, keys] of KINDS) {
  for (const key of keys) kindsOf.set(key, (kindsOf.get(key) ?? 0) | kind);
}
const places: (FieldName | undefined)[] = new Array(PLACES).fill(undefined);
let count = 0;
for (const key of kindsOf.keys()) fieldName(key);

/** The name with `key`, which is in lower case. */
export function fieldName(key: string): FieldName {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = nextHash(hash, key.charCodeAt(i));
  for (let i = 0; i < PROBES_MAX; i++) {
    const known = places[(hash + i) & (PLACES - 1)];
    if (known === undefined) break;
    if (known.key === key) return known;
  }
  return learn(key, hash);
}

/** The hash that `nameAt` wants: begun with 0, then of each octet in lower case. */
export function nextHash(hash: number, octet: number): number {
  return (Math.imul(hash, 31) + octet) | 0;
}

/** The name at `[from, end)`, in any case, whose lower case has this hash. */
export function nameAt(bytes: Buffer, from: number, end: number, hash: number): FieldName {
  for (let i = 0; i < PROBES_MAX; i++) {
    const known = places[(hash + i) & (PLACES - 1)];
    if (known === undefined) break;
    if (isAt(bytes, from, end, known.key)) return known;
  }
  return learn(bytes.toString('latin1', from, end).toLowerCase(), hash);
}

function isAt(bytes: Buffer, from: number, end: number, key: string): boolean {
  if (end - from !== key.length) return false;
  for (let i = 0; i < key.length; i++) {
    const octet = bytes[from + i] ?? 0;
    const code = key.charCodeAt(i);
    // Of a letter in upper case the bit is 0 that a small one has.
    if (octet !== code && !(octet >= 65 && octet <= 90 && (octet | 32) === code)) return false;
  }
  return true;
}

function learn(key: string, hash: number): FieldName {
  const name: FieldName = { key, kinds: kindsOf.get(key) ?? 0 };
  if (count >= NAMES_MAX || key.length > NAME_BYTES_MAX) return name;
  for (let i = 0; i < PROBES_MAX; i++) {
    const place = (hash + i) & (PLACES - 1);
    if (places[place] !== undefined) continue;
    places[place] = name;
    count += 1;
    break;
  }
  return name;
}
