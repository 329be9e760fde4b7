/** What a kept header's value is replaced with when it may hold a secret. */
export const REDACTED = '[redacted]';

/** Never decoded, whatever a caller asks for. */
const SECRET_NAMES: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
];

export const FRAMING_NONE = 0;
export const FRAMING_CONTENT_LENGTH = 1;
export const FRAMING_TRANSFER_ENCODING = 2;
export const FRAMING_HOST = 3;

/** A header that the decoder looks at; all others are skipped without a string. */
export interface HeaderEntry {
  /** Lower case, as the caller spelled it. */
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly isKept: boolean;
  readonly isSecret: boolean;
  readonly isMeant: boolean;
  readonly framing: number;
}

export interface HeaderTable {
  /** Compares without regard to case, and takes `_` for `-`. */
  find(bytes: Uint8Array, from: number, to: number): HeaderEntry | undefined;
}

const BUCKETS = 256;

export interface HeaderNames {
  /** Those whose values a head carries; at most 512 of at most 128 characters. */
  readonly kept: readonly string[];
  /** Those of them that the caller acts on: a head says whether it has one. */
  readonly meant?: readonly string[];
  /** Those whose values are never decoded, beside those that never are. */
  readonly secret?: readonly string[];
}

export function createHeaderTable({ kept, meant = [], secret = [] }: HeaderNames): HeaderTable {
  const secretNames = new Set([...SECRET_NAMES, ...secret.map(normalName)]);
  const buckets: HeaderEntry[][] = Array.from({ length: BUCKETS }, () => []);
  const keptNames = new Set(kept.slice(0, 512).map((name) => name.toLowerCase()));
  const framing = new Map([
    ['content-length', FRAMING_CONTENT_LENGTH],
    ['transfer-encoding', FRAMING_TRANSFER_ENCODING],
    ['host', FRAMING_HOST],
  ]);
  // Secrets too, wanted or not: what is looked at knows them for what they are.
  for (const name of new Set([...keptNames, ...framing.keys(), ...secretNames])) {
    const nameBytes = new TextEncoder().encode(name.replaceAll('_', '-'));
    if (nameBytes.length === 0 || nameBytes.length > 128) continue;
    buckets[bucketOf(nameBytes, 0, nameBytes.length)]?.push({
      name,
      nameBytes,
      isKept: keptNames.has(name),
      isSecret: secretNames.has(normalName(name)),
      isMeant: meant.includes(name),
      framing: framing.get(name) ?? FRAMING_NONE,
    });
  }

  return {
    find(bytes, from, to) {
      const bucket = buckets[bucketOf(bytes, from, to)];
      if (bucket === undefined) return undefined;
      for (const entry of bucket) {
        if (entry.nameBytes.length === to - from && isSame(entry.nameBytes, bytes, from)) {
          return entry;
        }
      }
      return undefined;
    },
  };
}

function normalName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Length, first and last letter: enough to leave one candidate in nearly every bucket. */
function bucketOf(bytes: Uint8Array, from: number, to: number): number {
  const first = (bytes[from] ?? 0) | 0x20;
  const last = (bytes[to - 1] ?? 0) | 0x20;
  return ((to - from) * 37 + first * 5 + last) & (BUCKETS - 1);
}

function isSame(name: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < name.length; i += 1) {
    const byte = bytes[from + i] ?? 0;
    if (name[i] !== (byte === 0x5f ? 0x2d : byte | 0x20)) return false;
  }
  return true;
}
